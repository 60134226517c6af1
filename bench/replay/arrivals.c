// Arrivals by chance (poisson) and by the recording (trace), and the choice among all of them.
#include "replay/arrivals.h"

#include <math.h>

static double total_ns(const struct sp_load_conf *conf) {
  return (double)conf->warmup_ns + (double)conf->duration_ns;
}

static void poisson_init(struct sp_poisson *poisson, const struct sp_load_conf *conf, double *n_expected) {
  poisson->mean_gap = (double)conf->rate.per_ns / (double)conf->rate.n * 0x1p16;
  poisson->sum = 0;
  sp_prng_init(&poisson->prng, conf->seed, SP_PRNG_SCHEDULE);
  *n_expected = total_ns(conf) * (double)conf->rate.n / (double)conf->rate.per_ns;
}

static int64_t poisson_instant(struct sp_poisson *poisson) {
  poisson->sum += (sp_u128)(sp_prng_exponential(&poisson->prng) * poisson->mean_gap + 0.5);
  return (int64_t)(poisson->sum >> 16);
}

static enum sp_err check_trace(const struct sp_load_conf *conf, const struct sp_recording *recording,
                               uint64_t span_ns, struct sp_error *error) {
  if (!recording->header.times_are_real)
    return sp_fail(error, SP_ERR_USAGE,
                   "load.arrival: trace needs a recording with real times, and \"%s\" says that its times "
                   "are not; write "
                   "poisson or constant",
                   recording->header.name);
  if (span_ns == 0)
    return sp_fail(error, SP_ERR_USAGE,
                   "load.arrival: trace needs gaps, and all %zu events of \"%s\" have one time; write "
                   "poisson or constant",
                   recording->n_events, recording->header.name);
  if (!(conf->speed >= 0 && conf->speed <= 1e9) || (conf->speed > 0 && conf->speed < 1e-9))
    return sp_fail(error, SP_ERR_USAGE,
                   "load.speed: %g is out of range; write 1e-9 to 1e9, or 0 to scale to load.rate",
                   conf->speed);
  return SP_OK;
}

// A speed is taken to nine decimals, so that 0.1 means one tenth.
static void set_scale(struct sp_trace *trace, const struct sp_load_conf *conf) {
  uint64_t n_gaps = trace->recording->n_events - 1;
  if (conf->speed > 0) {
    trace->mul = 1000000000;
    trace->div = (sp_u128)llround(conf->speed * 1e9) * n_gaps;
  } else { // mean gap span / n_gaps becomes per_ns / n
    trace->mul = conf->rate.per_ns;
    trace->div = (sp_u128)conf->rate.n * trace->span_ns;
  }
}

static enum sp_err trace_init(struct sp_trace *trace, const struct sp_load_conf *conf,
                              const struct sp_recording *recording, double *n_expected,
                              struct sp_error *error) {
  SP_ASSERT(recording && recording->n_events > 0);
  trace->recording = recording;
  trace->span_ns = recording->events[recording->n_events - 1].offset_ns - recording->events[0].offset_ns;
  enum sp_err err = check_trace(conf, recording, trace->span_ns, error);
  if (err != SP_OK) return err;
  set_scale(trace, conf);
  double mean_gap_ns = (double)trace->span_ns * (double)trace->mul / (double)trace->div;
  *n_expected = total_ns(conf) / mean_gap_ns;
  // Every product below stays under (total + one repetition) × div, which must fit 127 bits.
  double repetition_ns = mean_gap_ns * (double)recording->n_events;
  if ((total_ns(conf) + 2 * repetition_ns) * (double)trace->div > 0x1p126)
    return sp_fail(
        error, SP_ERR_USAGE,
        "load.speed: %g over a recording of %.0f s is too long for exact arithmetic; raise speed or rate",
        conf->speed, (double)trace->span_ns / 1e9);
  return SP_OK;
}

static int64_t trace_instant(const struct sp_trace *trace, uint64_t k) {
  const struct sp_recording *recording = trace->recording;
  uint64_t n = recording->n_events, repetition = k / n;
  uint64_t offset_ns = recording->events[k % n].offset_ns - recording->events[0].offset_ns;
  sp_u128 gaps = (sp_u128)offset_ns * (n - 1) + (sp_u128)repetition * n * trace->span_ns;
  sp_u128 instant = gaps * trace->mul / trace->div;
  return instant > INT64_MAX ? INT64_MAX : (int64_t)instant;
}

enum sp_err sp_arrivals_init(struct sp_arrivals *arrivals, const struct sp_load_conf *conf,
                             const struct sp_recording *recording, struct sp_error *error) {
  arrivals->arrival = conf->arrival;
  bool needs_rate = conf->arrival != SP_ARRIVAL_TRACE || conf->speed == 0;
  if (needs_rate && (!conf->rate.n || !conf->rate.per_ns))
    return sp_fail(error, SP_ERR_USAGE, "load.rate: zero events never arrive; write e.g. 1000/s");
  switch ((enum sp_arrival)conf->arrival) {
  case SP_ARRIVAL_POISSON: poisson_init(&arrivals->of.poisson, conf, &arrivals->n_expected); return SP_OK;
  case SP_ARRIVAL_TRACE:
    return trace_init(&arrivals->of.trace, conf, recording, &arrivals->n_expected, error);
  default: return sp_rates_init(&arrivals->of.rates, conf, &arrivals->n_expected, error);
  }
}

int64_t sp_arrivals_instant(struct sp_arrivals *arrivals, uint64_t k) {
  switch ((enum sp_arrival)arrivals->arrival) {
  case SP_ARRIVAL_POISSON: return poisson_instant(&arrivals->of.poisson);
  case SP_ARRIVAL_TRACE: return trace_instant(&arrivals->of.trace, k);
  default: return sp_rates_instant(&arrivals->of.rates, k);
  }
}
