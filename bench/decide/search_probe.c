// Length, settings, folder, trial, and what is kept of its result.
#include "decide/search_probe.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "os/files.h"
#include "os/terminal.h"

#define N_SETTINGS 4
#define KEY_BYTES  256

struct probe {
  struct sp_cli cli; // the user's, with the settings of this trial behind its own
  char texts[N_SETTINGS][SP_UNITS_TEXT_BYTES];
  struct sp_scenario *scenario;
  const struct sp_side *side; // of scenario
  char *dir;
  int64_t duration_ns;
};

int64_t sp_search_duration_ns(const struct sp_search_slo *slo, const struct sp_search_options *options,
                              double rate_per_s) {
  int64_t least_ns = options->probe_ns ? options->probe_ns : SP_SEARCH_PROBE_NS;
  if (!options->probe_ns && slo->backlog_ns > least_ns / SP_SEARCH_BACKLOGS)
    least_ns = slo->backlog_ns < SP_SEARCH_LONGEST_NS / SP_SEARCH_BACKLOGS
                   ? slo->backlog_ns * SP_SEARCH_BACKLOGS
                   : SP_SEARCH_LONGEST_NS;
  int64_t longest_ns = least_ns > SP_SEARCH_LONGEST_NS ? least_ns : SP_SEARCH_LONGEST_NS;
  double events = (double)sp_search_slo_events(slo);
  if (least_ns >= SP_SEARCH_PROBE_NS) events = fmax(events, SP_SEARCH_PROBE_EVENTS);
  double needed_ns = ceil(events / rate_per_s) * (double)SP_NS_PER_S;
  if (needed_ns >= (double)longest_ns) return longest_ns;
  return needed_ns > (double)least_ns ? (int64_t)needed_ns : least_ns;
}

static void lay(struct probe *p, const char *key, const char *value) {
  p->cli.settings[p->cli.n_settings++] = (struct sp_setting){key, value, "search"};
}

static void lay_all(struct probe *p, const struct sp_search_prober *prober, double rate_per_s,
                    uint64_t seed) {
  const struct sp_cli *cli = prober->plan->cli;
  p->cli = *cli;
  p->cli.settings = sp_alloc((cli->n_settings + N_SETTINGS) * sizeof *cli->settings);
  if (cli->n_settings) memcpy(p->cli.settings, cli->settings, cli->n_settings * sizeof *cli->settings);
  snprintf(p->texts[0], sizeof p->texts[0], "%.10g/s", rate_per_s);
  snprintf(p->texts[1], sizeof p->texts[1], "%" PRIu64, seed);
  sp_units_write_duration(p->duration_ns, p->texts[2], sizeof p->texts[2]);
  lay(p, "load.rate", p->texts[0]);
  lay(p, "load.seed", p->texts[1]);
  lay(p, "load.duration", p->texts[2]);
  if (!prober->side->slo.is_standard) return;
  sp_units_write_duration(prober->side->slo.limit_ns[SP_P99], p->texts[3], sizeof p->texts[3]);
  lay(p, "expect.p99", p->texts[3]);
}

static void done(struct probe *p) {
  sp_scenario_free(p->scenario);
  free(p->cli.settings);
  free(p->dir);
}

// Beside the result, which names neither the program's file nor what stands in the recording's.
static char *key_file(const struct probe *p) {
  return sp_format("%s/key", p->dir);
}

static bool is_made_of(const struct probe *p, const char *made_of) {
  char *path = key_file(p), *key = NULL;
  struct sp_error ignored;
  size_t n;
  bool is_so = sp_files_read(path, KEY_BYTES, &key, &n, &ignored) == SP_OK && strcmp(key, made_of) == 0;
  free(key);
  free(path);
  return is_so;
}

// What lies there, if it is this trial, whole; anything else is written over.
static struct sp_result *find(const struct probe *p, const char *made_of) {
  struct sp_result *r = NULL;
  struct sp_error ignored;
  if (!is_made_of(p, made_of) || sp_result_read(p->dir, &r, &ignored)) return NULL;
  bool is_it = r->complete && r->side && strcmp(r->side, p->side->name) == 0 &&
               strcmp(sp_facts_text_of(&r->scenario, "digest", ""), p->scenario->digest) == 0;
  if (is_it) return r;
  sp_result_free(r);
  return NULL;
}

static enum sp_err run(const struct probe *p, const struct sp_search_prober *prober,
                       struct sp_result **result, struct sp_error *error) {
  const struct sp_searches_plan *plan = prober->plan;
  enum sp_err err = prober->need_broker ? prober->need_broker(prober->context, error) : SP_OK;
  struct sp_trial_plan trial = {.cli = &p->cli,
                                .scenario = p->scenario,
                                .side = p->side,
                                .broker = prober->broker,
                                .out_dir = p->dir,
                                .argc = plan->argc,
                                .argv = plan->argv,
                                .is_quiet = plan->cli->quiet || !sp_terminal_is(2)};
  char *path = key_file(p);
  remove(path); // of the trial that is written over
  if (!err && !plan->supervisor->signal) err = sp_trial_run(&trial, plan->supervisor, result, error);
  bool is_whole = !err && !plan->supervisor->signal;
  if (is_whole) err = sp_files_write(path, sp_bytes_of_text(prober->made_of), error);
  free(path);
  if (!plan->supervisor->signal) return err;
  if (!err) sp_result_free(*result);
  *result = NULL;
  return sp_fail(error, SP_ERR_INCONCLUSIVE, "ended by signal %d", plan->supervisor->signal);
}

// --- What is kept ---

static void label(struct sp_side_search *side, const struct sp_result *r) {
  side->is_stub |= sp_result_is_stub(r);
  side->is_emulated |= sp_facts_number_of(&r->server, "emulated_delay_ns") >= 0;
  if (sp_facts_number_of(&r->machine, "co_located") == 1)
    snprintf(side->co_located, sizeof side->co_located, "%s",
             sp_facts_text_of(&r->machine, "co_located_roles", "driver, application and server"));
}

static void keep(struct sp_side_search *side, const struct probe *p, const struct sp_search_probed *known,
                 size_t n_dir, const struct sp_result *r) {
  side->probed = sp_realloc(side->probed, (side->n_probed + 1) * sizeof *side->probed);
  struct sp_search_probed *probed = &side->probed[side->n_probed++];
  *probed = *known;
  probed->dir = sp_copy_text(p->dir + n_dir + 1);
  probed->duration_ns = p->duration_ns;
  probed->intended = r->intended;
  probed->mismatched = r->predictions.mismatched;
  probed->p50_ns = r->response.percentile_ns[SP_P50];
  probed->p99_ns = r->response.percentile_ns[SP_P99];
  probed->backlog_at_t1 = r->backlog_at_t1;
  probed->achieved_per_s = r->achieved_per_s;
  probed->not_ok = sp_result_not_ok_share(r);
  probed->cpu_us_per_event = sp_amounts_get(&r->cpu_us_per_event, "total");
  label(side, r);
}

static void say_length(struct sp_side_search *side, const struct sp_search_options *options,
                       const struct probe *p, double rate_per_s) {
  double events = rate_per_s * (double)p->duration_ns * 1e-9;
  bool is_longest = p->duration_ns >= SP_SEARCH_LONGEST_NS && !(options->probe_ns > SP_SEARCH_LONGEST_NS);
  if (p->duration_ns < SP_SEARCH_PROBE_NS || events < SP_SEARCH_PROBE_EVENTS * 0.999)
    *(is_longest ? &side->is_capped : &side->is_short) = true;
}

// DIR/probes/SIDE/007-4800
static char *dir_of(const struct sp_search_prober *prober, double rate_per_s) {
  return sp_format("%s/probes/%s/%03zu-%.10g", prober->plan->out_dir, prober->side->side->name,
                   prober->side->n_probed + 1, rate_per_s);
}

static enum sp_err refuse_mock(const struct sp_result *r, struct sp_error *error) {
  if (strcmp(sp_facts_text_of(&r->broker, "kind", ""), "mock") != 0) return SP_OK;
  return sp_fail(
      error, SP_ERR_INVALID,
      "search: the broker is the mock, whose times are an artefact of its fetch timer; use --broker "
      "kafka, or --transport direct");
}

enum sp_err sp_search_probe_live(void *context, double rate_per_s, uint64_t seed,
                                 struct sp_probe_outcome *outcome, struct sp_error *error) {
  struct sp_search_prober *prober = context;
  struct sp_side_search *side = prober->side;
  const struct sp_search_options *options = &prober->plan->options;
  struct probe p = {.dir = dir_of(prober, rate_per_s),
                    .duration_ns = sp_search_duration_ns(&side->slo, options, rate_per_s)};
  struct sp_result *r = NULL;
  lay_all(&p, prober, rate_per_s, seed);
  enum sp_err err = sp_cli_load(&p.cli, &p.scenario, error);
  if (!err) p.side = sp_scenario_side(p.scenario, side->side->name);
  if (!err) r = find(&p, prober->made_of);
  bool was_found = r != NULL;
  if (!err && !r) err = run(&p, prober, &r, error);
  SP_ASSERT(err || r);
  if (!err) err = refuse_mock(r, error);
  if (!err) {
    sp_search_judge(&side->slo, r, outcome);
    say_length(side, options, &p, rate_per_s);
    struct sp_search_probed known = {.rate_per_s = rate_per_s,
                                     .seed = seed,
                                     .phase = side->search.rates[side->search.n_rates - 1].phase,
                                     .outcome = *outcome,
                                     .was_found = was_found};
    keep(side, &p, &known, strlen(prober->plan->out_dir), r);
    if (!side->first) {
      side->first = r;
      r = NULL;
    }
  }
  sp_result_free(r);
  done(&p);
  return err;
}
