// What a reader must know beside the figures: what was left out and why, what is wrong, what a mark means.
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
#include "base/units.h"
#include "report/rows.h"

#define ERRORS_SHOWN 3
#define MARKS_SHOWN  3
#define BOUNDS_SHOWN 3

struct notes {
  sp_note_function *note;
  void *context;
};

__attribute__((format(printf, 2, 3))) static void say(const struct notes *notes, const char *format, ...) {
  va_list args;
  char *text;
  va_start(args, format);
  SP_ASSERT(vasprintf(&text, format, args) >= 0);
  va_end(args);
  char *clean = sp_printable_text(text);
  notes->note(notes->context, clean);
  free(clean);
  free(text);
}

static const char *reason_of(const struct sp_result *r) {
  if (r->complete && r->n_reasons) return r->reasons[0];
  return r->incomplete ? r->incomplete : "the run did not end by itself";
}

// The remedy of the first check that was not met.
static const char *remedy_of(const struct sp_result *r) {
  for (size_t i = 0; i < r->n_checks; i++) {
    if (!r->checks[i].met) return r->checks[i].remedy;
  }
  return NULL;
}

static void note_trials(const struct notes *notes, const struct sp_report *report,
                        const struct sp_report_row *row) {
  if (row->n_valid == 0 && row->n_counted > 0) {
    say(notes, "%s %s %s: no valid trial; the figures are those of invalid ones, to find out why", row->name,
        row->via, row->label);
  }
  for (size_t t = 0; t < row->n_trials; t++) {
    const struct sp_report_trial *trial = &report->trials[row->trials[t]];
    const struct sp_result *r = trial->result;
    if (sp_result_is_usable(r)) continue;
    const char *remedy = r->complete ? remedy_of(r) : NULL; // no check explains a trial that was cut off
    say(notes, "%s%s: %s: %s%s%s", r->complete ? "invalid" : "incomplete",
        sp_report_is_counted(row, r) ? "" : ", left out", trial->dir, reason_of(r), remedy ? "; " : "",
        remedy ? remedy : "");
  }
}

static void note_predictions(const struct notes *notes, const struct sp_report *report) {
  uint64_t n_checked = 0, n_mismatched = 0;
  char checked[SP_UNITS_TEXT_BYTES], right[SP_UNITS_TEXT_BYTES];
  for (size_t i = 0; i < report->n_rows; i++) {
    if (report->rows[i].is_stub) continue;
    n_checked += report->rows[i].n_checked > 0 ? (uint64_t)report->rows[i].n_checked : 0;
    n_mismatched += report->rows[i].n_mismatched > 0 ? (uint64_t)report->rows[i].n_mismatched : 0;
  }
  if (n_checked == 0 || n_mismatched > n_checked) return;
  say(notes, "predictions: %s of %s checked answers are as expected",
      sp_units_print_count(n_checked - n_mismatched, right, sizeof right),
      sp_units_print_count(n_checked, checked, sizeof checked));
}

static void note_first_mismatch(const struct notes *notes, const struct sp_report *report,
                                const struct sp_report_row *row) {
  for (size_t t = 0; t < row->n_trials; t++) {
    const struct sp_result *r = report->trials[row->trials[t]].result;
    if (r->predictions.n_examples == 0) continue;
    say(notes, "%s %s %s: wrong answers, event %llu: %s", row->name, row->via, row->label,
        (unsigned long long)r->predictions.examples[0].event, r->predictions.examples[0].text);
    return;
  }
}

static void note_errors(const struct notes *notes, const struct sp_report *report,
                        const struct sp_report_row *row) {
  for (size_t t = 0, n_shown = 0; t < row->n_trials; t++) {
    const struct sp_result *r = report->trials[row->trials[t]].result;
    for (size_t i = 0; i < r->n_errors && n_shown < ERRORS_SHOWN; i++, n_shown++) {
      const struct sp_error_group *e = &r->errors[i];
      char code[16] = "";
      if (e->code) snprintf(code, sizeof code, " %d", e->code);
      say(notes, "%s %s %s: %lld × %s%s: %s (first: event %llu)", row->name, row->via, row->label,
          (long long)e->count, sp_outcome_name(e->outcome), code, e->text,
          (unsigned long long)e->first_event);
    }
  }
}

// What happened to a part meanwhile, as "app 1 killed": without it the figures tell half.
static void note_happenings(const struct notes *notes, const struct sp_report *report,
                            const struct sp_report_row *row) {
  for (size_t t = 0, n_shown = 0; t < row->n_trials; t++) {
    const struct sp_result *r = report->trials[row->trials[t]].result;
    for (size_t i = 0; r->complete && i < r->n_timeline && n_shown < MARKS_SHOWN; i++) {
      const struct sp_timeline_row *second = &r->timeline[i];
      if (!second->mark) continue;
      n_shown++;
      say(notes, "%s %s %s: at %lld s: %s (%s)", row->name, row->via, row->label,
          (long long)second->figures.second, second->mark, report->trials[row->trials[t]].dir);
    }
  }
}

// The state of the percentile that a bound is on; SP_PERCENTILE_UNRESOLVED where it is on none, or there is no response time.
static enum sp_percentile_state state_of(const struct sp_result *r, const struct sp_bound *bound) {
  for (int i = 0; i < SP_PERCENTILES && r->response.present; i++) {
    if (bound->name && strncmp(bound->name, "expect.", 7) == 0 &&
        strcmp(bound->name + 7, sp_percentile_name[i]) == 0)
      return r->response.state[i];
  }
  return SP_PERCENTILE_UNRESOLVED;
}

// A bound on a resolved percentile is open only where the driver's lateness may have made the value.
static const char *why_open(const struct sp_result *r, const struct sp_bound *bound) {
  if (sp_report_is_mock(r)) return "the mock broker's latency is an artefact; use --broker kafka";
  if (r->closed_loop) return "a closed loop has no response time";
  switch (state_of(r, bound)) {
  case SP_PERCENTILE_RESOLVED:
    return "the driver was late, which may have caused it; use a lower --rate, or a quieter machine";
  case SP_PERCENTILE_EPISODIC:
    return "few seconds hold all that is slower; use a longer --duration, or a quieter machine";
  default: return "the percentile is not resolved; use a longer --duration";
  }
}

static void note_bound(const struct notes *notes, const struct sp_report_row *row,
                       const struct sp_report_trial *trial, const struct sp_bound *b) {
  char limit[SP_CELL_BYTES], value[SP_CELL_BYTES];
  sp_report_bound_text(b, b->limit, limit, sizeof limit);
  if (b->met == SP_MET_UNKNOWN) {
    say(notes, "%s %s %s: bound %s is inconclusive: limit %s, but %s (%s)", row->name, row->via, row->label,
        b->name ? b->name : "-", limit, why_open(trial->result, b), trial->dir);
    return;
  }
  if (isnan(b->value))
    snprintf(value, sizeof value, "no answer");
  else
    sp_report_bound_text(b, b->value, value, sizeof value);
  say(notes, "%s %s %s: bound %s missed: %s, limit %s (%s)", row->name, row->via, row->label,
      b->name ? b->name : "-", value, limit, trial->dir);
}

// The first few of a side, and how many more there are: 42 trials may all say the same.
static void note_bounds(const struct notes *notes, const struct sp_report *report,
                        const struct sp_report_row *row, enum sp_met met) {
  size_t n = 0;
  for (size_t t = 0; t < row->n_trials; t++) {
    const struct sp_report_trial *trial = &report->trials[row->trials[t]];
    const struct sp_result *r = trial->result;
    for (size_t i = 0; i < r->n_bounds && sp_report_is_counted(row, r); i++) {
      if (r->bounds[i].met == met && ++n <= BOUNDS_SHOWN) note_bound(notes, row, trial, &r->bounds[i]);
    }
  }
  if (n > BOUNDS_SHOWN) {
    say(notes, "%s %s %s: %zu more bounds %s in its other trials", row->name, row->via, row->label,
        n - BOUNDS_SHOWN, met == SP_MET_NO ? "missed" : "inconclusive");
  }
}

// Rows that look alike in the table.
static void note_namesakes(const struct notes *notes, const struct sp_report *report) {
  char text[SP_REPORT_DIFFERENCE_BYTES];
  for (size_t i = 1; i < report->n_rows; i++) {
    const struct sp_report_row *a = &report->rows[i - 1], *b = &report->rows[i];
    if (sp_report_compare_names(a, b) != 0) continue;
    if (!sp_report_difference(report->trials[a->trials[0]].result, report->trials[b->trials[0]].result, text,
                              sizeof text))
      continue;
    say(notes, "%s %s %s: rows of one name are kept apart, in this order: %s", b->name, b->via, b->label,
        text);
  }
}

// Answers that wait are slow by their guarantee, not by their path.
static void note_transactions(const struct notes *notes, const struct sp_report *report,
                              const struct sp_report_row *row) {
  const struct sp_result *r = report->trials[row->trials[0]].result;
  char interval[SP_UNITS_TEXT_BYTES];
  double interval_ns = sp_facts_number_of(&r->delivery, "commit_interval_ns");
  if (strcmp(sp_facts_text_of(&r->delivery, "mode", ""), "exactly-once") != 0 || isnan(interval_ns)) return;
  say(notes, "%s %s %s: answers wait for their commit, every %s; what is not committed is not collected",
      row->name, row->via, row->label,
      sp_units_print_duration((int64_t)interval_ns, interval, sizeof interval));
}

// What the applications' deaths cost, where some died or the server was asked more than once about an event.
static void note_delivery(const struct notes *notes, const struct sp_report *report,
                          const struct sp_report_row *row) {
  for (size_t t = 0; t < row->n_trials; t++) {
    const struct sp_result *r = report->trials[row->trials[t]].result;
    double n_repeated = sp_facts_number_of(&r->delivery, "rpc_repeated");
    long long n_duplicate = (long long)r->flags[SP_FLAG_DUPLICATE],
              n_lost = (long long)r->outcomes[SP_OUTCOME_LOST];
    char repeated[80] = "";
    if (!r->delivery.n || (n_duplicate == 0 && !(n_repeated > 0))) continue;
    if (n_repeated > 0)
      snprintf(repeated, sizeof repeated, ", %.0f predictions asked of the model server again", n_repeated);
    say(notes, "%s %s %s: %lld duplicates, %lld lost%s (%s)", row->name, row->via, row->label, n_duplicate,
        n_lost, repeated, report->trials[row->trials[t]].dir);
  }
}

// Not a network that was measured.
static void note_delay(const struct notes *notes, const struct sp_report *report,
                       const struct sp_report_row *row) {
  char delay[SP_UNITS_TEXT_BYTES];
  double delay_ns = sp_facts_number_of(&report->trials[row->trials[0]].result->server, "emulated_delay_ns");
  if (isnan(delay_ns)) return;
  say(notes, "%s %s %s: network emulated: a relay added %s to the round trip of each call", row->name,
      row->via, row->label, sp_units_write_duration((int64_t)delay_ns, delay, sizeof delay));
}

static void note_row(const struct notes *notes, const struct sp_report *report,
                     const struct sp_report_row *row) {
  if (row->n_mismatched) note_first_mismatch(notes, report, row);
  note_delay(notes, report, row);
  note_transactions(notes, report, row);
  note_delivery(notes, report, row);
  note_bounds(notes, report, row, SP_MET_NO);
  note_bounds(notes, report, row, SP_MET_UNKNOWN);
  note_happenings(notes, report, row);
  note_errors(notes, report, row);
}

struct marks {
  bool episodic, driver_limited, closed, stub, no_answer, mock, half;
};

static struct marks marks_of(const struct sp_report *report) {
  struct marks marks = {0};
  for (size_t i = 0; i < report->n_rows; i++) {
    const struct sp_report_row *row = &report->rows[i];
    bool is_half = sp_facts_find(&report->trials[row->trials[0]].result->load, "only") != NULL;
    marks.half |= is_half;
    marks.closed |= row->n_counted > 0 && isnan(row->rate_per_s) && !is_half;
    for (int k = SP_P50; k <= SP_P99; k++) {
      if (k == SP_P95) continue;
      marks.episodic |= row->percentiles[k].is_episodic;
      marks.driver_limited |= row->percentiles[k].is_driver_limited;
      marks.no_answer |= row->percentiles[k].n && isinf(row->percentiles[k].max);
    }
  }
  for (size_t i = 0; i < report->n_trials; i++) {
    const struct sp_result *r = report->trials[i].result;
    marks.stub |= sp_result_is_stub(r);
    marks.mock |= sp_report_is_mock(r);
  }
  return marks;
}

static void note_marks(const struct notes *notes, const struct sp_report *report) {
  struct marks marks = marks_of(report);
  if (marks.episodic)
    say(notes, "e episodic: fewer than 5 different seconds hold what lies above; measure longer");
  if (marks.driver_limited) {
    say(notes, "d driver-limited: the driver sent late by more than a tenth of it, or its core was above 80 "
               "%% busy");
  }
  if (marks.no_answer) say(notes, "no answer: so many events got none that the percentile lies among them");
  if (marks.closed) say(notes, "closed loop: the rate is what was achieved, and there is no response time");
  if (marks.half) say(notes, "half a driver: what was only sent or only collected has no response time");
  if (marks.mock) {
    say(notes,
        "mock: librdkafka's mock cluster, for counts, correctness and CPU; its latency is an artefact and "
        "is not shown");
  }
  if (marks.stub) say(notes, "a stub server answered: its answers are no predictions");
}

static const char *co_located_of(const struct sp_result *r) {
  if (sp_facts_number_of(&r->machine, "co_located") != 1) return "";
  return sp_facts_text_of(&r->machine, "co_located_roles", "two of driver, application and server");
}

// Which roles shared a core, once for each placement.
static void note_co_located(const struct notes *notes, const struct sp_report *report) {
  for (size_t i = 0; i < report->n_trials; i++) {
    const struct sp_facts *machine = &report->trials[i].result->machine;
    const char *roles = co_located_of(report->trials[i].result);
    const char *placement = sp_facts_text_of(machine, "placement", "none");
    bool is_new = *roles != '\0';
    for (size_t k = 0; k < i && is_new; k++) {
      const struct sp_result *earlier = report->trials[k].result;
      is_new = strcmp(roles, co_located_of(earlier)) != 0 ||
               strcmp(placement, sp_facts_text_of(&earlier->machine, "placement", "none")) != 0;
    }
    if (is_new) say(notes, "co-located: %s shared a core (placement %s)", roles, placement);
  }
}

// Figures of a machine that does not sleep are not those of one that does.
static void note_awake(const struct notes *notes, const struct sp_report *report) {
  for (size_t i = 0; i < report->n_trials; i++) {
    double latency_ns = sp_facts_number_of(&report->trials[i].result->load, "wake_latency_ns");
    if (isnan(latency_ns)) continue;
    say(notes,
        "wake_latency was set: idle processors slept no deeper than to wake within %.0f µs; in production "
        "they may",
        ceil(latency_ns / 1000));
    return;
  }
}

void sp_report_notes(const struct sp_report *report, sp_note_function *note, void *context) {
  struct notes notes = {note, context};
  size_t n_most = 0;
  for (size_t i = 0; i < report->n_rows; i++) {
    if (report->rows[i].n_counted > n_most) n_most = report->rows[i].n_counted;
  }
  if (n_most > 1) say(&notes, "medians of up to %zu trials; below them: smallest–largest", n_most);
  note_predictions(&notes, report);
  note_namesakes(&notes, report);
  note_marks(&notes, report);
  note_co_located(&notes, report);
  note_awake(&notes, report);
  for (size_t i = 0; i < report->n_rows; i++) note_row(&notes, report, &report->rows[i]);
  for (size_t i = 0; i < report->n_rows; i++) note_trials(&notes, report, &report->rows[i]);
}
