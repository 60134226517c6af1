// Arrivals whose rate is known: constant, step, ramp, burst. All are one thing: a rate that is linear piece
// by piece, whose integral is solved exactly for each event number.
#include <math.h>

#include "replay/arrivals.h"

static uint64_t greatest_divisor(uint64_t a, uint64_t b) {
  while (b) {
    uint64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

static enum sp_err check_keys(const struct sp_load_conf *conf, struct sp_error *error) {
  static const char *const what[] = {
      [SP_ARRIVAL_STEP] = "step", [SP_ARRIVAL_RAMP] = "ramp", [SP_ARRIVAL_BURST] = "burst"};
  if (conf->arrival == SP_ARRIVAL_CONSTANT) return SP_OK;
  if (!conf->rate_to.n || !conf->rate_to.per_ns)
    return sp_fail(error, SP_ERR_USAGE,
                   "load.rate_to: not set, or zero, but load.arrival is %s; write the %s, e.g. 4000/s",
                   what[conf->arrival],
                   conf->arrival == SP_ARRIVAL_BURST ? "rate inside a burst" : "rate to end with");
  if (conf->arrival == SP_ARRIVAL_STEP && (conf->steps < 2 || conf->steps > 100000))
    return sp_fail(error, SP_ERR_USAGE,
                   "load.steps: %llu is not a number of rates for arrival step; write 2 to 100000",
                   (unsigned long long)conf->steps);
  if (conf->arrival != SP_ARRIVAL_BURST) return SP_OK;
  if (conf->burst_length_ns <= 0 || conf->burst_every_ns < 1000)
    return sp_fail(error, SP_ERR_USAGE,
                   "load.burst_length: %lld ns of every %lld ns is no burst; write e.g. burst_length: 100ms, "
                   "burst_every: 1s",
                   (long long)conf->burst_length_ns, (long long)conf->burst_every_ns);
  if (conf->burst_length_ns > conf->burst_every_ns)
    return sp_fail(error, SP_ERR_USAGE,
                   "load.burst_length: %lld ns is longer than load.burst_every, %lld ns; shorten it",
                   (long long)conf->burst_length_ns, (long long)conf->burst_every_ns);
  return SP_OK;
}

// Both rates over one denominator, doubled so that a ramp's integral is whole, and times steps - 1 so that
// each level is.
static enum sp_err find_unit(struct sp_rates *rates, struct sp_error *error) {
  const struct sp_load_conf *conf = rates->conf;
  struct sp_rate from = conf->rate;
  struct sp_rate to = conf->arrival == SP_ARRIVAL_CONSTANT ? conf->rate : conf->rate_to;
  uint64_t parts = conf->arrival == SP_ARRIVAL_STEP ? conf->steps - 1 : 1;
  uint64_t from_divisor = greatest_divisor(from.n, from.per_ns);
  uint64_t to_divisor = greatest_divisor(to.n, to.per_ns);
  uint64_t from_per = from.per_ns / from_divisor, to_per = to.per_ns / to_divisor;
  uint64_t shared = greatest_divisor(from_per, to_per);
  SP_ASSERT(from_per && to_per && shared); // rates of zero were refused
  long double unit =
      2.0L * (long double)from_per / (long double)shared * (long double)to_per * (long double)parts;
  long double total_ns = (long double)conf->warmup_ns + (long double)conf->duration_ns;
  long double most =
      fmaxl((long double)from.n / (long double)from.per_ns, (long double)to.n / (long double)to.per_ns);
  // The largest figure is 4 × length × events × unit; it must fit 127 bits.
  if (unit * 4 * total_ns * (most * total_ns + 2) > 0x1p126L)
    return sp_fail(error, SP_ERR_USAGE,
                   "load.rate_to: %llu per %llu ns and load.rate, %llu per %llu ns, are too fine for exact "
                   "arithmetic over %.0Lf s; write both per second with fewer digits",
                   (unsigned long long)to.n, (unsigned long long)to.per_ns, (unsigned long long)from.n,
                   (unsigned long long)from.per_ns, total_ns / 1e9L);
  rates->unit_ns = (sp_u128)2 * (from_per / shared) * to_per * parts;
  rates->base = rates->unit_ns / from_per * (from.n / from_divisor);
  rates->other = rates->unit_ns / to_per * (to.n / to_divisor);
  return SP_OK;
}

// Level i of `steps`, from base to other in equal steps; unit_ns holds the factor steps - 1.
static sp_u128 level(const struct sp_rates *rates, uint64_t i) {
  uint64_t last = rates->conf->steps - 1;
  return (rates->base * (last - i) + rates->other * i) / last;
}

// Segment i after warm-up; past the end of the window one of length 0.
static struct sp_rate_segment segment_at(const struct sp_rates *rates, uint64_t i) {
  const struct sp_load_conf *conf = rates->conf;
  int64_t t0 = conf->warmup_ns, whole = conf->duration_ns;
  if (conf->arrival == SP_ARRIVAL_RAMP && i == 0)
    return (struct sp_rate_segment){t0, whole, rates->base, rates->other};
  if (conf->arrival == SP_ARRIVAL_STEP && i < conf->steps) {
    int64_t from = (int64_t)((sp_u128)whole * i / conf->steps);
    int64_t to = (int64_t)((sp_u128)whole * (i + 1) / conf->steps);
    return (struct sp_rate_segment){t0 + from, to - from, level(rates, i), level(rates, i)};
  }
  if (conf->arrival == SP_ARRIVAL_BURST) {
    int64_t start = t0 + (int64_t)(i / 2) * conf->burst_every_ns;
    if (i % 2 == 0) return (struct sp_rate_segment){start, conf->burst_length_ns, rates->other, rates->other};
    return (struct sp_rate_segment){start + conf->burst_length_ns,
                                    conf->burst_every_ns - conf->burst_length_ns, rates->base, rates->base};
  }
  if (conf->arrival == SP_ARRIVAL_CONSTANT && i == 0)
    return (struct sp_rate_segment){t0, whole, rates->base, rates->base};
  return (struct sp_rate_segment){t0 + whole, 0, 0, 0};
}

static void enter(struct sp_rates *rates, struct sp_rate_segment segment) {
  rates->segment = segment;
  sp_u128 length_ns = (uint64_t)segment.length_ns;
  rates->in_segment = (segment.from + segment.to) * length_ns / 2;
}

// The largest t with from × t + (to - from) t² / (2 length) <= part: an estimate in floating point, then
// corrected by the integers, so that the answer is exact whatever the estimate's last digits are.
static int64_t solve_ramp(const struct sp_rate_segment *segment, sp_u128 part) {
  sp_i128 a = (sp_i128)segment->to - (sp_i128)segment->from;
  sp_i128 b = 2 * (sp_i128)segment->from * segment->length_ns;
  sp_i128 c = 2 * (sp_i128)part * segment->length_ns;
  long double root = sqrtl(fmaxl(0, (long double)b * (long double)b + 4 * (long double)a * (long double)c));
  long double estimate = 2 * (long double)c / ((long double)b + root);
  int64_t t = (int64_t)fminl(fmaxl(0, estimate), (long double)segment->length_ns);
  while (t > 0 && a * t * t + b * t > c) t--;
  while (t < segment->length_ns && a * (t + 1) * (t + 1) + b * (t + 1) <= c) t++;
  return t;
}

int64_t sp_rates_instant(struct sp_rates *rates, uint64_t k) {
  sp_u128 wanted = k * rates->unit_ns;
  SP_ASSERT(wanted >= rates->done);
  while (wanted - rates->done >= rates->in_segment) {
    rates->done += rates->in_segment;
    enter(rates, segment_at(rates, rates->segment_i++));
    if (rates->segment.from == 0) return INT64_MAX;
  }
  const struct sp_rate_segment *segment = &rates->segment;
  sp_u128 part = wanted - rates->done;
  int64_t t = segment->from == segment->to ? (int64_t)(part / segment->from) : solve_ramp(segment, part);
  return segment->start_ns + t;
}

static double expected(const struct sp_rates *rates) {
  const struct sp_load_conf *conf = rates->conf;
  double base = (double)conf->rate.n / (double)conf->rate.per_ns, other = base;
  if (conf->arrival != SP_ARRIVAL_CONSTANT) other = (double)conf->rate_to.n / (double)conf->rate_to.per_ns;
  double share =
      conf->arrival == SP_ARRIVAL_BURST ? (double)conf->burst_length_ns / (double)conf->burst_every_ns : 0.5;
  return base * (double)conf->warmup_ns + (base * (1 - share) + other * share) * (double)conf->duration_ns;
}

enum sp_err sp_rates_init(struct sp_rates *rates, const struct sp_load_conf *conf, double *n_expected,
                          struct sp_error *error) {
  *rates = (struct sp_rates){.conf = conf};
  enum sp_err err = check_keys(conf, error);
  if (err == SP_OK) err = find_unit(rates, error);
  if (err != SP_OK) return err;
  *n_expected = expected(rates);
  enter(rates, (struct sp_rate_segment){0, conf->warmup_ns, rates->base, rates->base});
  return SP_OK;
}
