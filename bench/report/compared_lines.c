// Lines of a comparison: what was compared, where the time goes, what was predicted, what came of it.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text_stream.h"
#include "base/units.h"
#include "report/compared.h"
#include "report/rows.h"

#define SMALL_SHARE 0.02 // of the largest part: smaller ones are summed

// --- What was compared ---

static void print_load(FILE *to, const struct sp_facts *load) {
  char rate[SP_UNITS_TEXT_BYTES];
  const char *arrival = sp_facts_text_of(load, "arrival", NULL);
  double rate_per_s = sp_facts_number_of(load, "rate_per_s"),
         concurrency = sp_facts_number_of(load, "concurrency");
  bool is_closed = arrival && strcmp(arrival, "closed") == 0;
  if (is_closed && concurrency > 0)
    fprintf(to, ", closed loop of %.0f", concurrency);
  else if (rate_per_s > 0 && !is_closed)
    fprintf(to, ", %s/s%s%s", sp_units_print_rate(rate_per_s, rate, sizeof rate), arrival ? " " : "",
            arrival ? arrival : "");
  else if (arrival)
    fprintf(to, ", %s", arrival);
}

static void print_broker(FILE *to, const struct sp_facts *broker) {
  const char *version = sp_facts_text_of(broker, "version", NULL);
  if (broker->n == 0)
    fputs(", direct", to);
  else if (strcmp(sp_facts_text_of(broker, "kind", ""), "mock") == 0)
    fputs(", mock broker", to);
  else
    fprintf(to, ", Kafka%s%s", version ? " " : "", version ? version : "");
}

static void print_length(FILE *to, double duration_s) {
  if (!(duration_s >= 0) || duration_s > 1e9) return;
  long s = lround(duration_s);
  if (s >= 3600)
    fprintf(to, ", %ld h %ld min", s / 3600, s / 60 % 60);
  else if (s >= 60)
    fprintf(to, ", %ld min %ld s", s / 60, s % 60);
  else
    fprintf(to, ", %ld s", s);
}

char *sp_compared_heading(const struct sp_comparison *c) {
  struct sp_text_stream text;
  FILE *to = sp_text_stream_open(&text);
  fputs(sp_facts_text_of(&c->scenario, "name", "-"), to);
  print_load(to, &c->load);
  print_broker(to, &c->broker);
  fprintf(to, ", %zu pair%s", c->n_pairs, c->n_pairs == 1 ? "" : "s");
  if (c->gate.n_fresh) fprintf(to, " and %zu fresh ones", c->gate.n_fresh);
  if (c->mean_of > 1) fprintf(to, " in means of %zu", c->mean_of);
  print_length(to, c->duration_s);
  if (c->gate.is_across_machines) fputs(", across machines", to);
  return sp_text_stream_close(&text);
}

// --- Where the time goes ---

struct part {
  const char *name;
  double ns; // by which the side is slower
};
struct parts {
  struct part items[SP_STAGE_COUNT + 2];
  size_t n;
};

static double or_zero(double value) {
  return isfinite(value) ? value : 0;
}

static void add_part(struct parts *parts, const char *name, double ns) {
  if (ns == 0 || !isfinite(ns)) return;
  parts->items[parts->n++] = (struct part){name, ns};
}

// Whether the time inside the server is known of as good as every event: the parts must add up to the whole.
static bool is_split(const double *ns) {
  double sum_ns = ns[SP_STAGE_SERVER] + ns[SP_STAGE_RPC_OTHER];
  return isfinite(sum_ns) && fabs(sum_ns - ns[SP_STAGE_PREDICT]) <= SMALL_SHARE * ns[SP_STAGE_PREDICT];
}

// An engine in the application does what a server does: what remains of a call is the price of the way there.
static void add_predict(struct parts *parts, const double *reference_ns, const double *side_ns) {
  bool has_reference = is_split(reference_ns), has_side = is_split(side_ns);
  if (!has_reference && !has_side) {
    add_part(parts, "predict", or_zero(side_ns[SP_STAGE_PREDICT]) - or_zero(reference_ns[SP_STAGE_PREDICT]));
    return;
  }
  double engine_ns = or_zero(side_ns[has_side ? SP_STAGE_SERVER : SP_STAGE_PREDICT]),
         reference_engine_ns = or_zero(reference_ns[has_reference ? SP_STAGE_SERVER : SP_STAGE_PREDICT]),
         way_ns = or_zero(side_ns[SP_STAGE_PREDICT]) - engine_ns,
         reference_way_ns = or_zero(reference_ns[SP_STAGE_PREDICT]) - reference_engine_ns;
  add_part(parts, "server", engine_ns - reference_engine_ns);
  add_part(parts, "rpc other", way_ns - reference_way_ns);
}

static int by_size(const void *a, const void *b) {
  double first = fabs(((const struct part *)a)->ns), second = fabs(((const struct part *)b)->ns);
  return (first < second) - (first > second);
}

// Sorted, the small ones summed as "others", before `residual`.
static void tidy(struct parts *parts) {
  double others_ns = 0;
  qsort(parts->items, parts->n, sizeof parts->items[0], by_size);
  size_t n_kept = parts->n;
  while (n_kept > 1 && fabs(parts->items[n_kept - 1].ns) < SMALL_SHARE * fabs(parts->items[0].ns)) {
    others_ns += parts->items[--n_kept].ns;
  }
  if (parts->n - n_kept == 1) return; // it has a name of its own
  parts->n = n_kept;
  add_part(parts, "others", others_ns);
}

static char *print_signed(double ns, char *text, size_t n) {
  char duration[SP_UNITS_TEXT_BYTES];
  int64_t size_ns = (int64_t)llround(fmin(fabs(ns), 9e18));
  sp_units_print_duration(size_ns, duration, sizeof duration);
  snprintf(text, n, "%s%s", size_ns == 0 ? "" : ns < 0 ? "-" : "+", duration);
  return text;
}

static struct parts parts_of(const double *reference_ns, const double *side_ns) {
  struct parts parts = {0};
  for (int i = 0; i < SP_STAGE_SUMMED; i++) {
    if (i == SP_STAGE_PREDICT)
      add_predict(&parts, reference_ns, side_ns);
    else
      add_part(&parts, sp_stage_name((enum sp_stage)i), or_zero(side_ns[i]) - or_zero(reference_ns[i]));
  }
  return parts;
}

// An application of others tells no stages: theirs are unknown, not free.
static bool has_stages(const struct sp_explained *e, bool slow) {
  const double *reference_ns = slow ? e->reference_slow_ns : e->reference_ns,
               *side_ns = slow ? e->side_slow_ns : e->side_ns;
  return isfinite(reference_ns[SP_STAGE_PREDICT]) && isfinite(side_ns[SP_STAGE_PREDICT]);
}

char *sp_compared_why(const struct sp_explained *e, bool slow, char *total) {
  if (!has_stages(e, slow)) return NULL;
  struct parts parts =
      slow ? parts_of(e->reference_slow_ns, e->side_slow_ns) : parts_of(e->reference_ns, e->side_ns);
  char figure[SP_UNITS_TEXT_BYTES + 1];
  double total_ns = slow ? 0 : e->side_total_ns - e->reference_total_ns;
  for (size_t i = 0; i < parts.n && slow; i++) total_ns += parts.items[i].ns;
  if (!parts.n || !isfinite(total_ns)) return NULL;
  tidy(&parts);
  if (!slow) add_part(&parts, "residual", e->residual_ns);
  print_signed(total_ns, total, SP_COMPARED_BYTES);
  char *text = sp_copy_text("");
  for (size_t i = 0; i < parts.n; i++) {
    char *longer = sp_format("%s%s%s %s", text, i ? ", " : "", parts.items[i].name,
                             print_signed(parts.items[i].ns, figure, sizeof figure));
    free(text);
    text = longer;
  }
  return text;
}

// --- Why a metric is undecided ---

// Of many sides each note says whose it is.
static char *titled(const struct sp_comparison *c, size_t side_i, const char *text) {
  return c->n_sides > 2 ? sp_format("%s: %s", sp_compared_side_name(c, side_i), text) : sp_copy_text(text);
}

static char *gate_reason(const struct sp_comparison *c, const struct sp_gate_metric *m) {
  char times[SP_COMPARED_BYTES];
  if (m->why || !isfinite(m->fresh_lower)) return m->why ? sp_copy_text(m->why) : NULL;
  return sp_format("%zu fresh pairs alone: at least %s times worse", c->gate.n_fresh,
                   sp_compared_times(m->fresh_lower, times));
}

bool sp_compared_is_news(const struct sp_comparison *c, const char *remark) {
  return !c->verdict || !strstr(c->verdict, remark);
}

struct reason {
  const char *title;
  char *text; // NULL: nothing to say, or said already
};

static size_t collect_reasons(const struct sp_comparison *c, struct reason *reasons) {
  size_t n = 0;
  for (size_t i = 0; i < c->gate.n_metrics; i++) {
    const struct sp_gate_metric *m = &c->gate.metrics[i];
    reasons[n++] = (struct reason){m->metric->title, gate_reason(c, m)};
  }
  for (size_t i = 0; i < c->n_metrics; i++) {
    const struct sp_compared *m = &c->metrics[i];
    bool is_told = m->why && m->is_primary && !sp_compared_gate_metric(c, m->metric);
    if (is_told && sp_compared_is_news(c, m->why))
      reasons[n++] = (struct reason){m->metric->title, titled(c, m->side_i, m->why)};
  }
  return n;
}

// The titles of all that give the same reason as the first of these n; the others are said with it.
static char *take_titles(struct reason *reasons, size_t n) {
  char *titles = sp_copy_text(reasons[0].title);
  for (size_t i = 1; i < n; i++) {
    if (!reasons[i].text || strcmp(reasons[i].text, reasons[0].text) != 0) continue;
    char *longer = sp_format("%s, %s", titles, reasons[i].title);
    free(titles);
    titles = longer;
    free(reasons[i].text);
    reasons[i].text = NULL;
  }
  return titles;
}

void sp_compared_reasons(const struct sp_comparison *c, sp_compared_note *note, void *context) {
  struct reason *reasons = sp_alloc((c->gate.n_metrics + c->n_metrics + 1) * sizeof *reasons);
  size_t n = collect_reasons(c, reasons);
  for (size_t i = 0; i < n; i++) {
    if (!reasons[i].text) continue;
    char *titles = take_titles(&reasons[i], n - i);
    note(context, titles, reasons[i].text);
    free(titles);
    free(reasons[i].text);
  }
  free(reasons);
}

// --- What was predicted ---

static void print_largest(FILE *to, double largest) {
  if (isfinite(largest)) fprintf(to, " (max %.2g)", largest);
}

static void print_checked(FILE *to, const struct sp_comparison *c) {
  char count[SP_UNITS_TEXT_BYTES], wrong[SP_UNITS_TEXT_BYTES];
  int64_t n_checked = 0, n_mismatched = 0, n_left_out = 0;
  double largest = NAN;
  for (size_t i = 0; i < c->n_sides; i++) {
    n_checked += c->sides[i].n_checked;
    n_mismatched += c->sides[i].n_mismatched;
    n_left_out += c->sides[i].n_mismatched_left_out;
    largest = fmax(largest, c->sides[i].max_abs_error);
  }
  if (n_checked > 0) {
    fprintf(to, "%s checked, %s wrong", sp_units_print_count((uint64_t)n_checked, count, sizeof count),
            sp_units_print_count((uint64_t)n_mismatched, wrong, sizeof wrong));
    print_largest(to, largest);
  } else {
    fputs("none checked", to);
  }
  if (n_left_out > 0)
    fprintf(to, "; %s wrong in trials that do not count",
            sp_units_print_count((uint64_t)n_left_out, wrong, sizeof wrong));
}

char *sp_compared_predictions(const struct sp_comparison *c) {
  char count[SP_UNITS_TEXT_BYTES], differing[SP_UNITS_TEXT_BYTES];
  struct sp_text_stream text;
  FILE *to = sp_text_stream_open(&text);
  print_checked(to, c);
  if (c->predictions.compared > 0) {
    fprintf(to, "; %s compared across sides, %s differ",
            sp_units_print_count((uint64_t)c->predictions.compared, count, sizeof count),
            sp_units_print_count((uint64_t)c->predictions.differing, differing, sizeof differing));
    print_largest(to, c->predictions.max_difference);
  }
  return sp_text_stream_close(&text);
}

// --- What came of it ---

const char *sp_compared_marker(const struct sp_comparison *c) {
  if (!c->complete) return "INCOMPLETE";
  switch (c->gate.verdict) {
  case SP_GATE_PASS: return "PASS";
  case SP_GATE_FAIL: return "FAIL";
  case SP_GATE_INCONCLUSIVE: return "INCONCLUSIVE";
  case SP_GATE_NO_BASELINE: return "NO-BASELINE";
  case SP_GATE_NONE:
  case SP_GATE_VERDICT_COUNT: break;
  }
  switch (c->exit_code) { // DESIGN §4
  case 0: return "COMPARED";
  case 1: return "FAIL";
  case 2: return "INVALID";
  case 4: return "INCONCLUSIVE";
  default: return "ERROR";
  }
}

char *sp_compared_conclusion(const struct sp_comparison *c) {
  const char *said = c->verdict ? c->verdict : c->incomplete ? c->incomplete : "nothing can be said";
  if (!c->complete || sp_compared_is_gate(c)) return sp_format("%s: %s", sp_compared_marker(c), said);
  return sp_copy_text(said);
}
