// Odd fields of result.json, each written and read side by side.
#include "result/custom.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_MOST (INT64_C(1) << 53) // as JSON holds it everywhere; sums of many fit 64 bits

json_t *sp_custom_write_verdict(const void *at) {
  const struct sp_result *r = at;
  return json_string(!sp_result_is_valid(r) ? "invalid" : r->complete ? "valid" : "incomplete");
}

// The reasons decide, which follow in the file: the word only must not contradict them.
enum sp_err sp_custom_read_verdict(void *at, const json_t *value, const struct sp_field_place *place) {
  (void)at;
  const char *verdict = json_string_value(value);
  bool is_known = verdict && (strcmp(verdict, "valid") == 0 || strcmp(verdict, "invalid") == 0 ||
                              strcmp(verdict, "incomplete") == 0);
  return is_known ? SP_OK : sp_fields_fail(place, "verdict", "valid, invalid or incomplete");
}

json_t *sp_custom_write_counts(const void *at) {
  const struct sp_result *r = at;
  json_t *object = json_object();
  json_object_set_new(object, "intended", json_integer(r->intended));
  for (int i = SP_OUTCOME_NONE + 1; i < SP_OUTCOME_COUNT; i++) {
    json_object_set_new(object, sp_outcome_name((enum sp_outcome)i), json_integer(r->outcomes[i]));
  }
  for (int i = 0; i < SP_FLAG_COUNT; i++) {
    json_object_set_new(object, sp_flag_name((enum sp_flag)i), json_integer(r->flags[i]));
  }
  return object;
}

static enum sp_err read_count(int64_t *count, const json_t *counts, const char *name,
                              const struct sp_field_place *place) {
  const json_t *value = json_object_get(counts, name);
  if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > COUNT_MOST) {
    char path[64];
    snprintf(path, sizeof path, "counts.%s", name);
    return sp_fields_fail(place, path, "a count");
  }
  *count = json_integer_value(value);
  return SP_OK;
}

enum sp_err sp_custom_read_counts(void *at, const json_t *value, const struct sp_field_place *place) {
  struct sp_result *r = at;
  enum sp_err err = read_count(&r->intended, value, "intended", place);
  for (int i = SP_OUTCOME_NONE + 1; i < SP_OUTCOME_COUNT && !err; i++) {
    err = read_count(&r->outcomes[i], value, sp_outcome_name((enum sp_outcome)i), place);
  }
  for (int i = 0; i < SP_FLAG_COUNT && !err; i++) {
    err = read_count(&r->flags[i], value, sp_flag_name((enum sp_flag)i), place);
  }
  return err;
}

static json_t *write_fact(const struct sp_fact *fact) {
  switch (fact->kind) {
  case SP_FACT_NULL: return json_null();
  case SP_FACT_TEXT: return sp_fields_text(fact->text);
  case SP_FACT_COUNT: return json_integer(fact->count);
  case SP_FACT_REAL: return sp_fields_real(fact->real);
  case SP_FACT_FLAG: return json_boolean(fact->count);
  case SP_FACT_JSON: return json_loads(fact->text, JSON_DECODE_ANY, NULL);
  }
  sp_panic(__FILE__, __LINE__, "every kind of fact is written");
}

json_t *sp_custom_write_facts(const void *at) {
  const struct sp_facts *facts = at;
  json_t *object = json_object();
  for (size_t i = 0; i < facts->n; i++) {
    SP_ASSERT(json_object_set_new(object, facts->items[i].name, write_fact(&facts->items[i])) == 0);
  }
  return object;
}

static void read_fact(struct sp_facts *facts, const char *name, const json_t *value) {
  switch (json_typeof(value)) {
  case JSON_NULL: sp_facts_text(facts, name, NULL); return;
  case JSON_STRING: sp_facts_text(facts, name, json_string_value(value)); return;
  case JSON_INTEGER: sp_facts_count(facts, name, json_integer_value(value)); return;
  case JSON_REAL: sp_facts_real(facts, name, json_real_value(value)); return;
  case JSON_TRUE:
  case JSON_FALSE: sp_facts_flag(facts, name, json_is_true(value)); return;
  case JSON_OBJECT:
  case JSON_ARRAY: break;
  }
  char *text = json_dumps(value, JSON_COMPACT);
  SP_ASSERT(text);
  sp_facts_json(facts, name, text);
  free(text);
}

enum sp_err sp_custom_read_facts(void *at, const json_t *value, const struct sp_field_place *place) {
  const char *name;
  json_t *item;
  if (!json_is_object(value)) return sp_fields_fail(place, "(facts)", "an object");
  json_object_foreach((json_t *)(uintptr_t)value, name, item) read_fact(at, name, item);
  return SP_OK;
}

json_t *sp_custom_write_facts_or_null(const void *at) {
  return ((const struct sp_facts *)at)->n ? sp_custom_write_facts(at) : json_null();
}

enum sp_err sp_custom_read_facts_or_null(void *at, const json_t *value, const struct sp_field_place *place) {
  return json_is_null(value) ? SP_OK : sp_custom_read_facts(at, value, place);
}

json_t *sp_custom_write_amounts(const void *at) {
  const struct sp_amounts *amounts = at;
  json_t *object = json_object();
  for (size_t i = 0; i < amounts->n; i++) {
    json_object_set_new(object, amounts->items[i].name, sp_fields_real(amounts->items[i].value));
  }
  return object;
}

enum sp_err sp_custom_read_amounts(void *at, const json_t *value, const struct sp_field_place *place) {
  struct sp_amounts *amounts = at;
  const char *name;
  json_t *item;
  if (!json_is_object(value)) return sp_fields_fail(place, "(amounts)", "an object");
  json_object_foreach((json_t *)(uintptr_t)value, name, item) {
    if (!json_is_number(item) && !json_is_null(item)) return sp_fields_fail(place, name, "a number or null");
    bool has_room = amounts->n < sizeof amounts->items / sizeof amounts->items[0];
    if (!has_room || strlen(name) >= sizeof amounts->items[0].name) continue; // of a later version
    sp_amounts_set(amounts, name, json_is_null(item) ? NAN : json_number_value(item));
  }
  return SP_OK;
}

static const struct sp_field latency_fields[] = {
    {.name = "count", .kind = SP_FIELD_COUNT, .offset = offsetof(struct sp_latency, count)},
    {.name = "mean", .kind = SP_FIELD_REAL, .offset = offsetof(struct sp_latency, mean_ns)},
    {.name = "max", .kind = SP_FIELD_NS, .offset = offsetof(struct sp_latency, max_ns)},
    {.name = "hdr", .kind = SP_FIELD_TEXT, .offset = offsetof(struct sp_latency, hdr)},
    {0},
};

json_t *sp_custom_write_latency(const void *at) {
  const struct sp_latency *latency = at;
  if (!latency->present) return json_null();
  json_t *object = sp_fields_write(latency_fields, latency), *state = json_object(), *limited = json_array();
  for (int i = 0; i < SP_PERCENTILES; i++) {
    int64_t value_ns = latency->percentile_ns[i];
    json_object_set_new(object, sp_percentile_name[i], value_ns < 0 ? json_null() : json_integer(value_ns));
    json_object_set_new(state, sp_percentile_name[i],
                        json_string(sp_percentile_state_name(latency->state[i])));
    if (latency->driver_limited[i]) json_array_append_new(limited, json_string(sp_percentile_name[i]));
  }
  json_object_set_new(object, "state", state);
  json_object_set_new(object, "driver_limited", limited);
  return object;
}

static bool read_state(enum sp_percentile_state *state, const json_t *value) {
  const char *name = json_string_value(value);
  for (int i = 0; name && i < SP_PERCENTILE_STATE_COUNT; i++) {
    *state = (enum sp_percentile_state)i;
    if (strcmp(name, sp_percentile_state_name(*state)) == 0) return true;
  }
  return false;
}

enum sp_err sp_custom_read_latency(void *at, const json_t *value, const struct sp_field_place *place) {
  struct sp_latency *latency = at;
  if (json_is_null(value)) return SP_OK;
  enum sp_err err = sp_fields_read(latency_fields, latency, value, place);
  if (err) return err;
  latency->present = true;
  const json_t *states = json_object_get(value, "state"), *limited = json_object_get(value, "driver_limited");
  for (int i = 0; i < SP_PERCENTILES; i++) {
    const json_t *figure = json_object_get(value, sp_percentile_name[i]);
    bool is_figure = json_is_integer(figure) && json_integer_value(figure) >= 0;
    if (!is_figure && !json_is_null(figure))
      return sp_fields_fail(place, sp_percentile_name[i], "whole ns or null");
    latency->percentile_ns[i] = is_figure ? json_integer_value(figure) : -1;
    if (!read_state(&latency->state[i], json_object_get(states, sp_percentile_name[i]))) {
      return sp_fields_fail(place, "state", "resolved, episodic, unresolved or no_answer of each percentile");
    }
    for (size_t k = 0; k < json_array_size(limited); k++) {
      const char *name = json_string_value(json_array_get(limited, k));
      latency->driver_limited[i] |= name && strcmp(name, sp_percentile_name[i]) == 0;
    }
  }
  return SP_OK;
}

static const struct sp_field stage_fields[] = {
    {.name = "mean", .kind = SP_FIELD_REAL, .offset = offsetof(struct sp_stage_figures, mean_ns)},
    {.name = "mean_above_p99",
     .kind = SP_FIELD_REAL,
     .offset = offsetof(struct sp_stage_figures, mean_above_p99_ns)},
    {.name = "p50", .kind = SP_FIELD_NS, .offset = offsetof(struct sp_stage_figures, p50_ns)},
    {.name = "p99", .kind = SP_FIELD_NS, .offset = offsetof(struct sp_stage_figures, p99_ns)},
    {0},
};

json_t *sp_custom_write_stages(const void *at) {
  const struct sp_stage_figures *stages = at;
  json_t *object = json_object();
  for (int i = 0; i < SP_STAGE_COUNT; i++) {
    if (!stages[i].present) continue;
    json_object_set_new(object, sp_stage_name((enum sp_stage)i), sp_fields_write(stage_fields, &stages[i]));
  }
  return object;
}

enum sp_err sp_custom_read_stages(void *at, const json_t *value, const struct sp_field_place *place) {
  struct sp_stage_figures *stages = at;
  if (!json_is_object(value)) return sp_fields_fail(place, "stages_ns", "an object");
  for (int i = 0; i < SP_STAGE_COUNT; i++) {
    const json_t *stage = json_object_get(value, sp_stage_name((enum sp_stage)i));
    enum sp_err err = stage ? sp_fields_read(stage_fields, &stages[i], stage, place) : SP_OK;
    if (err) return err;
    stages[i].present = stage != NULL;
  }
  return SP_OK;
}

json_t *sp_custom_write_met(const void *at) {
  enum sp_met met = *(const enum sp_met *)at;
  return met == SP_MET_UNKNOWN ? json_null() : json_boolean(met == SP_MET_YES);
}

enum sp_err sp_custom_read_met(void *at, const json_t *value, const struct sp_field_place *place) {
  if (!json_is_boolean(value) && !json_is_null(value))
    return sp_fields_fail(place, "met", "true, false or null");
  *(enum sp_met *)at = json_is_null(value) ? SP_MET_UNKNOWN : json_is_true(value) ? SP_MET_YES : SP_MET_NO;
  return SP_OK;
}

json_t *sp_custom_write_outcome(const void *at) {
  return json_string(sp_outcome_name(*(const enum sp_outcome *)at));
}

enum sp_err sp_custom_read_outcome(void *at, const json_t *value, const struct sp_field_place *place) {
  const char *name = json_string_value(value);
  for (int i = 0; name && i < SP_OUTCOME_COUNT; i++) {
    *(enum sp_outcome *)at = (enum sp_outcome)i;
    if (strcmp(name, sp_outcome_name((enum sp_outcome)i)) == 0) return SP_OK;
  }
  return sp_fields_fail(place, "outcome", "the name of an outcome");
}

json_t *sp_custom_write_mark(const void *at) {
  const char *mark = *(char *const *)at;
  json_t *marks = json_array();
  if (mark) json_array_append_new(marks, sp_fields_text(mark));
  return marks;
}

enum sp_err sp_custom_read_mark(void *at, const json_t *value, const struct sp_field_place *place) {
  if (!json_is_array(value)) return sp_fields_fail(place, "marks", "a list");
  free(*(char **)at);
  *(char **)at = sp_copy_text(json_string_value(json_array_get(value, 0)));
  return SP_OK;
}
