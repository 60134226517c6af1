// What the trials were of, and how the sides' settings differ.
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decide/judge_parts.h"

// --- Facts of the first trial that counts ---

static void copy_facts(struct sp_facts *into, const struct sp_facts *from) {
  for (size_t i = 0; i < from->n; i++) {
    const struct sp_fact *fact = &from->items[i];
    switch (fact->kind) {
    case SP_FACT_NULL: sp_facts_text(into, fact->name, NULL); break;
    case SP_FACT_TEXT: sp_facts_text(into, fact->name, fact->text); break;
    case SP_FACT_COUNT: sp_facts_count(into, fact->name, fact->count); break;
    case SP_FACT_REAL: sp_facts_real(into, fact->name, fact->real); break;
    case SP_FACT_FLAG: sp_facts_flag(into, fact->name, fact->count != 0); break;
    case SP_FACT_JSON: sp_facts_json(into, fact->name, fact->text); break;
    }
  }
}

static void copy_all(struct sp_comparison *c, const struct sp_result *r) {
  copy_facts(&c->tags, &r->tags);
  copy_facts(&c->scenario, &r->scenario);
  copy_facts(&c->load, &r->load);
  copy_facts(&c->machine, &r->machine);
  copy_facts(&c->build, &r->build);
  copy_facts(&c->broker, &r->broker);
  copy_facts(&c->recording, &r->recording);
  free(c->fingerprint);
  c->fingerprint = sp_machine_fingerprint(r);
}

// --- Differences ---

#define LINE_BYTES 512
#define MAX_SIDES  SP_COMPARISON_SIDES

// "name: a, b", unless all are alike. A text of NULL is none.
static void note_difference(struct sp_comparison *c, const char *name, const char *const *texts, size_t n) {
  char line[LINE_BYTES];
  bool is_same = true;
  size_t used = (size_t)snprintf(line, sizeof line, "%s: ", name);
  for (size_t s = 0; s < n && used < sizeof line; s++) {
    const char *text = texts[s] ? texts[s] : "none";
    is_same &= strcmp(text, texts[0] ? texts[0] : "none") == 0;
    used += (size_t)snprintf(line + used, sizeof line - used, "%s%s", s ? ", " : "", text);
  }
  if (!is_same) sp_comparison_difference(c, line);
}

static char *fact_text(const struct sp_facts *facts, const char *name) {
  const struct sp_fact *fact = sp_facts_find(facts, name);
  if (!fact || fact->kind == SP_FACT_NULL) return NULL;
  if (fact->text) return sp_copy_text(fact->text);
  return fact->kind == SP_FACT_REAL ? sp_format("%.9g", fact->real)
                                    : sp_format("%lld", (long long)fact->count);
}

static const struct {
  const char *title, *name;
  size_t facts; // offset in struct sp_result
} found[] = {
    // those of load are among the settings, where a result has these
    {"model.name", "name", offsetof(struct sp_result, model)},
    {"model.version", "version", offsetof(struct sp_result, model)},
    {"model.digest", "digest", offsetof(struct sp_result, model)},
    {"model.library", "library", offsetof(struct sp_result, model)},
    {"server.kind", "kind", offsetof(struct sp_result, server)},
    {"server.version", "version", offsetof(struct sp_result, server)},
    {"server.software", "software", offsetof(struct sp_result, server)},
    {"broker.kind", "kind", offsetof(struct sp_result, broker)},
    {"broker.version", "version", offsetof(struct sp_result, broker)},
    {"broker.properties", "properties", offsetof(struct sp_result, broker)},
    {"load.threads", "threads", offsetof(struct sp_result, load)},
    {"load.batch", "batch", offsetof(struct sp_result, load)},
    {"load.wait", "wait", offsetof(struct sp_result, load)},
    {"machine.placement", "placement", offsetof(struct sp_result, machine)},
    {"machine.fingerprint", "fingerprint", offsetof(struct sp_result, machine)},
    {"build.version", "version", offsetof(struct sp_result, build)},
};

static void note_found(struct sp_comparison *c, const struct sp_result *const *results, size_t n,
                       bool has_settings) {
  char *texts[MAX_SIDES];
  for (size_t i = 0; i < sizeof found / sizeof found[0]; i++) {
    if (has_settings && found[i].facts == offsetof(struct sp_result, load)) continue;
    for (size_t s = 0; s < n; s++)
      texts[s] = fact_text((const void *)((const char *)results[s] + found[i].facts), found[i].name);
    note_difference(c, found[i].title, (const char *const *)texts, n);
    for (size_t s = 0; s < n; s++) free(texts[s]);
  }
}

// The side's settings as its own trial resolved them; NULL: unknown. Borrowed from *document, which is the caller's.
static json_t *settings_of(const struct sp_result *r, json_t **document) {
  const struct sp_fact *resolved = sp_facts_find(&r->scenario, "resolved");
  *document = resolved && resolved->kind == SP_FACT_JSON ? json_loads(resolved->text, 0, NULL) : NULL;
  return r->side ? json_object_get(json_object_get(*document, "sides"), r->side) : NULL;
}

static char *setting_text(const json_t *value) {
  if (!value || json_is_null(value)) return NULL;
  if (json_is_string(value)) return sp_copy_text(json_string_value(value));
  return json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
}

#define DEPTH 3 // sides.NAME.server.KEY

// A side that says nothing of these has the scenario's: what its trial found tells.
static bool is_told_by_trials(const char *name) {
  return strcmp(name, "transport") == 0 || strcmp(name, "model") == 0;
}

static void note_settings(struct sp_comparison *c, const char *prefix, json_t *const *objects, size_t n,
                          int depth) {
  const char *key;
  json_t *first;
  json_object_foreach(objects[0], key, first) {
    if (!*prefix && is_told_by_trials(key)) continue;
    json_t *values[MAX_SIDES] = {NULL};
    char *texts[MAX_SIDES], *name = sp_format("%s%s", prefix, key);
    for (size_t s = 0; s < n; s++) values[s] = json_object_get(objects[s], key);
    if (json_is_object(first) && depth > 1) {
      char *deeper = sp_format("%s.", name);
      note_settings(c, deeper, values, n, depth - 1);
      free(deeper);
    } else {
      for (size_t s = 0; s < n; s++) texts[s] = setting_text(values[s]);
      note_difference(c, name, (const char *const *)texts, n);
      for (size_t s = 0; s < n; s++) free(texts[s]);
    }
    free(name);
  }
}

// Whether the results say what their settings were.
static bool note_all_settings(struct sp_comparison *c, const struct sp_result *const *results, size_t n) {
  json_t *documents[MAX_SIDES] = {NULL}, *settings[MAX_SIDES] = {NULL};
  const char *paths[MAX_SIDES] = {NULL};
  bool has_all = true;
  for (size_t s = 0; s < n; s++) {
    settings[s] = settings_of(results[s], &documents[s]);
    has_all &= settings[s] != NULL;
    paths[s] = results[s]->path;
  }
  if (has_all)
    note_settings(c, "", settings, n, DEPTH);
  else
    note_difference(c, "path", paths, n);
  for (size_t s = 0; s < n; s++) {
    json_decref(documents[s]);
    paths[s] = results[s]->transport;
  }
  note_difference(c, "transport", paths, n);
  return has_all;
}

// No pair counts: what was measured is told all the same.
static void copy_any(struct sp_judging *j) {
  for (size_t i = 0; i < j->n; i++) {
    if (!j->trials[i].result) continue;
    copy_all(j->c, j->trials[i].result);
    return;
  }
}

void sp_judge_facts(struct sp_judging *j) {
  const struct sp_result *results[MAX_SIDES];
  if (j->pairs.n_pairs == 0) {
    copy_any(j);
    return;
  }
  for (size_t s = 0; s < j->plan->n_sides; s++) results[s] = sp_judge_cell(&j->pairs, 0, s);
  copy_all(j->c, results[j->plan->reference_i]);
  bool has_settings = note_all_settings(j->c, results, j->plan->n_sides);
  note_found(j->c, results, j->plan->n_sides, has_settings);
}
