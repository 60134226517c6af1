// The schedule: checks, the array of instants, and where warm-up ends.
#include "replay/schedule.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "replay/arrivals.h"

#define EVENTS_MAX UINT64_C(1000000000)

static enum sp_err check_times(const struct sp_load_conf *conf, struct sp_error *error) {
  const int64_t longest_ns = INT64_C(365) * 86400 * SP_NS_PER_S;
  if (conf->duration_ns <= 0 || conf->duration_ns > longest_ns)
    return sp_fail(error, SP_ERR_USAGE, "load.duration: %.9g s is no window; write e.g. 10s (at most a year)",
                   (double)conf->duration_ns / 1e9);
  if (conf->warmup_ns < 0 || conf->warmup_ns > longest_ns)
    return sp_fail(error, SP_ERR_USAGE, "load.warmup: %.9g s is no warm-up; write e.g. 2s, or 0s for none",
                   (double)conf->warmup_ns / 1e9);
  return SP_OK;
}

static enum sp_err refuse_size(const struct sp_load_conf *conf, double n_expected, struct sp_error *error) {
  return sp_fail(
      error, SP_ERR_USAGE,
      "load.duration: %.9g s of warm-up and window hold about %.3g events, more than 1e9; lower duration or "
      "rate, or set limit",
      (double)(conf->warmup_ns + conf->duration_ns) / 1e9, n_expected);
}

static enum sp_err refuse_empty(const struct sp_load_conf *conf, const struct sp_schedule *schedule,
                                struct sp_error *error) {
  if (conf->limit && schedule->n_events == conf->limit)
    return sp_fail(
        error, SP_ERR_USAGE,
        "load.limit: all %llu events fall into the warm-up of %.9g s; raise limit, or set warmup to 0s",
        (unsigned long long)conf->limit, (double)conf->warmup_ns / 1e9);
  return sp_fail(
      error, SP_ERR_USAGE,
      "load.duration: no event falls into the window of %.9g s (%zu in the warm-up); raise duration or rate",
      (double)conf->duration_ns / 1e9, schedule->n_events);
}

// Room for `n` instants; what is written later is also what touches it.
static bool reserve(struct sp_schedule *schedule, size_t n) {
  int64_t *grown = realloc(schedule->intended_ns, n * sizeof *grown);
  if (!grown) return false;
  schedule->intended_ns = grown;
  return true;
}

static enum sp_err fill(struct sp_schedule *schedule, struct sp_arrivals *arrivals, uint64_t limit,
                        struct sp_error *error) {
  size_t capacity = 0;
  int64_t last_ns = 0;
  for (uint64_t k = 0;; k++) {
    int64_t instant_ns = sp_arrivals_instant(arrivals, k);
    SP_ASSERT(instant_ns >= last_ns);
    if (instant_ns >= schedule->t1_ns) return SP_OK;
    if (limit && k == limit) { // the window ends where the next event would have been
      schedule->t1_ns = instant_ns > last_ns ? instant_ns : last_ns + 1;
      return SP_OK;
    }
    if (k == EVENTS_MAX)
      return sp_fail(error, SP_ERR_USAGE, "load.duration: more than 1e9 events; lower it, or set limit");
    if (k == capacity) {
      capacity = capacity ? capacity * 2 : 4096;
      if (!reserve(schedule, capacity))
        return sp_fail(error, SP_ERR_ENVIRONMENT,
                       "no memory for a schedule of %zu events (%s); lower duration or rate", capacity,
                       strerror(ENOMEM));
    }
    schedule->intended_ns[k] = last_ns = instant_ns;
    schedule->n_events++;
    if (instant_ns < schedule->t0_ns) schedule->n_warmup++;
  }
}

static enum sp_err plan_open(struct sp_schedule *schedule, const struct sp_load_conf *conf,
                             const struct sp_recording *recording, struct sp_error *error) {
  struct sp_arrivals arrivals = {0};
  enum sp_err err = sp_arrivals_init(&arrivals, conf, recording, error);
  if (err != SP_OK) return err;
  bool is_limited = conf->limit && conf->limit <= EVENTS_MAX;
  if (!is_limited && arrivals.n_expected > 1.01 * (double)EVENTS_MAX)
    return refuse_size(conf, arrivals.n_expected, error);
  err = fill(schedule, &arrivals, conf->limit, error);
  if (err != SP_OK) return err;
  if (schedule->n_events == schedule->n_warmup) return refuse_empty(conf, schedule, error);
  SP_ASSERT(reserve(schedule, schedule->n_events)); // gives back what doubling took too much
  return SP_OK;
}

static enum sp_err plan_closed(struct sp_schedule *schedule, const struct sp_load_conf *conf,
                               struct sp_error *error) {
  if (conf->concurrency == 0 || conf->concurrency > 1000000)
    return sp_fail(error, SP_ERR_USAGE, "load.concurrency: %llu events in flight; write 1 to 1000000",
                   (unsigned long long)conf->concurrency);
  double most = (double)(conf->warmup_ns + conf->duration_ns) / 1e9 * SP_CLOSED_EVENTS_PER_S_MAX;
  uint64_t n = most < (double)EVENTS_MAX ? (uint64_t)most + conf->concurrency : EVENTS_MAX;
  schedule->n_events = conf->limit && conf->limit < n ? conf->limit : n;
  return SP_OK;
}

enum sp_err sp_schedule_new(const struct sp_load_conf *conf, const struct sp_recording *recording,
                            struct sp_schedule **schedule, struct sp_error *error) {
  *schedule = NULL;
  enum sp_err err = check_times(conf, error);
  if (err != SP_OK) return err;
  struct sp_schedule *planned = sp_alloc(sizeof *planned);
  planned->t0_ns = conf->warmup_ns;
  planned->t1_ns = conf->warmup_ns + conf->duration_ns;
  err = conf->arrival == SP_ARRIVAL_CLOSED ? plan_closed(planned, conf, error)
                                           : plan_open(planned, conf, recording, error);
  if (err != SP_OK) {
    sp_schedule_free(planned);
    return err;
  }
  *schedule = planned;
  return SP_OK;
}

void sp_schedule_free(struct sp_schedule *schedule) {
  if (!schedule) return;
  free(schedule->intended_ns);
  free(schedule);
}
