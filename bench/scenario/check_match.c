// Checks of how answers find their events (match, match_input, match_output): what a way needs, and where it cannot work.
#include <stdlib.h>
#include <string.h>

#include "scenario/check.h"

struct place { // sides.NAME
  const struct sp_check_context *check;
  const struct sp_side *side;
};

static enum sp_err refuse(const struct place *place, const char *key, const char *what) {
  char *whole = sp_format("sides.%s.%s", place->side->name, key);
  enum sp_err err = sp_check_fail(place->check, SP_ERR_USAGE, whole, "%s", what);
  free(whole);
  return err;
}

static bool is_pointer(const char *text) {
  return text[0] == '/' || text[0] == '\0';
}
static bool is_number(const char *text) {
  return text[0] && text[strspn(text, "0123456789")] == '\0';
}
static bool is_column(const struct place *place, const char *text) {
  const struct sp_texts *header = &place->check->scenario->input.header;
  for (size_t i = 0; i < header->n; i++) {
    if (strcmp(header->items[i], text) == 0) return true;
  }
  return false;
}

static enum sp_err check_answer_field(const struct place *place, const char *key, const char *field) {
  if (!field || is_pointer(field) || is_number(field)) return SP_OK;
  return refuse(place, key, "is neither a JSON pointer as /id nor the number of a CSV column from 0");
}

static enum sp_err check_fields(const struct place *place) {
  const char *input = place->side->app.match_input, *output = place->side->app.match_output;
  int format = place->check->scenario->input.format;
  if (!input)
    return refuse(place, "match_input",
                  "missing: match payload compares a field of event and answer; write a JSON pointer as "
                  "/id, or a column of input.header");
  if (format == SP_INPUT_RAW)
    return refuse(place, "match_input", "input.format raw has no fields; use match key or order");
  if (format == SP_INPUT_CSV && !is_column(place, input))
    return refuse(place, "match_input", "is no column of input.header; write the name of one");
  if (format != SP_INPUT_CSV && !is_pointer(input))
    return refuse(place, "match_input", "is no JSON pointer; write one as /id");
  if (!output && format == SP_INPUT_CSV)
    return refuse(place, "match_output",
                  "missing: an answer has no header; write the number of its CSV column from 0, or a JSON "
                  "pointer as /id");
  return check_answer_field(place, "match_output", output);
}

// Who sees one half, or a share, does not know which event comes next.
static enum sp_err check_halves(const struct place *place) {
  const struct sp_load_conf *load = &place->check->scenario->load;
  if (load->only != SP_ONLY_BOTH)
    return refuse(place, "match",
                  "needs one driver that sends and collects: what was sent says which answer is next; leave "
                  "load.only out, or use match header");
  if (load->shard && place->side->app.matching == SP_MATCHING_PAYLOAD)
    return refuse(place, "match",
                  "payload needs one driver: an equal field may be in another share of the load; leave "
                  "load.shard out, or use match header or key");
  return SP_OK;
}

enum sp_err sp_check_match(const struct sp_check_context *check, const struct sp_side *side) {
  const struct place place = {check, side};
  const struct sp_app_conf *app = &side->app;
  bool is_payload = app->matching == SP_MATCHING_PAYLOAD;
  if (app->match_input && !is_payload)
    return refuse(&place, "match_input", "is for match payload; write that, or leave it out");
  if (app->match_output && !is_payload)
    return refuse(&place, "match_output", "is for match payload; write that, or leave it out");
  bool is_kafka = check->scenario->stream.transport == SP_TRANSPORT_KAFKA;
  if (app->match_value && !is_kafka)
    return refuse(&place, "match_value", "is for answers that others write over Kafka; leave it out");
  if (check_answer_field(&place, "match_value", app->match_value)) return SP_ERR_USAGE;
  if (app->matching == SP_MATCHING_HEADER) return SP_OK;
  if (!is_kafka)
    return refuse(&place, "match",
                  "transport direct loses no event's number; write --broker kafka, or match header");
  enum sp_err err = check_halves(&place);
  return err || !is_payload ? err : check_fields(&place);
}
