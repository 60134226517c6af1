// One line a metric: where its value stands in a result, and how it is written.
#include "result/metric.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/names.h"
#include "base/units.h"

#define LATE_SHARE 0.1 // of a mean: the rest is the driver's own (DESIGN §3.7)
#define DURATION                                                                                             \
  .unit = "ns", .is_time = true, .better = "faster", .worse = "slower", .role = SP_METRIC_EXPLORATORY
#define COST                                                                                                 \
  .unit = "us", .percentile_i = -1, .better = "cheaper", .worse = "dearer", .role = SP_METRIC_EXPLORATORY
#define MEMORY                                                                                               \
  .unit = "bytes", .percentile_i = -1, .better = "smaller", .worse = "larger", .role = SP_METRIC_EXPLORATORY

const struct sp_metric sp_metrics[] = {
    {.name = "response_p50",
     .title = "response p50",
     .unit = "ns",
     .role = SP_METRIC_PRIMARY,
     .is_time = true,
     .better = "faster",
     .worse = "slower",
     .percentile_i = SP_P50},
    {.name = "response_p99",
     .title = "response p99",
     .unit = "ns",
     .role = SP_METRIC_PRIMARY,
     .is_time = true,
     .better = "faster",
     .worse = "slower",
     .percentile_i = SP_P99},
    {.name = "cpu_per_event",
     .title = "cpu per event",
     .unit = "us",
     .role = SP_METRIC_PRIMARY,
     .better = "cheaper",
     .worse = "dearer",
     .percentile_i = -1},
    {.name = "served",
     .title = "served",
     .unit = "share",
     .role = SP_METRIC_GUARD,
     .more_is_better = true,
     .better = "higher",
     .worse = "lower",
     .percentile_i = -1},
    {.name = "response_mean", .title = "response mean", DURATION, .percentile_i = -1},
    {.name = "response_p90", .title = "response p90", DURATION, .percentile_i = SP_P90},
    {.name = "response_p95", .title = "response p95", DURATION, .percentile_i = SP_P95},
    {.name = "response_p99_9", .title = "response p99.9", DURATION, .percentile_i = SP_P99_9},
    {.name = "service_p50", .title = "service p50", DURATION, .percentile_i = SP_P50},
    {.name = "service_p99", .title = "service p99", DURATION, .percentile_i = SP_P99},
    {.name = "cpu_app", .title = "cpu app", COST},
    {.name = "cpu_server", .title = "cpu server", COST},
    {.name = "cpu_broker", .title = "cpu broker", COST},
    {.name = "achieved",
     .title = "achieved",
     .unit = "/s",
     .role = SP_METRIC_EXPLORATORY,
     .more_is_better = true,
     .better = "higher",
     .worse = "lower",
     .percentile_i = -1},
    {.name = "rss_app", .title = "memory app", MEMORY},
    {.name = "rss_server", .title = "memory server", MEMORY},
};
const size_t sp_n_metrics = sizeof sp_metrics / sizeof sp_metrics[0];

const struct sp_metric *sp_metric_find(const char *name) {
  for (size_t i = 0; i < sp_n_metrics; i++) {
    if (strcmp(sp_metrics[i].name, name) == 0) return &sp_metrics[i];
  }
  return NULL;
}

const char *sp_metric_nearest(const char *name) {
  const char *names[sizeof sp_metrics / sizeof sp_metrics[0]];
  for (size_t i = 0; i < sp_n_metrics; i++) names[i] = sp_metrics[i].name;
  return sp_names_nearest(name, names, sp_n_metrics);
}

const char *sp_metric_state_name(enum sp_metric_state state) {
  static const char *const names[SP_METRIC_STATE_COUNT] = {
      [SP_METRIC_OK] = "ok",
      [SP_METRIC_ABSENT] = "absent",
      [SP_METRIC_UNRESOLVED] = "unresolved",
      [SP_METRIC_EPISODIC] = "episodic",
      [SP_METRIC_NO_ANSWER] = "no answer",
      [SP_METRIC_DRIVER_LIMITED] = "driver-limited",
      [SP_METRIC_VOID] = "void",
  };
  SP_ASSERT(state >= 0 && state < SP_METRIC_STATE_COUNT);
  return names[state];
}

const char *sp_metric_short_title(const struct sp_metric *metric) {
  static const char response[] = "response ";
  bool is_response = strncmp(metric->title, response, sizeof response - 1) == 0;
  return is_response ? metric->title + sizeof response - 1 : metric->title;
}

// --- Values ---

static double percentile_value(const struct sp_latency *latency, int i, enum sp_metric_state *state) {
  *state = SP_METRIC_ABSENT;
  if (!latency->present) return NAN;
  if (latency->state[i] == SP_PERCENTILE_NO_ANSWER) return *state = SP_METRIC_NO_ANSWER, INFINITY;
  *state = SP_METRIC_UNRESOLVED;
  if (latency->state[i] == SP_PERCENTILE_UNRESOLVED || latency->percentile_ns[i] < 0) return NAN;
  *state = latency->state[i] == SP_PERCENTILE_EPISODIC ? SP_METRIC_EPISODIC
           : latency->driver_limited[i]                ? SP_METRIC_DRIVER_LIMITED
                                                       : SP_METRIC_OK;
  return (double)latency->percentile_ns[i];
}

static double mean_value(const struct sp_result *r, enum sp_metric_state *state) {
  double mean_ns = r->response.mean_ns;
  *state = SP_METRIC_ABSENT;
  if (!r->response.present) return NAN;
  for (int i = 0; i < SP_OUTCOME_COUNT; i++) {
    if (sp_outcome_is_no_answer((enum sp_outcome)i) && r->outcomes[i] > 0)
      return *state = SP_METRIC_NO_ANSWER, INFINITY;
  }
  if (!isfinite(mean_ns) || r->response.count <= 0) return NAN;
  bool is_limited =
      r->response.driver_limited[SP_P50] || r->stages[SP_STAGE_LATENESS].mean_ns > LATE_SHARE * mean_ns;
  *state = is_limited ? SP_METRIC_DRIVER_LIMITED : SP_METRIC_OK;
  return mean_ns;
}

static double figure_value(double value, enum sp_metric_state *state) {
  *state = isfinite(value) ? SP_METRIC_OK : SP_METRIC_ABSENT;
  return isfinite(value) ? value : NAN;
}

static bool starts_with(const char *text, const char *start) {
  return strncmp(text, start, strlen(start)) == 0;
}

static double plain_value(const struct sp_metric *metric, const struct sp_result *r) {
  const char *name = metric->name;
  if (strcmp(name, "cpu_per_event") == 0) return sp_amounts_get(&r->cpu_us_per_event, "total");
  if (strcmp(name, "served") == 0) return 1 - sp_result_not_ok_share(r);
  if (strcmp(name, "achieved") == 0) return r->achieved_per_s;
  if (starts_with(name, "cpu_")) return sp_amounts_get(&r->cpu_us_per_event, name + strlen("cpu_"));
  SP_ASSERT(starts_with(name, "rss_"));
  return sp_amounts_get(&r->rss_bytes, name + strlen("rss_"));
}

double sp_metric_value(const struct sp_metric *metric, const struct sp_result *r,
                       enum sp_metric_state *state) {
  enum sp_metric_state unused;
  if (!state) state = &unused;
  if (metric->is_time && strcmp(sp_facts_text_of(&r->broker, "kind", ""), "mock") == 0)
    return *state = SP_METRIC_VOID, NAN;
  if (metric->percentile_i >= 0) {
    return percentile_value(starts_with(metric->name, "service_") ? &r->service : &r->response,
                            metric->percentile_i, state);
  }
  return metric->is_time ? mean_value(r, state) : figure_value(plain_value(metric, r), state);
}

char *sp_metric_text(const struct sp_metric *metric, double value, char *text, size_t n) {
  if (isnan(value) || value < 0) {
    snprintf(text, n, "-");
  } else if (isinf(value) || value >= 9e18) {
    snprintf(text, n, "no answer");
  } else if (strcmp(metric->unit, "ns") == 0) {
    sp_units_print_duration((int64_t)llround(value), text, n);
  } else if (strcmp(metric->unit, "us") == 0) {
    sp_units_print_duration((int64_t)llround(fmin(value * 1e3, 9e18)), text, n);
  } else if (strcmp(metric->unit, "bytes") == 0) {
    sp_units_print_size((uint64_t)llround(value), text, n);
  } else if (strcmp(metric->unit, "share") == 0) {
    sp_units_print_share(value, text, n);
  } else {
    char rate[SP_UNITS_TEXT_BYTES];
    snprintf(text, n, "%s/s", sp_units_print_rate(value, rate, sizeof rate));
  }
  return text;
}

// --- Machines ---

char *sp_machine_fingerprint(const struct sp_result *r) {
  const char *known = sp_facts_text_of(&r->machine, "fingerprint", NULL);
  if (known && *known) return sp_copy_text(known);
  if (!sp_facts_find(&r->machine, "cpu")) return NULL;
  char digest[SP_DIGEST_TEXT_BYTES];
  double gib = round(sp_facts_number_of(&r->machine, "memory_bytes") / (1 << 30));
  char *text = sp_format("%s|%.0f|%.0f|%s|%s|%s", sp_facts_text_of(&r->machine, "cpu", ""),
                         sp_facts_number_of(&r->machine, "cpus"), isnan(gib) ? -1 : gib,
                         sp_facts_text_of(&r->machine, "kernel", ""), sp_facts_text_of(&r->machine, "os", ""),
                         sp_facts_text_of(&r->machine, "hypervisor", ""));
  sp_digest_bytes(sp_bytes_of_text(text), digest);
  free(text);
  return sp_copy_text(digest);
}
