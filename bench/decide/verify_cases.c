// From answers and counts to lines.
#include "decide/verify_cases.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
#include "base/text_stream.h"
#include "base/units.h"

#define JSON_MOST 100

// --- One event ---

enum kind { KIND_VALUE, KIND_NOT_A_NUMBER, KIND_LABEL, KIND_NOT_REFUSED, KIND_ELSE };
static const char *const kind_names[] = {"value", "not a number", "label", "not refused", "else"};

struct difference {
  enum kind kind;
  size_t value_i;
  double expected, got;
};

// The first number of an answer that is not as expected.
static struct difference difference_of(const struct sp_answers *a, size_t event,
                                       const struct sp_expect_conf *expect) {
  const double *got = a->values + event * a->n_values, *expected = a->expected + event * a->n_values;
  if (a->known[event] == 2) return (struct difference){.kind = KIND_NOT_REFUSED};
  if (a->are_labels) return (struct difference){KIND_LABEL, 0, expected[0], got[0]};
  size_t i = sp_answers_first_wrong(a, event, expect->abs, expect->rel);
  if (i == a->n_values)
    return (struct difference){.kind = KIND_ELSE}; // its label, beside a score that is right
  enum kind kind = isnan(got[i]) || isnan(expected[i]) ? KIND_NOT_A_NUMBER : KIND_VALUE;
  return (struct difference){kind, i, expected[i], got[i]};
}

static char *key_text(const struct sp_verify_show *show, size_t event) {
  if (!show->keys || !show->keys[event].data) return sp_copy_text("");
  char *key = sp_printable(show->keys[event].data, show->keys[event].n, 40);
  char *text = sp_format(" (key %s)", key);
  free(key);
  return text;
}

static char *difference_text(const struct difference *d, const struct sp_verify_show *show) {
  const char *tensor = show->scenario->output.tensor;
  bool has_values = show->keys != NULL;
  switch (d->kind) {
  case KIND_VALUE:
    if (has_values)
      return sp_format("%s[%zu]: %.9g instead of %.9g, differs by %.2g", tensor, d->value_i, d->got,
                       d->expected, fabs(d->got - d->expected));
    return sp_format("%s[%zu] differs by %.2g", tensor, d->value_i, fabs(d->got - d->expected));
  case KIND_NOT_A_NUMBER:
    if (isnan(d->got)) return sp_format("%s[%zu] is not a number", tensor, d->value_i);
    return sp_format("%s[%zu] is a number, but none is expected", tensor, d->value_i);
  case KIND_LABEL:
    if (has_values) return sp_format("label %.9g instead of that of score %.9g", d->got, d->expected);
    return sp_copy_text("another label than expected");
  case KIND_NOT_REFUSED: return sp_copy_text("answered, but it should be refused as malformed");
  case KIND_ELSE: break;
  }
  return sp_copy_text("another label than its score gives");
}

// --- Lists of events ---

typedef bool (*sp_is_wanted)(const struct sp_answers *answers, size_t event);

static bool differs(const struct sp_answers *a, size_t event) {
  return a->outcomes[event] == SP_OUTCOME_MISMATCH;
}
static bool is_missing(const struct sp_answers *a, size_t event) {
  return a->outcomes[event] == SP_OUTCOME_LOST || a->outcomes[event] == SP_OUTCOME_SHED;
}
static bool has_copies(const struct sp_answers *a, size_t event) {
  return a->copies[event] > 0;
}

static size_t count_events(const struct sp_answers *a, sp_is_wanted is_wanted) {
  size_t n = 0;
  for (size_t i = 0; i < a->n_events; i++) n += is_wanted(a, i);
  return n;
}

// "3, 17-20, ..." of at most SP_VERIFY_SHOWN ranges.
static char *ranges_text(const struct sp_answers *a, sp_is_wanted is_wanted) {
  size_t n_ranges = 0, length;
  struct sp_text_stream stream;
  FILE *to = sp_text_stream_open(&stream);
  for (size_t i = 0; i < a->n_events; i += length) {
    for (length = 0; i + length < a->n_events && is_wanted(a, i + length);) length++;
    if (length && n_ranges++ == SP_VERIFY_SHOWN) {
      fputs(", ...", to);
      break;
    }
    if (length) fprintf(to, "%s%zu", n_ranges > 1 ? ", " : "", i);
    if (length > 1) fprintf(to, "%s%zu", length > 2 ? "-" : ", ", i + length - 1);
    length += length == 0;
  }
  return sp_text_stream_close(&stream);
}

// --- Cases ---

struct view {
  const struct sp_verify *verify;
  const struct sp_verify_side *side;
  const struct sp_result *result;
  const struct sp_verify_show *show;
};

static const char *events(int64_t n) {
  return n == 1 ? "event" : "events";
}

static void say_differences(const struct view *v, struct sp_case *one) {
  const struct sp_answers *a = &v->side->answers;
  size_t n_shown = 0, n = a->outcomes ? count_events(a, differs) : 0;
  for (size_t i = 0; n && i < a->n_events && n_shown < SP_VERIFY_SHOWN; i++) {
    if (!differs(a, i)) continue;
    struct difference d = difference_of(a, i, &v->show->scenario->expect);
    char *key = key_text(v->show, i), *text = difference_text(&d, v->show);
    sp_case_say(one, SP_CASE_FAILED, "event %zu%s: %s", i, key, text);
    n_shown++;
    free(key);
    free(text);
  }
  if (n > n_shown) sp_case_say(one, SP_CASE_FAILED, "and %zu more", n - n_shown);
  int64_t n_copies = v->result->predictions.mismatched - (int64_t)n;
  if (n_copies > 0)
    sp_case_say(one, SP_CASE_FAILED, "%" PRId64 " further %s", n_copies,
                n_copies == 1 ? "answer to an event differs" : "answers to events differ");
}

// of_malformed: those of malformed events and answers; otherwise all others.
static void say_errors(const struct view *v, struct sp_case *one, bool of_malformed) {
  for (size_t i = 0; i < v->result->n_errors; i++) {
    const struct sp_error_group *e = &v->result->errors[i];
    if ((e->outcome == SP_OUTCOME_MALFORMED) != of_malformed) continue;
    sp_case_say(one, SP_CASE_FAILED, "%s (code %d) %s: %" PRId64 " times, first at event %" PRIu64,
                sp_outcome_name(e->outcome), e->code, e->text, e->count, e->first_event);
  }
}

static void judge_predictions(const struct view *v, struct sp_suite *suite) {
  struct sp_case *one = sp_suite_case(suite, "predictions");
  const int64_t *outcomes = v->result->outcomes;
  int64_t n_wrong = outcomes[SP_OUTCOME_MISMATCH], n_malformed = outcomes[SP_OUTCOME_MALFORMED];
  if (n_wrong || v->result->predictions.mismatched)
    sp_case_say(one, SP_CASE_FAILED, "%" PRId64 " of %zu %s differ from what is expected", n_wrong,
                v->verify->n_events, events((int64_t)v->verify->n_events));
  if (n_malformed)
    sp_case_say(one, SP_CASE_FAILED, "%" PRId64 " of %zu %s malformed", n_malformed, v->verify->n_events,
                events((int64_t)v->verify->n_events));
  say_differences(v, one);
  say_errors(v, one, true);
  int64_t n_unchecked = outcomes[SP_OUTCOME_UNCHECKED];
  if (!v->verify->has_reference)
    sp_case_say(one, SP_CASE_SKIPPED,
                "nothing to compare with; servepath verify --update keeps these answers");
  else if (n_unchecked)
    sp_case_say(one, SP_CASE_FAILED, "nothing is expected of %" PRId64 " %s", n_unchecked,
                events(n_unchecked));
}

// Nothing found its event, although as much came: the mark that it is found by was not copied.
static void say_remedy(const struct view *v, struct sp_case *one) {
  int64_t n_alien = v->result->flags[SP_FLAG_ALIEN];
  if (n_alien && v->result->outcomes[SP_OUTCOME_LOST])
    sp_case_say(one, SP_CASE_FAILED,
                "%" PRId64
                " answers match no event: let the application copy all headers of its input, or say by "
                "what they match (--match key, payload or order)",
                n_alien);
}

static void judge_answered(const struct view *v, struct sp_suite *suite) {
  struct sp_case *one = sp_suite_case(suite, "answered");
  const struct sp_result *r = v->result;
  int64_t n_missing = r->outcomes[SP_OUTCOME_LOST] + r->outcomes[SP_OUTCOME_SHED];
  int64_t n_unsent = (int64_t)v->verify->n_events - r->intended,
          n_filtered = r->outcomes[SP_OUTCOME_FILTERED];
  if (n_missing) {
    char *which = v->side->answers.outcomes ? ranges_text(&v->side->answers, is_missing) : sp_copy_text("?");
    sp_case_say(one, SP_CASE_FAILED, "%" PRId64 " of %zu %s got no answer: %s", n_missing,
                v->verify->n_events, events((int64_t)v->verify->n_events), which);
    free(which);
  }
  say_remedy(v, one);
  say_errors(v, one, false);
  if (n_filtered)
    sp_case_say(one, SP_CASE_FAILED, "%" PRId64 " %s left out (filtered)", n_filtered, events(n_filtered));
  if (r->intended == 0)
    sp_case_say(one, SP_CASE_ERROR, "no event was sent, so that nothing is verified");
  else if (n_unsent > 0)
    sp_case_say(one, SP_CASE_FAILED, "%" PRId64 " %s never sent: those before got no answers", n_unsent,
                n_unsent == 1 ? "event was" : "events were");
  if (!r->complete) sp_case_say(one, SP_CASE_ERROR, "incomplete: %s", r->incomplete);
}

static void judge_duplicates(const struct view *v, struct sp_suite *suite) {
  struct sp_case *one = sp_suite_case(suite, "duplicates");
  int64_t n_copies = v->result->flags[SP_FLAG_DUPLICATE], n_alien = v->result->flags[SP_FLAG_ALIEN];
  if (n_copies) {
    char *which = v->side->answers.copies ? ranges_text(&v->side->answers, has_copies) : sp_copy_text("?");
    sp_case_say(one, SP_CASE_FAILED, "%" PRId64 " %s too many, to: %s", n_copies,
                n_copies == 1 ? "answer" : "answers", which);
    free(which);
  }
  if (n_alien)
    sp_case_say(one, SP_CASE_FAILED, "%" PRId64 " %s no event (alien)", n_alien,
                n_alien == 1 ? "answer matches" : "answers match");
}

// Order within a key is promised only where it was asked for; between partitions nobody can.
static void judge_order(const struct view *v, struct sp_suite *suite) {
  struct sp_case *one = sp_suite_case(suite, "order");
  int64_t n = v->result->flags[SP_FLAG_REORDERED];
  bool is_promised = v->side->keeps_order;
  if (n)
    sp_case_say(one, is_promised ? SP_CASE_FAILED : SP_CASE_PASSED,
                "%" PRId64 " %s after that to a later event of the same key", n,
                n == 1 ? "answer came" : "answers came");
}

static void judge_application(const struct view *v, struct sp_suite *suite) {
  if (!v->result->transport || strcmp(v->result->transport, "kafka") != 0) return;
  struct sp_case *one = sp_suite_case(suite, "application");
  const char *ended = sp_facts_text_of(&v->result->delivery, "app_ended", NULL);
  if (ended) sp_case_say(one, v->side->has_died ? SP_CASE_ERROR : SP_CASE_PASSED, "%s", ended);
}

static void judge_agreement(const struct view *v, struct sp_suite *suite) {
  if (v->side == &v->verify->sides[0]) return;
  struct sp_case *one = sp_suite_case(suite, "agreement");
  if (v->side->n_disagreeing)
    sp_case_say(one, SP_CASE_FAILED, "%zu %s not as %s answered, by up to %.2g", v->side->n_disagreeing,
                v->side->n_disagreeing == 1 ? "answer is" : "answers are", v->verify->sides[0].name,
                v->side->max_difference);
}

void sp_verify_cases(const struct sp_verify *verify, size_t side_i, const struct sp_verify_show *show,
                     struct sp_suite *suite) {
  const struct sp_verify_side *side = &verify->sides[side_i];
  const struct view v = {verify, side, side->result, show};
  *suite = (struct sp_suite){.name = sp_format("%s.%s", show->scenario->name, side->name),
                             .duration_s = side->duration_s};
  if (!side->result) {
    sp_case_say(sp_suite_case(suite, "application"), SP_CASE_ERROR, "%s",
                side->failure ? side->failure : "?");
    return;
  }
  judge_predictions(&v, suite);
  judge_answered(&v, suite);
  judge_duplicates(&v, suite);
  judge_order(&v, suite);
  judge_application(&v, suite);
  judge_agreement(&v, suite);
}

// --- Hiding ---

// What stands between quotes in it, as one sign. In place: it gets no longer.
static void leave_out_quoted(char *text) {
  char *to = text;
  bool is_inside = false;
  for (char *at = text; *at; at++) {
    bool is_quote = *at == '"';
    if (is_quote) is_inside = !is_inside && strchr(at + 1, '"') != NULL;
    if (is_quote || !is_inside) *to++ = *at;
  }
  *to = '\0';
}

void sp_verify_hide(struct sp_verify *verify) {
  for (size_t i = 0; i < verify->n_sides; i++) {
    struct sp_result *r = verify->sides[i].result;
    for (size_t k = 0; r && k < r->n_errors; k++) leave_out_quoted(r->errors[k].text);
    for (size_t k = 0; r && k < r->predictions.n_examples; k++) {
      char *text = r->predictions.examples[k].text, *value = strstr(text, "]: ");
      if (value) strcpy(value, "] differs");
    }
  }
}

// --- For programs ---

static json_t *numbers(const struct sp_answers *a, sp_is_wanted is_wanted) {
  json_t *list = json_array();
  for (size_t i = 0; a->outcomes && i < a->n_events && json_array_size(list) < JSON_MOST; i++) {
    if (is_wanted(a, i)) json_array_append_new(list, json_integer((json_int_t)i));
  }
  return list;
}

static json_t *differences(const struct sp_answers *a, const struct sp_verify_show *show) {
  json_t *list = json_array();
  for (size_t i = 0; a->outcomes && i < a->n_events && json_array_size(list) < JSON_MOST; i++) {
    if (!differs(a, i)) continue;
    struct difference d = difference_of(a, i, &show->scenario->expect);
    double by = fabs(d.got - d.expected);
    char *text = difference_text(&d, show);
    json_array_append_new(list, json_pack("{sI sI ss so ss}", "event", (json_int_t)i, "value",
                                          (json_int_t)d.value_i, "kind", kind_names[d.kind], "difference",
                                          d.kind == KIND_VALUE && isfinite(by) ? json_real(by) : json_null(),
                                          "text", text));
    free(text);
  }
  return list;
}

char *sp_verify_findings_json(const struct sp_verify *verify, size_t side_i,
                              const struct sp_verify_show *show) {
  const struct sp_answers *a = &verify->sides[side_i].answers;
  bool has_events = a->outcomes != NULL;
  json_t *all = json_pack("{so so so sI sI sI}", "differing", differences(a, show), "missing",
                          numbers(a, is_missing), "duplicated", numbers(a, has_copies), "n_differing",
                          (json_int_t)(has_events ? count_events(a, differs) : 0), "n_missing",
                          (json_int_t)(has_events ? count_events(a, is_missing) : 0), "n_duplicated",
                          (json_int_t)(has_events ? count_events(a, has_copies) : 0));
  char *text = json_dumps(all, JSON_COMPACT);
  SP_ASSERT(text != NULL);
  json_decref(all);
  return text;
}
