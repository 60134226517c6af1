// The recording's keys or fields -> a matcher; what became of it -> facts and a check.
#include "trial/matching.h"

#include <stdlib.h>
#include <string.h>

#include "trial/field.h"

struct sp_answer_match {
  struct sp_matcher *matcher;
  struct sp_bytes *tokens; // per recorded event
  uint8_t *text;           // payload: what they point into
  struct sp_field *input, *output;
  struct sp_field *value; // where predictions stand; NULL: all of the answer
};

static const struct sp_app_conf *conf_of(const struct sp_trial_session *s) {
  return &s->plan->side->app;
}

// --- Tokens ---

static enum sp_err take_keys(struct sp_trial_session *s, bool may_be_missing, struct sp_error *error) {
  const struct sp_recording *recording = s->recording;
  for (size_t i = 0; i < recording->n_events; i++) {
    s->matching->tokens[i] = recording->events[i].key;
    if (recording->events[i].key.data || may_be_missing) continue;
    return sp_fail(
        error, SP_ERR_USAGE,
        "match key: event %zu of %s has no key, so that its answer could not be found; use --match "
        "payload, or --match order where the application keeps partitions",
        i, s->plan->scenario->recording);
  }
  return SP_OK;
}

static uint8_t *grown(uint8_t *text, size_t *room, size_t n) {
  if (n <= *room) return text;
  *room = 2 * n;
  text = realloc(text, *room);
  SP_ASSERT(text);
  return text;
}

// Copies: what a field gives is gone with the next event's. They may move until the last one is there.
static enum sp_err take_fields(struct sp_trial_session *s, struct sp_error *error) {
  struct sp_answer_match *matching = s->matching;
  size_t room = 0, n = 0;
  for (size_t i = 0; i < s->recording->n_events; i++) {
    struct sp_bytes taken;
    if (!sp_field_take(matching->input, s->recording->events[i].value, &taken))
      return sp_fail(error, SP_ERR_USAGE,
                     "match_input: event %zu of %s has no \"%.60s\", so that its answer could not be found; "
                     "name a field that all have",
                     i, s->plan->scenario->recording, conf_of(s)->match_input);
    matching->text = grown(matching->text, &room, n + taken.n + 1);
    memcpy(matching->text + n, taken.data, taken.n);
    matching->tokens[i].n = taken.n;
    n += taken.n;
  }
  n = 0;
  for (size_t i = 0; i < s->recording->n_events; n += matching->tokens[i++].n)
    matching->tokens[i].data = matching->text + n;
  return SP_OK;
}

static enum sp_err open_fields(struct sp_trial_session *s, struct sp_error *error) {
  const struct sp_app_conf *app = conf_of(s);
  const struct sp_input_conf *input = &s->plan->scenario->input;
  const struct sp_texts *header = input->format == SP_INPUT_CSV ? &input->header : NULL;
  const char *output = app->match_output ? app->match_output : app->match_input;
  enum sp_err err = sp_field_new(app->match_input, header, "match_input", &s->matching->input, error);
  if (!err) err = sp_field_new(output, NULL, "match_output", &s->matching->output, error);
  return err ? err : take_fields(s, error);
}

static bool take_output_field(void *context, struct sp_bytes value, struct sp_bytes *taken) {
  return sp_field_take(context, value, taken);
}

static enum sp_err open_matcher(struct sp_trial_session *s, struct sp_error *error) {
  const struct sp_app_conf *app = conf_of(s);
  int matching = app->matching;
  if (matching == SP_MATCHING_HEADER) return SP_OK;
  s->matching->tokens = sp_alloc(s->recording->n_events * sizeof *s->matching->tokens);
  enum sp_err err = matching == SP_MATCHING_PAYLOAD ? open_fields(s, error)
                                                    : take_keys(s, matching == SP_MATCHING_ORDER, error);
  if (err) return err;
  static const enum sp_matcher_by ways[] = {[SP_MATCHING_KEY] = SP_MATCHER_KEY,
                                            [SP_MATCHING_PAYLOAD] = SP_MATCHER_FIELD,
                                            [SP_MATCHING_ORDER] = SP_MATCHER_ORDER};
  const struct sp_matcher_conf conf = {.by = ways[matching],
                                       .tokens = s->matching->tokens,
                                       .n_recorded = s->recording->n_events,
                                       .n_partitions = (uint32_t)s->plan->scenario->topics.partitions,
                                       .take_field = take_output_field,
                                       .context = s->matching->output};
  s->matching->matcher = sp_matcher_new(&conf);
  return SP_OK;
}

// What output.format json says is compared as JSON, so that a string keeps its quotes; text is what the string says.
static bool take_json_value(void *context, struct sp_bytes value, struct sp_bytes *taken) {
  return sp_field_take_raw(context, value, taken);
}

enum sp_err sp_matching_open(struct sp_trial_session *s, struct sp_kafka_driver_env *env,
                             struct sp_error *error) {
  s->matching = sp_alloc(sizeof *s->matching);
  enum sp_err err = open_matcher(s, error);
  if (!err && conf_of(s)->match_value) {
    err = sp_field_new(conf_of(s)->match_value, NULL, "match_value", &s->matching->value, error);
    bool is_text = s->plan->scenario->output.format == SP_OUTPUT_TEXT;
    env->take_value = is_text ? take_output_field : take_json_value;
    env->take_context = s->matching->value;
  }
  env->matcher = s->matching->matcher;
  return err;
}

void sp_matching_free(struct sp_trial_session *s) {
  if (!s->matching) return;
  sp_matcher_free(s->matching->matcher);
  sp_field_free(s->matching->input);
  sp_field_free(s->matching->output);
  sp_field_free(s->matching->value);
  free(s->matching->tokens);
  free(s->matching->text);
  free(s->matching);
}

// --- Result ---

static void check_order(struct sp_trial_session *s, const struct sp_matcher_facts *told) {
  char *reason = sp_format(
      "matching by order: partition %d of %s has %lld answers to %lld events sent: which is to which "
      "is not known, so that predictions and times mean nothing",
      (int)told->partition, s->plan->output_topic, (long long)told->n_answers, (long long)told->n_sent);
  sp_result_check(
      s->result, "match_order_unsure", (double)told->n_unsure, 0, told->n_unsure == 0, reason,
      "use --match key or payload, a lower --rate, or a longer --drain if answers were only late");
  free(reason);
}

void sp_matching_fill(struct sp_trial_session *s) {
  static const char *const names[] = {"header", "key", "payload", "order"};
  const struct sp_app_conf *app = conf_of(s);
  struct sp_facts *facts = &s->result->delivery;
  sp_facts_text(facts, "match", names[app->matching]);
  if (app->match_value) sp_facts_text(facts, "match_value", app->match_value);
  if (!s->matching->matcher) return;
  struct sp_matcher_facts told;
  sp_kafka_driver_matched(s->kafka, &told);
  if (app->matching == SP_MATCHING_PAYLOAD) {
    sp_facts_text(facts, "match_input", app->match_input);
    sp_facts_text(facts, "match_output", app->match_output ? app->match_output : app->match_input);
  }
  sp_facts_count(facts, "match_classes", told.n_classes);
  sp_facts_count(facts, "match_surplus", told.n_surplus);
  sp_facts_count(facts, "match_unsure", told.n_unsure);
  if (app->matching == SP_MATCHING_ORDER) check_order(s, &told);
}
