// Named facts and amounts.
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "result/custom.h"

static struct sp_fact *set(struct sp_facts *facts, const char *name, enum sp_fact_kind kind) {
  struct sp_fact *fact = NULL;
  for (size_t i = 0; i < facts->n && !fact; i++) {
    if (strcmp(facts->items[i].name, name) == 0) fact = &facts->items[i];
  }
  if (!fact) {
    facts->items = sp_realloc(facts->items, (facts->n + 1) * sizeof *facts->items);
    fact = &facts->items[facts->n++];
    *fact = (struct sp_fact){.name = sp_copy_text(name)};
  }
  free(fact->text);
  *fact = (struct sp_fact){.name = fact->name, .kind = kind};
  return fact;
}

void sp_facts_text(struct sp_facts *facts, const char *name, const char *text) {
  set(facts, name, text ? SP_FACT_TEXT : SP_FACT_NULL)->text = sp_copy_text(text);
}

void sp_facts_count(struct sp_facts *facts, const char *name, int64_t count) {
  set(facts, name, SP_FACT_COUNT)->count = count;
}

void sp_facts_real(struct sp_facts *facts, const char *name, double real) {
  set(facts, name, isfinite(real) ? SP_FACT_REAL : SP_FACT_NULL)->real = real;
}

void sp_facts_flag(struct sp_facts *facts, const char *name, bool flag) {
  set(facts, name, SP_FACT_FLAG)->count = flag;
}

void sp_facts_json(struct sp_facts *facts, const char *name, const char *json) {
  json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
  SP_ASSERT(value);
  json_decref(value);
  set(facts, name, SP_FACT_JSON)->text = sp_copy_text(json);
}

const struct sp_fact *sp_facts_find(const struct sp_facts *facts, const char *name) {
  for (size_t i = 0; i < facts->n; i++) {
    if (strcmp(facts->items[i].name, name) == 0) return &facts->items[i];
  }
  return NULL;
}

const char *sp_facts_text_of(const struct sp_facts *facts, const char *name, const char *standard) {
  const struct sp_fact *fact = sp_facts_find(facts, name);
  return fact && fact->kind == SP_FACT_TEXT ? fact->text : standard;
}

double sp_facts_number_of(const struct sp_facts *facts, const char *name) {
  const struct sp_fact *fact = sp_facts_find(facts, name);
  if (!fact) return NAN;
  if (fact->kind == SP_FACT_REAL) return fact->real;
  return fact->kind == SP_FACT_COUNT || fact->kind == SP_FACT_FLAG ? (double)fact->count : NAN;
}

void sp_facts_done(struct sp_facts *facts) {
  for (size_t i = 0; i < facts->n; i++) {
    free(facts->items[i].name);
    free(facts->items[i].text);
  }
  free(facts->items);
  *facts = (struct sp_facts){0};
}

void sp_amounts_set(struct sp_amounts *amounts, const char *name, double value) {
  size_t i = 0;
  while (i < amounts->n && strcmp(amounts->items[i].name, name) != 0) i++;
  SP_ASSERT(i < sizeof amounts->items / sizeof amounts->items[0] &&
            strlen(name) < sizeof amounts->items[0].name);
  if (i == amounts->n) strcpy(amounts->items[amounts->n++].name, name);
  amounts->items[i].value = value;
}

double sp_amounts_get(const struct sp_amounts *amounts, const char *name) {
  for (size_t i = 0; i < amounts->n; i++) {
    if (strcmp(amounts->items[i].name, name) == 0) return amounts->items[i].value;
  }
  return NAN;
}
