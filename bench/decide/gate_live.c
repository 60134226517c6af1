// Pairs of two programs in turns, fresh ones where a difference must be confirmed; or the candidate's trials alone.
#include "decide/gate_live.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decide/compare.h"
#include "decide/earlier.h"
#include "decide/gate_judge.h"
#include "decide/gate_programs.h"
#include "decide/gate_stored.h"
#include "decide/pairs_live.h"
#include "decide/window.h"

struct live {
  const struct sp_gate_plan *plan;
  struct sp_gate_job *job;
  struct sp_supervisor *supervisor;
  struct sp_gate_programs programs;
  const char *no_baseline; // NULL: there is a base, here or stored
  bool is_alone;           // only the candidate is run
  uint64_t *seeds;         // of a stored base, in the order of its trials; NULL: none
  size_t n_seeds;
  char *key;
  struct sp_look looks[SP_LOOKS_MAX];
  size_t n_looks;
  struct sp_pairs_live view;
  enum sp_err err; // of a look
  struct sp_error *error;
};

static enum sp_err run_trial(void *context, size_t side_i, uint64_t seed, const char *dir,
                             struct sp_result **result, struct sp_error *error) {
  struct live *live = context;
  size_t program_i = live->is_alone ? SP_GATE_CANDIDATE : side_i;
  return sp_gate_programs_run(&live->programs, program_i, seed, dir, result, error);
}

// --- Looking ---

static void collect(struct live *live) {
  struct sp_gate_job *job = live->job;
  size_t n = job->pairs.n_trials + job->fresh.n_trials;
  free(job->trials);
  job->trials = sp_alloc((n + 1) * sizeof *job->trials);
  job->n_trials = 0;
  for (size_t i = 0; i < job->pairs.n_trials; i++) job->trials[job->n_trials++] = job->pairs.trials[i];
  for (size_t i = 0; i < job->fresh.n_trials; i++) job->trials[job->n_trials++] = job->fresh.trials[i];
}

static double alpha_of(const struct live *live) {
  size_t i = 0;
  while (i + 1 < live->n_looks && live->job->pairs.n_pairs > live->looks[i].n_pairs) i++;
  return live->looks[i].alpha;
}

static void judge(struct live *live) {
  collect(live);
  const char *no_baseline = live->is_alone && !live->no_baseline ? "its base is stored" : live->no_baseline;
  sp_gate_judge_now(live->plan, no_baseline, alpha_of(live), live->job);
}

static void after_pair(void *context, const struct sp_pairs *pairs) {
  struct live *live = context;
  bool is_fresh = pairs == &live->job->fresh;
  size_t n_confirm = SP_GATE_FRESH * live->plan->mean_of,
         n_most = is_fresh ? n_confirm : live->looks[live->n_looks - 1].n_pairs;
  if (pairs->was_last_found) return;
  judge(live);
  if (is_fresh && pairs->n_pairs == 1 && !live->plan->is_quiet)
    fprintf(stderr, "worse by more than the margin allows; %zu fresh pairs must agree\n", n_confirm);
  if (is_fresh && pairs->n_pairs > n_most) n_most = SP_GATE_FRESH_MOST * live->plan->mean_of;
  sp_pairs_live_show(&live->view, pairs, live->job->comparison, n_most);
}

static bool is_enough(void *context, const struct sp_pairs *pairs, const struct sp_look *look) {
  struct live *live = context;
  (void)look;
  collect(live);
  live->err = sp_gate_check(live->plan, live->job, !live->is_alone, live->error);
  if (live->err) return true;
  judge(live);
  if (live->is_alone) return false;
  bool wants_fresh = sp_gate_wants_fresh(&live->job->comparison->gate);
  bool is_fresh = pairs == &live->job->fresh; // more of them only where values were missing
  return sp_gate_is_settled(live->job->comparison) || wants_fresh != is_fresh;
}

// --- Pairs ---

static enum sp_err run_pairs(struct live *live, bool is_confirming) {
  const struct sp_gate_plan *plan = live->plan;
  struct sp_look fresh_looks[SP_GATE_FRESH_MOST - SP_GATE_FRESH + 1];
  size_t n_fresh_looks = sizeof fresh_looks / sizeof fresh_looks[0];
  for (size_t i = 0; i < n_fresh_looks; i++)
    fresh_looks[i] = (struct sp_look){(SP_GATE_FRESH + i) * plan->mean_of, alpha_of(live)};
  const struct sp_pairs_plan pairs = {.dir = plan->dir,
                                      .names = live->is_alone ? sp_gate_sides + 1 : sp_gate_sides,
                                      .n_sides = live->is_alone ? 1 : 2,
                                      .first_seed = plan->scenario->load.seed +
                                                    (is_confirming ? SP_PAIRS_FRESH_SEEDS : 0),
                                      .seeds = live->seeds,
                                      .n_seeds = live->n_seeds,
                                      .key = live->key,
                                      .family = plan->family,
                                      .n_family = plan->n_family,
                                      .looks = is_confirming ? fresh_looks : live->looks,
                                      .n_looks = is_confirming ? n_fresh_looks : live->n_looks,
                                      .is_confirming = is_confirming,
                                      .run = run_trial,
                                      .enough = is_enough,
                                      .pair_done = after_pair,
                                      .context = live,
                                      .supervisor = live->supervisor};
  enum sp_err err = sp_pairs_go(&pairs, is_confirming ? &live->job->fresh : &live->job->pairs, live->error);
  return err ? err : live->err;
}

static enum sp_err go_pairs(struct live *live) {
  enum sp_err err = run_pairs(live, false);
  if (err || live->job->pairs.n_trials == 0) return err;
  judge(live);
  bool is_open = !live->supervisor->signal && !sp_gate_is_settled(live->job->comparison);
  if (is_open && sp_gate_wants_fresh(&live->job->comparison->gate)) err = run_pairs(live, true);
  if (!err) judge(live);
  return err;
}

// --- The candidate alone ---

// Its usable trials become stored ones; the others stay for the judge to count.
static void take_candidate(struct sp_gate_job *job) {
  for (size_t i = 0; i < job->pairs.n_trials; i++) {
    struct sp_judge_trial *trial = &job->pairs.trials[i];
    if (!sp_result_is_usable(trial->result) || trial->is_set_aside) continue;
    struct sp_stored *to = &job->candidate;
    to->trials = sp_realloc(to->trials, (to->n + 1) * sizeof *to->trials);
    to->trials[to->n++] =
        (struct sp_stored_trial){sp_copy_text(trial->dir), (struct sp_result *)trial->result, trial->seed};
    trial->result = NULL; // theirs now
  }
}

static enum sp_err go_alone(struct live *live) {
  struct sp_gate_job *job = live->job;
  enum sp_err err = run_pairs(live, false);
  if (err || job->pairs.n_trials == 0) return err;
  judge(live);
  if (live->no_baseline || live->supervisor->signal) return SP_OK;
  take_candidate(job);
  return sp_gate_judge_stored(live->plan, job, live->error);
}

// --- What an earlier call left ---

// A gate over stored trials may have put its verdict there, or one against another stored base.
static bool is_of_these(const struct sp_comparison *c, const struct sp_stored *base) {
  bool has_pairs = false, has_base = base->n == 0;
  for (size_t i = 0; i < c->n_trials; i++) {
    const struct sp_compared_trial *trial = &c->trials[i];
    if (!trial->is_counted) continue;
    has_pairs |= trial->dir && strncmp(trial->dir, "pairs/", 6) == 0;
    has_base |= sp_stored_has(base, trial->run_id);
  }
  return has_pairs && has_base;
}

// The candidate alone is looked at once, and how many pairs that are is known when they are paired with the base.
static void note_looks(const struct live *live) {
  struct sp_gate_job *job = live->job;
  job->goes_on = job->earlier && is_of_these(job->earlier, &job->base);
  if (job->goes_on && !live->is_alone)
    job->unannounced = sp_earlier_unannounced(job->earlier, live->looks, live->n_looks,
                                              live->looks[live->n_looks - 1].n_pairs, live->plan->mean_of);
}

static void note_lone_look(const struct live *live) {
  struct sp_gate_job *job = live->job;
  struct sp_comparison *c = job->comparison;
  const struct sp_look look = {c->n_pairs, c->alpha};
  if (!job->goes_on || live->supervisor->signal) return;
  job->unannounced = sp_earlier_unannounced(job->earlier, &look, 1, live->looks[live->n_looks - 1].n_pairs,
                                            live->plan->mean_of);
  if (job->unannounced) sp_comparison_remark(c, "%s", job->unannounced);
}

// --- From beginning to end ---

// What no pairs would settle: times over the mock broker or in a closed loop.
static enum sp_err check_family(const struct sp_gate_plan *plan, struct sp_error *error) {
  const struct sp_side *const sides[2] = {plan->side, plan->side};
  const struct sp_compare_plan like = {.cli = plan->cli,
                                       .scenario = plan->scenario,
                                       .sides = sides,
                                       .n_sides = 2,
                                       .family = plan->family,
                                       .n_family = plan->n_family};
  return sp_compare_check(&like, error);
}

// Of a base that was kept of a gate with fresh pairs, all are worth a trial: the last ones confirm.
static size_t most_pairs(const struct live *live) {
  size_t n = live->plan->n_pairs, mean_of = live->plan->mean_of;
  if (!live->is_alone) return n ? n : mean_of * SP_GATE_PAIRS_MOST;
  if (n == 0) n = mean_of * (live->n_seeds ? SP_GATE_PAIRS_MOST + SP_GATE_FRESH : SP_GATE_PAIRS_LEAST);
  size_t n_base = live->n_seeds - live->n_seeds % mean_of; // whole means
  return n_base && n_base < n ? n_base : n;
}

// What this very gate kept when it was called before, is no base of it.
static void drop_own(struct live *live) {
  struct sp_stored own = {0};
  struct sp_error ignored; // what cannot be read is run again
  char *dir = sp_format("%s/pairs", live->plan->dir);
  (void)sp_stored_read(dir, live->plan->side->name, &own, &ignored);
  sp_stored_drop(&live->job->base, &own);
  sp_stored_done(&own);
  free(dir);
}

// The schedules of the base, which the candidate is measured by.
static enum sp_err take_base(struct live *live) {
  struct sp_stored *base = &live->job->base;
  enum sp_err err = sp_stored_check_seeds(base, live->error);
  if (err || base->n == 0) return err;
  live->seeds = sp_alloc(base->n * sizeof *live->seeds);
  for (size_t i = 0; i < base->n; i++) live->seeds[live->n_seeds++] = base->trials[i].seed;
  drop_own(live);
  return SP_OK;
}

static enum sp_err find_base(struct live *live, char **no_baseline) {
  const struct sp_gate_plan *plan = live->plan;
  live->is_alone = !plan->base_cmd;
  if (!live->is_alone) return SP_OK;
  enum sp_err err = plan->base_dir
                        ? sp_stored_read(plan->base_dir, plan->side->name, &live->job->base, live->error)
                        : SP_OK;
  if (!err) err = take_base(live);
  if (!err && live->job->base.n == 0)
    *no_baseline = plan->base_dir ? sp_format("%s holds no trials%s to compare with", plan->base_dir,
                                              live->n_seeds ? " but this gate's own" : "")
                                  : sp_copy_text("no base was named (--base-cmd, --base)");
  live->no_baseline = *no_baseline;
  return err;
}

// Before minutes are spent on pairs that come to nothing.
static void warn_of_window(const struct sp_gate_plan *plan) {
  char *warning = sp_window_warning(plan->scenario, plan->family, plan->n_family);
  if (warning && !plan->is_quiet) fprintf(stderr, "warning: %s\n", warning);
  free(warning);
}

enum sp_err sp_gate_go_live(const struct sp_gate_plan *plan, struct sp_supervisor *supervisor,
                            struct sp_gate_job *job, struct sp_error *error) {
  struct live live = {.plan = plan, .job = job, .supervisor = supervisor, .error = error};
  char *no_baseline = NULL;
  enum sp_err err = check_family(plan, error);
  if (!err) err = find_base(&live, &no_baseline);
  if (!err) {
    const struct sp_trial_plan like = {.cli = plan->cli,
                                       .scenario = plan->scenario,
                                       .side = plan->side,
                                       .out_dir = plan->dir,
                                       .is_quiet = plan->is_quiet};
    sp_gate_programs_init(&live.programs, plan->base_cmd, plan->candidate_cmd, live.is_alone, &like,
                          supervisor);
    live.key = sp_gate_programs_key(&live.programs, plan->scenario);
    live.n_looks = sp_judge_looks(most_pairs(&live), plan->mean_of, live.looks);
    note_looks(&live);
    sp_pairs_live_init(&live.view, plan->is_quiet);
    warn_of_window(plan);
    err = live.is_alone ? go_alone(&live) : go_pairs(&live);
    if (!err && live.is_alone && !live.no_baseline && job->comparison) note_lone_look(&live);
  }
  sp_gate_programs_done(&live.programs);
  free(live.seeds);
  free(live.key);
  free(no_baseline);
  return err;
}
