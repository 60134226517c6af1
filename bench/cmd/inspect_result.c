// Prints all that a result says on one or two screens.
#include "cmd/inspect_result.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
#include "base/units.h"
#include "report/report.h"

// Texts of a result may hold anything.
static void print_row(const char *name, const char *text) {
  if (!text || !*text) return;
  char *printable = sp_printable_text(text);
  printf("%-12s %s\n", name, printable);
  free(printable);
}

static void print_facts(const char *name, const struct sp_facts *facts) {
  bool is_first = true;
  for (size_t i = 0; i < facts->n; i++) {
    const struct sp_fact *fact = &facts->items[i];
    if (!sp_report_is_shown(fact)) continue;
    char *key = sp_printable(fact->name, strlen(fact->name), 60);
    printf("%-12s %s ", is_first ? name : "", key);
    is_first = false;
    free(key);
    char *text = fact->kind == SP_FACT_TEXT ? sp_printable(fact->text, strlen(fact->text), 200) : NULL;
    if (fact->kind == SP_FACT_TEXT)
      printf("%s\n", text);
    else if (fact->kind == SP_FACT_COUNT)
      printf("%" PRId64 "\n", fact->count);
    else if (fact->kind == SP_FACT_REAL)
      printf("%.6g\n", fact->real);
    else
      printf("%s\n", fact->count ? "yes" : "no");
    free(text);
  }
}

// "p99 523µs e d": the marks are explained below the latencies.
static void print_percentile(const struct sp_latency *latency, int i) {
  char value[SP_UNITS_TEXT_BYTES];
  enum sp_percentile_state state = latency->state[i];
  sp_units_print_duration(latency->percentile_ns[i], value, sizeof value);
  const char *text = state == SP_PERCENTILE_NO_ANSWER    ? "no answer"
                     : state == SP_PERCENTILE_UNRESOLVED ? "too few"
                                                         : value;
  bool is_limited = latency->driver_limited[i] && text == value;
  printf("%s %s %s%s%s", i ? "," : "", sp_percentile_name[i], text,
         state == SP_PERCENTILE_EPISODIC ? " e" : "", is_limited ? " d" : "");
}

static void print_latency(const char *name, const struct sp_latency *latency) {
  if (!latency->present) return;
  printf("%-12s", name);
  for (int i = 0; i < SP_PERCENTILES; i++) print_percentile(latency, i);
  printf(" of %" PRId64 "\n", latency->count);
}

static void print_marks(const struct sp_latency *latency) {
  bool is_episodic = false, is_limited = false;
  for (int i = 0; i < SP_PERCENTILES; i++) {
    is_episodic |= latency->state[i] == SP_PERCENTILE_EPISODIC;
    is_limited |= latency->driver_limited[i];
  }
  if (is_episodic) printf("%-12s e: episodic, fewer than 5 different seconds hold what lies above\n", "");
  if (is_limited)
    printf("%-12s d: driver-limited, lateness is over a tenth of it or the driver's core was busy\n", "");
}

// What is not known (a closed loop offers no rate, a killed driver told none) is left out.
static void print_rates(const struct sp_result *r) {
  char text[SP_UNITS_TEXT_BYTES];
  const char *before = "rate         ";
  const struct {
    double per_s;
    const char *what;
  } rates[] = {{r->offered_per_s, "offered"}, {r->achieved_per_s, "achieved"}};
  for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
    if (isnan(rates[i].per_s)) continue;
    printf("%s%s/s %s", before, sp_units_print_rate(rates[i].per_s, text, sizeof text), rates[i].what);
    before = ", ";
  }
  if (!isnan(r->completion)) {
    printf("%s%s answered", before, sp_units_print_share(r->completion, text, sizeof text));
    before = ", ";
  }
  if (*before == ',') printf("\n");
}

static void print_counts(const struct sp_result *r) {
  printf("%-12s %" PRId64 " intended", "events", r->intended);
  for (int i = 1; i < SP_OUTCOME_COUNT; i++) {
    if (r->outcomes[i]) printf(", %" PRId64 " %s", r->outcomes[i], sp_outcome_name((enum sp_outcome)i));
  }
  for (int i = 0; i < SP_FLAG_COUNT; i++) {
    if (r->flags[i]) printf("; %" PRId64 " %s", r->flags[i], sp_flag_name((enum sp_flag)i));
  }
  printf("\n");
  for (size_t i = 0; i < r->n_errors; i++) {
    const struct sp_error_group *group = &r->errors[i];
    char *text = sp_printable(group->text, strlen(group->text), 200);
    printf("%-12s %" PRId64 " x %s (code %d) %s, first at event %" PRIu64 "\n", "", group->count,
           sp_outcome_name(group->outcome), group->code, text, group->first_event);
    free(text);
  }
  print_rates(r);
}

static void print_stages(const struct sp_result *r) {
  const char *name = "stage means";
  for (int i = 0; i < SP_STAGE_COUNT; i++) {
    const struct sp_stage_figures *stage = &r->stages[i];
    if (!stage->present || isnan(stage->mean_ns)) continue;
    char mean[SP_UNITS_TEXT_BYTES];
    printf("%-12s %s %s\n", name, sp_stage_name((enum sp_stage)i),
           sp_units_print_duration((int64_t)stage->mean_ns, mean, sizeof mean));
    name = "";
  }
}

static void print_amounts(const char *name, const struct sp_amounts *amounts, const char *unit) {
  if (amounts->n == 0) return;
  printf("%-12s", name);
  for (size_t i = 0; i < amounts->n; i++) {
    char *of = sp_printable(amounts->items[i].name, strlen(amounts->items[i].name), 24);
    printf("%s %s %.4g%s", i ? "," : "", of, amounts->items[i].value, unit);
    free(of);
  }
  printf("\n");
}

static void print_validity(const struct sp_result *r) {
  bool is_valid = sp_result_is_valid(r);
  printf("%-12s %s\n", "valid", r->complete ? is_valid ? "yes" : "no" : "incomplete");
  if (!r->complete) print_row("", r->incomplete);
  for (size_t i = 0; i < r->n_reasons; i++) print_row("", r->reasons[i]);
  for (size_t i = 0; i < r->n_bounds; i++) {
    static const char *const words[] = {"missed", "met", "not resolved"};
    char *name = sp_printable(r->bounds[i].name, strlen(r->bounds[i].name), 60);
    char value[SP_UNITS_TEXT_BYTES], limit[SP_UNITS_TEXT_BYTES];
    printf("%-12s %s %s, limit %s: %s\n", i ? "" : "bounds", name,
           sp_report_bound_text(&r->bounds[i], r->bounds[i].value, value, sizeof value),
           sp_report_bound_text(&r->bounds[i], r->bounds[i].limit, limit, sizeof limit),
           words[r->bounds[i].met]);
    free(name);
  }
}

// Over the mock broker only the driver's own lateness means anything.
static void print_times(const struct sp_result *r) {
  bool is_mock = strcmp(sp_facts_text_of(&r->broker, "kind", ""), "mock") == 0;
  if (is_mock) {
    print_row("response", "none: the mock broker's latency is an artefact; use --broker kafka");
    print_latency("lateness", &r->lateness);
    return;
  }
  print_latency("response", &r->response);
  print_latency("service", &r->service);
  print_latency("lateness", &r->lateness);
  print_marks(r->closed_loop ? &r->service : &r->response);
  print_stages(r);
}

static void print_text(const struct sp_result *r) {
  print_facts("scenario", &r->scenario);
  printf("\n");
  print_row("side", r->side);
  print_row("path", r->path);
  print_row("transport", r->transport);
  if (r->broker.n) print_facts("broker", &r->broker);
  if (r->delivery.n) print_facts("delivery", &r->delivery);
  print_row("started", r->started_at);
  print_facts("model", &r->model);
  print_facts("recording", &r->recording);
  print_facts("load", &r->load);
  printf("\n");
  print_counts(r);
  print_times(r);
  print_amounts("cpu/event", &r->cpu_us_per_event, "µs");
  print_amounts("cpu", &r->cpu_s, "s");
  if (r->predictions.checked > 0) {
    printf("%-12s %" PRId64 " checked, %" PRId64 " wrong\n", "predictions", r->predictions.checked,
           r->predictions.mismatched);
  }
  print_validity(r);
}

enum sp_err sp_inspect_result(const char *path, bool is_json, struct sp_error *error) {
  struct sp_result *result;
  enum sp_err err = sp_result_read(path, &result, error);
  if (err) return err;
  if (is_json) {
    char *json = sp_result_json(result);
    fputs(json, stdout);
    free(json);
  } else {
    print_text(result);
  }
  sp_result_free(result);
  fprintf(stderr, "next: servepath report %s\n", path);
  return SP_OK;
}
