// Calls and events by number.
#include "server/which.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

struct sp_which {
  char *what, *text; // for messages
  bool is_of_events, is_once;
  uint64_t every; // 0: numbers
  uint64_t *numbers;
  size_t n_numbers;
  size_t n_events;
  _Atomic uint8_t *is_told; // per event, once bound; `once`: until it was asked for
};

static const struct form {
  const char *start;
  bool is_of_events, is_every;
} forms[] = {
    {"every=", false, true}, {"at=", false, false}, {"every_event=", true, true}, {"at_event=", true, false}};

static const struct form *form_of(const char *text) {
  for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
    if (strncmp(text, forms[i].start, strlen(forms[i].start)) == 0) return &forms[i];
  }
  return NULL;
}

bool sp_which_is(const char *text) {
  return form_of(text) != NULL;
}

static enum sp_err add_number(struct sp_which *which, const struct form *form, const char *part,
                              struct sp_error *error) {
  uint64_t number = 0;
  struct sp_error why;
  if (strcmp(part, "once") == 0 && which->is_of_events && which->n_numbers + which->every > 0) {
    which->is_once = true;
    return SP_OK;
  }
  if (sp_units_parse_count(part, &number, &why))
    return sp_fail(error, SP_ERR_USAGE, "%s: %s: %s", which->what, which->text, why.text);
  if (number == 0 && (form->is_every || !form->is_of_events))
    return sp_fail(error, SP_ERR_USAGE, "%s: %s: %s", which->what, which->text,
                   form->is_every ? "write every=100 or every_event=100" : "calls are counted from 1");
  if (form->is_every && which->every)
    return sp_fail(error, SP_ERR_USAGE, "%s: %s: one number; write a rule for each", which->what,
                   which->text);
  if (form->is_every) {
    which->every = number;
    return SP_OK;
  }
  which->numbers = sp_realloc(which->numbers, (which->n_numbers + 1) * sizeof *which->numbers);
  which->numbers[which->n_numbers++] = number;
  return SP_OK;
}

enum sp_err sp_which_new(const char *what, const char *text, struct sp_which **made, struct sp_error *error) {
  const struct form *form = form_of(text);
  if (!form)
    return sp_fail(error, SP_ERR_USAGE, "%s: %s: write every=100, at=17, every_event=100 or at_event=17",
                   what, text);
  struct sp_which *which = sp_alloc(sizeof *which);
  which->what = sp_copy_text(what);
  which->text = sp_copy_text(text);
  which->is_of_events = form->is_of_events;
  char *copy = sp_copy_text(text + strlen(form->start)), *rest = copy;
  enum sp_err err = SP_OK;
  for (const char *part; !err && (part = strsep(&rest, ","));) err = add_number(which, form, part, error);
  free(copy);
  if (err)
    sp_which_free(which);
  else
    *made = which;
  return err;
}

void sp_which_free(struct sp_which *which) {
  if (!which) return;
  free(which->what);
  free(which->text);
  free(which->numbers);
  free((void *)which->is_told);
  free(which);
}

bool sp_which_is_of_events(const struct sp_which *which) {
  return which->is_of_events;
}

enum sp_err sp_which_bind(struct sp_which *which, size_t n_events, struct sp_error *error) {
  which->n_events = n_events;
  which->is_told = sp_alloc((n_events + 1) * sizeof *which->is_told);
  for (size_t i = 0; which->every && i < n_events; i += which->every) which->is_told[i] = 1;
  for (size_t i = 0; i < which->n_numbers; i++) {
    if (which->numbers[i] >= n_events)
      return sp_fail(error, SP_ERR_USAGE, "%s: %s: the recording has no event %llu; it has %zu, from 0",
                     which->what, which->text, (unsigned long long)which->numbers[i], n_events);
    which->is_told[which->numbers[i]] = 1;
  }
  return SP_OK;
}

static bool holds_for_event(const struct sp_which *which, size_t event) {
  if (event == SP_NO_EVENT) return false;
  SP_ASSERT(which->is_told && event < which->n_events);
  if (!which->is_once) return atomic_load_explicit(&which->is_told[event], memory_order_relaxed);
  return atomic_exchange_explicit(&which->is_told[event], 0, memory_order_relaxed);
}

bool sp_which_holds(const struct sp_which *which, uint64_t k, size_t event) {
  if (which->is_of_events) return holds_for_event(which, event);
  if (which->every) return k % which->every == 0;
  for (size_t i = 0; i < which->n_numbers; i++) {
    if (which->numbers[i] == k) return true;
  }
  return false;
}
