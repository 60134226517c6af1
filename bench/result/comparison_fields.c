// Odd fields of comparison.json, each written and read side by side.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "result/comparison.h"
#include "result/custom.h"

#define INFINITE "infinite"

json_t *sp_custom_write_outcomes(const void *at) {
  const int64_t *outcomes = at;
  json_t *object = json_object();
  for (int i = SP_OUTCOME_NONE + 1; i < SP_OUTCOME_COUNT; i++) {
    json_object_set_new(object, sp_outcome_name((enum sp_outcome)i), json_integer(outcomes[i]));
  }
  return object;
}

enum sp_err sp_custom_read_outcomes(void *at, const json_t *value, const struct sp_field_place *place) {
  int64_t *outcomes = at;
  for (int i = SP_OUTCOME_NONE + 1; i < SP_OUTCOME_COUNT; i++) {
    const char *name = sp_outcome_name((enum sp_outcome)i);
    const json_t *count = json_object_get(value, name);
    if (!json_is_integer(count) || json_integer_value(count) < 0)
      return sp_fields_fail(place, name, "a count");
    outcomes[i] = json_integer_value(count);
  }
  return SP_OK;
}

json_t *sp_custom_write_figure(const void *at) {
  double value = *(const double *)at;
  return isinf(value) ? json_string(INFINITE) : sp_fields_real(value);
}

static bool read_figure(double *at, const json_t *value) {
  const char *word = json_string_value(value);
  bool is_infinite = word && strcmp(word, INFINITE) == 0;
  if (!is_infinite && !json_is_number(value) && !json_is_null(value)) return false;
  *at = is_infinite ? INFINITY : json_is_null(value) ? NAN : json_number_value(value);
  return true;
}

enum sp_err sp_custom_read_figure(void *at, const json_t *value, const struct sp_field_place *place) {
  return read_figure(at, value) ? SP_OK
                                : sp_fields_fail(place, "(figure)", "a number, null or \"" INFINITE "\"");
}

json_t *sp_custom_write_interval(const void *at) {
  const struct sp_compared *m = at;
  if (isnan(m->low) && isnan(m->high)) return json_null();
  return json_pack("[o, o]", sp_custom_write_figure(&m->low), sp_custom_write_figure(&m->high));
}

enum sp_err sp_custom_read_interval(void *at, const json_t *value, const struct sp_field_place *place) {
  struct sp_compared *m = at;
  if (json_is_null(value)) return SP_OK;
  bool is_pair = json_array_size(value) == 2 && read_figure(&m->low, json_array_get(value, 0)) &&
                 read_figure(&m->high, json_array_get(value, 1));
  return is_pair ? SP_OK : sp_fields_fail(place, "interval", "two numbers or null");
}

json_t *sp_custom_write_compared_verdict(const void *at) {
  return json_string(sp_verdict_name(*(const enum sp_verdict *)at));
}

enum sp_err sp_custom_read_compared_verdict(void *at, const json_t *value,
                                            const struct sp_field_place *place) {
  const char *name = json_string_value(value);
  for (int i = 0; name && i < SP_VERDICT_COUNT; i++) {
    *(enum sp_verdict *)at = (enum sp_verdict)i;
    if (strcmp(name, sp_verdict_name((enum sp_verdict)i)) == 0) return SP_OK;
  }
  return sp_fields_fail(place, "verdict", "better, worse, same, inconclusive, exploratory or void");
}

json_t *sp_custom_write_gate_verdict(const void *at) {
  return json_string(sp_gate_verdict_name(*(const enum sp_gate_verdict *)at));
}

enum sp_err sp_custom_read_gate_verdict(void *at, const json_t *value, const struct sp_field_place *place) {
  const char *name = json_string_value(value);
  for (int i = 0; name && i < SP_GATE_VERDICT_COUNT; i++) {
    *(enum sp_gate_verdict *)at = (enum sp_gate_verdict)i;
    if (strcmp(name, sp_gate_verdict_name((enum sp_gate_verdict)i)) == 0) return SP_OK;
  }
  return sp_fields_fail(place, "verdict", "pass, fail, inconclusive, no-baseline or none");
}
