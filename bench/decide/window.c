// What a percentile needs, against what the schedule will hold.
#include "decide/window.h"

#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/units.h"

#define EXCEEDANCES  20  // DESIGN §3.4
#define LEAST_S      6.0 // five different seconds, and one that may hold none
#define POISSON_ROOM 1.1 // a schedule holds its mean number of events or some fewer

static const struct sp_metric *highest_of(const struct sp_metric *a, const struct sp_metric *b) {
  return b->percentile_i >= 0 && (!a || b->percentile_i > a->percentile_i) ? b : a;
}

static const struct sp_metric *highest_percentile(const struct sp_metric *const *family, size_t n_family) {
  const struct sp_metric *highest = NULL;
  for (size_t i = 0; family && i < n_family; i++) highest = highest_of(highest, family[i]);
  for (size_t i = 0; !family && i < sp_n_metrics; i++) {
    if (sp_metrics[i].role == SP_METRIC_PRIMARY) highest = highest_of(highest, &sp_metrics[i]);
  }
  return highest;
}

static bool has_one_rate(const struct sp_load_conf *load) {
  return load->arrival == SP_ARRIVAL_CONSTANT || load->arrival == SP_ARRIVAL_POISSON ||
         (load->arrival == SP_ARRIVAL_TRACE && load->speed <= 0);
}

char *sp_window_warning(const struct sp_scenario *scenario, const struct sp_metric *const *family,
                        size_t n_family) {
  const struct sp_load_conf *load = &scenario->load;
  const struct sp_metric *metric = highest_percentile(family, n_family);
  double per_s = sp_rate_per_s(&load->rate), seconds = (double)load->duration_ns / (double)SP_NS_PER_S;
  if (!metric || !has_one_rate(load) || per_s <= 0) return NULL;
  double needed = round(EXCEEDANCES / (1 - sp_percentile_q[metric->percentile_i]));
  if (per_s * seconds >= needed && seconds >= LEAST_S) return NULL;
  char duration[SP_UNITS_TEXT_BYTES], longer[SP_UNITS_TEXT_BYTES], rate[SP_UNITS_TEXT_BYTES];
  char held[SP_UNITS_TEXT_BYTES], count[SP_UNITS_TEXT_BYTES];
  double enough_s = ceil(fmax(LEAST_S, POISSON_ROOM * needed / per_s));
  sp_units_write_duration(load->duration_ns, duration, sizeof duration);
  sp_units_write_duration((int64_t)(enough_s * (double)SP_NS_PER_S), longer, sizeof longer);
  sp_units_write_rate(&load->rate, rate, sizeof rate);
  return sp_format("--duration %s at %s holds some %s events, but a verdict on %s takes %s in at least %g s; "
                   "use --duration %s",
                   duration, rate, sp_units_print_count((uint64_t)(per_s * seconds), held, sizeof held),
                   metric->name, sp_units_print_count((uint64_t)needed, count, sizeof count), LEAST_S,
                   longer);
}
