#include "report/by.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"

static void set_text(char *text, size_t n, const char *value) {
  char *clean = sp_printable(value, strlen(value), n - 4); // room for the … of the cut
  snprintf(text, n, "%s", clean);
  free(clean);
}

static bool fact_value(const struct sp_facts *facts, const char *name, char *text, size_t n) {
  const struct sp_fact *fact = sp_facts_find(facts, name);
  if (!fact || fact->kind == SP_FACT_NULL || fact->kind == SP_FACT_JSON) return false;
  if (fact->kind == SP_FACT_TEXT)
    set_text(text, n, fact->text);
  else if (fact->kind == SP_FACT_REAL)
    snprintf(text, n, "%.6g", fact->real);
  else if (fact->kind == SP_FACT_FLAG)
    snprintf(text, n, "%s", fact->count ? "yes" : "no");
  else
    snprintf(text, n, "%lld", (long long)fact->count);
  return true;
}

static bool group_value(const struct sp_result *r, const char *key, char *text, size_t n) {
  const struct {
    const char *name;
    const struct sp_facts *facts;
  } groups[] = {
      {"tags.", &r->tags},         {"build.", &r->build},         {"machine.", &r->machine},
      {"model.", &r->model},       {"recording.", &r->recording}, {"load.", &r->load},
      {"server.", &r->server},     {"broker.", &r->broker},       {"delivery.", &r->delivery},
      {"scenario.", &r->scenario},
  };
  if (fact_value(&r->tags, key, text, n)) return true;
  for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
    size_t n_name = strlen(groups[i].name);
    if (strncmp(key, groups[i].name, n_name) == 0 && fact_value(groups[i].facts, key + n_name, text, n))
      return true;
  }
  return fact_value(&r->load, key, text, n);
}

static const json_t *at_path(const json_t *object, const char *path) {
  while (object && *path) {
    size_t n_name = strcspn(path, ".");
    char *name = sp_format("%.*s", (int)n_name, path);
    object = json_object_get(object, name);
    free(name);
    path += n_name + (path[n_name] == '.');
  }
  return object;
}

static bool json_value(const json_t *value, char *text, size_t n) {
  if (json_is_string(value)) {
    set_text(text, n, json_string_value(value));
  } else if (json_is_boolean(value)) {
    snprintf(text, n, "%s", json_is_true(value) ? "yes" : "no");
  } else if (json_is_integer(value)) {
    snprintf(text, n, "%lld", (long long)json_integer_value(value));
  } else if (json_is_real(value)) {
    snprintf(text, n, "%.6g", json_real_value(value));
  } else {
    return false;
  }
  return true;
}

static bool resolved_value(const struct sp_result *r, const char *key, char *text, size_t n) {
  const struct sp_fact *fact = sp_facts_find(&r->scenario, "resolved");
  if (!fact || fact->kind != SP_FACT_JSON) return false;
  json_t *resolved = json_loads(fact->text, 0, NULL);
  const json_t *side = r->side ? json_object_get(json_object_get(resolved, "sides"), r->side) : NULL;
  bool is_known = json_value(at_path(side, key), text, n) || json_value(at_path(resolved, key), text, n) ||
                  json_value(at_path(json_object_get(resolved, "load"), key), text, n);
  json_decref(resolved);
  return is_known;
}

bool sp_by_value(const struct sp_result *result, const char *key, char *text, size_t n) {
  const struct {
    const char *key, *value;
  } own[] = {{"side", result->side}, {"path", result->path}, {"transport", result->transport}};
  for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
    if (strcmp(key, own[i].key) == 0 && own[i].value) return set_text(text, n, own[i].value), true;
  }
  if (group_value(result, key, text, n) || resolved_value(result, key, text, n)) return true;
  snprintf(text, n, "-");
  return false;
}

int sp_by_compare(const char *a, const char *b) {
  char *a_end, *b_end;
  double x = strtod(a, &a_end), y = strtod(b, &b_end);
  bool are_numbers = a_end != a && b_end != b && isfinite(x) && isfinite(y) && strcmp(a_end, b_end) == 0;
  if (are_numbers && x != y) return (x > y) - (x < y);
  return strcmp(a, b);
}
