// What is refused, and side after side.
#include "decide/search_sides.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/units.h"
#include "decide/earlier.h"
#include "decide/search_forms.h"
#include "decide/search_json.h"
#include "decide/search_probe.h"
#include "os/files.h"
#include "trial/shared_broker.h"

// --- Refused ---

static enum sp_err check_load(const struct sp_load_conf *load, struct sp_error *error) {
  if (load->arrival == SP_ARRIVAL_CLOSED)
    return sp_fail(error, SP_ERR_USAGE,
                   "load.arrival: closed waits for answers, so that it has neither an offered rate nor "
                   "response times; search with --arrival poisson");
  if (load->arrival == SP_ARRIVAL_STEP || load->arrival == SP_ARRIVAL_RAMP ||
      load->arrival == SP_ARRIVAL_BURST)
    return sp_fail(
        error, SP_ERR_USAGE,
        "load.arrival: %s offers more than one rate; search with --arrival poisson, constant or trace",
        sp_arrival_name(load->arrival));
  if (load->arrival == SP_ARRIVAL_TRACE && load->speed > 0)
    return sp_fail(
        error, SP_ERR_USAGE,
        "load.speed: %g fixes the rate that is searched for; leave it out, so that the recording's "
        "times are scaled to each rate",
        load->speed);
  if (load->only != SP_ONLY_BOTH || load->shard || load->start_at)
    return sp_fail(error, SP_ERR_USAGE, "load.%s: search needs the whole driver in one place; leave it out",
                   load->only != SP_ONLY_BOTH ? "only"
                   : load->shard              ? "shard"
                                              : "start_at");
  if (load->limit)
    return sp_fail(error, SP_ERR_USAGE,
                   "load.limit: %llu would cut trials short; leave it out (--probe says how long they are)",
                   (unsigned long long)load->limit);
  return SP_OK;
}

static double from_of(const struct sp_searches_plan *plan) {
  const struct sp_search_options *options = &plan->options;
  return sp_search_round(options->from_per_s > 0 ? options->from_per_s
                                                 : sp_rate_per_s(&plan->scenario->load.rate));
}
static double most_of(const struct sp_searches_plan *plan) {
  return plan->options.to_per_s > 0 ? plan->options.to_per_s : SP_SEARCH_MOST_PER_S;
}

// The lowest rate whose longest trial has enough events for its highest percentile.
static double least_of(const struct sp_searches_plan *plan, const struct sp_search_slo *slo) {
  double longest_s = fmax((double)SP_SEARCH_LONGEST_NS, (double)plan->options.probe_ns) * 1e-9;
  return (double)sp_search_slo_events(slo) / longest_s;
}

static enum sp_err check_rates(const struct sp_searches_plan *plan, struct sp_error *error) {
  double from = from_of(plan);
  if (from > most_of(plan))
    return sp_fail(error, SP_ERR_USAGE, "--from %g/s lies above the highest rate, %g/s; see --to", from,
                   most_of(plan));
  for (size_t i = 0; i < plan->n_sides; i++) {
    struct sp_search_slo slo;
    char text[160];
    sp_search_slo_of(&plan->scenario->expect, plan->sides[i], &slo);
    if (from >= least_of(plan, &slo)) continue;
    return sp_fail(
        error, SP_ERR_USAGE,
        "--from %g/s: a trial of %lld s is too short to judge %s; use --from %.0f/s, or a longer --probe",
        from, (long long)(sp_search_duration_ns(&slo, &plan->options, from) / SP_NS_PER_S),
        sp_search_slo_text(&slo, text, sizeof text), ceil(least_of(plan, &slo)));
  }
  return SP_OK;
}

enum sp_err sp_searches_check(const struct sp_searches_plan *plan, struct sp_error *error) {
  enum sp_err err = check_load(&plan->scenario->load, error);
  if (err) return err;
  bool is_mock = false;
  for (size_t i = 0; i < plan->n_sides; i++)
    is_mock |= strcmp(sp_scenario_way(plan->scenario, plan->sides[i]), "mock") == 0;
  if (is_mock)
    return sp_fail(
        error, SP_ERR_INVALID,
        "stream.broker: the mock's times are an artefact of its fetch timer, so that no rate can be "
        "judged; use --broker kafka, or --transport direct");
  return check_rates(plan, error);
}

// --- Side after side ---

struct going {
  const struct sp_searches_plan *plan;
  struct sp_searches *searches;
  struct sp_search_prober prober;
  struct sp_trial_plan broker_plan;
  struct sp_shared_broker broker;
};

// Not before the first trial that has to be run. It is warmed up at the rate that the search begins with.
static enum sp_err need_broker(void *context, struct sp_error *error) {
  struct going *going = context;
  const struct sp_searches_plan *plan = going->plan;
  const struct sp_side *side = going->prober.side->side;
  if (going->prober.broker || !sp_shared_broker_is_wanted(plan->scenario, side)) return SP_OK;
  going->broker_plan.side = side;
  char rate[SP_UNITS_TEXT_BYTES];
  snprintf(rate, sizeof rate, "%.10g/s", from_of(plan));
  const struct sp_setting setting = {"load.rate", rate, "warm-up"};
  struct sp_trial_plan warm_up = going->broker_plan;
  warm_up.settings = &setting;
  warm_up.n_settings = 1;
  enum sp_err err = sp_shared_broker_start(&going->broker_plan, plan->supervisor, &going->broker, error);
  if (err) return err;
  going->prober.broker = &going->broker.broker;
  return sp_shared_broker_warm_up(&warm_up, plan->supervisor, &going->broker, SP_SHARED_BROKER_WARMUP_NS,
                                  error);
}

// After each trial: whatever ends us then, what is known lies there.
static void after_trial(const struct going *going) {
  struct sp_error ignored; // the last writing tells
  sp_searches_write(going->plan, going->searches, &ignored);
  if (going->plan->probed) going->plan->probed(going->prober.side);
}

static enum sp_err probe(void *context, double rate_per_s, uint64_t seed, struct sp_probe_outcome *outcome,
                         struct sp_error *error) {
  struct going *going = context;
  return sp_search_probe_live(&going->prober, rate_per_s, seed, outcome, error);
}

static void asked(void *context) {
  after_trial(context);
}

static double cost_at_low(const struct sp_side_search *side) {
  double cost = NAN;
  for (size_t i = 0; i < side->n_probed; i++) {
    const struct sp_search_probed *probed = &side->probed[i];
    if (probed->outcome.verdict == SP_PROBE_PASSED && probed->rate_per_s == side->search.low_per_s)
      cost = probed->cpu_us_per_event; // us an event are seconds a million
  }
  return cost;
}

static enum sp_err search_side(struct going *going, struct sp_side_search *side, struct sp_error *error) {
  const struct sp_searches_plan *plan = going->plan;
  struct sp_search_plan search = {.from_per_s = from_of(plan),
                                  .least_per_s = least_of(plan, &side->slo),
                                  .most_per_s = most_of(plan),
                                  .precision = plan->options.precision,
                                  .first_seed = plan->scenario->load.seed,
                                  .most_trials = SP_SEARCH_TRIALS_MOST,
                                  .probe = probe,
                                  .asked = asked,
                                  .context = going};
  going->prober.side = side;
  enum sp_err err = sp_search_run(&search, &side->search, error);
  side->cpu_s_per_million = cost_at_low(side);
  return err;
}

static void begin(const struct sp_searches_plan *plan, struct sp_searches *searches) {
  time_t now = time(NULL);
  struct tm utc;
  gmtime_r(&now, &utc);
  strftime(searches->started_at, sizeof searches->started_at, "%Y-%m-%dT%H:%M:%SZ", &utc);
  searches->incomplete = sp_copy_text("the search has not ended");
  searches->had_ended = sp_searches_had_ended(plan->out_dir);
  searches->n_sides = plan->n_sides;
  for (size_t i = 0; i < plan->n_sides; i++) {
    struct sp_side_search *side = &searches->sides[i];
    side->side = plan->sides[i];
    side->cpu_s_per_million = NAN;
    side->search.high_per_s = INFINITY;
    sp_search_slo_of(&plan->scenario->expect, side->side, &side->slo);
  }
}

static enum sp_err search_all(struct going *going, struct sp_error *error) {
  const struct sp_searches_plan *plan = going->plan;
  enum sp_err err = SP_OK;
  for (size_t i = 0; i < plan->n_sides && !err; i++)
    err = search_side(going, &going->searches->sides[i], error);
  going->prober.broker = NULL;
  sp_shared_broker_stop(&going->broker_plan, plan->supervisor, &going->broker);
  return err;
}

enum sp_err sp_searches_run(const struct sp_searches_plan *plan, struct sp_searches *searches,
                            struct sp_error *error) {
  struct going going = {.plan = plan,
                        .searches = searches,
                        .prober = {.plan = plan, .need_broker = need_broker, .context = &going},
                        .broker_plan = {.cli = plan->cli,
                                        .scenario = plan->scenario,
                                        .side = plan->sides[0],
                                        .out_dir = plan->out_dir,
                                        .argc = plan->argc,
                                        .argv = plan->argv,
                                        .is_quiet = plan->cli->quiet}};
  struct sp_error ignored;
  int claim;
  enum sp_err err = sp_files_claim(plan->out_dir, &claim, error);
  if (err) return err;
  char *made_of;
  err = sp_earlier_made_of(plan->scenario, &made_of, error);
  going.prober.made_of = made_of;
  begin(plan, searches);
  if (!err) err = sp_searches_write(plan, searches, error);
  if (!err) err = search_all(&going, error);
  free(searches->incomplete);
  searches->incomplete = err ? sp_copy_text(error->text) : NULL;
  if (plan->supervisor->signal) {
    free(searches->incomplete);
    searches->incomplete = sp_format("ended by signal %d", plan->supervisor->signal);
    err = SP_OK;
  }
  enum sp_err written = sp_searches_write(plan, searches, err ? &ignored : error);
  sp_files_release(claim);
  free(made_of);
  return err ? err : written;
}
