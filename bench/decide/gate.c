// From beginning to end: margins, trials, forms.
#include "decide/gate.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "decide/baseline_keep.h"
#include "decide/earlier.h"
#include "decide/forms.h"
#include "decide/gate_live.h"
#include "decide/gate_stored.h"
#include "os/files.h"

static enum sp_err read_calibration(const struct sp_gate_plan *plan, struct sp_gate_job *job,
                                    struct sp_error *error) {
  if (!plan->calibration_file) return SP_OK;
  return sp_calibration_read(plan->calibration_file, &job->calibration, error);
}

static void add_tags(const struct sp_cli *cli, struct sp_comparison *c) {
  for (size_t i = 0; cli && i < cli->tags.n; i++)
    sp_facts_text(&c->tags, cli->tags.items[i].name, cli->tags.items[i].value);
}

static enum sp_err save(const struct sp_gate_plan *plan, struct sp_gate_job *job, struct sp_error *error) {
  if (!plan->save_dir || !job->comparison->complete) return SP_OK;
  enum sp_gate_verdict verdict = job->comparison->gate.verdict;
  if (verdict == SP_GATE_FAIL) return SP_OK;       // nobody should be compared with it
  bool replaces = verdict != SP_GATE_INCONCLUSIVE; // a base that held is better than one that may be worse
  size_t side_i = job->comparison->n_sides - 1;
  return sp_baseline_keep(job->trials, job->n_trials, side_i, plan->save_dir, replaces, &job->n_saved, error);
}

// What was measured stands there, and decides nothing.
static enum sp_err end_early(const struct sp_gate_plan *plan, int signal, struct sp_comparison *c,
                             struct sp_error *error) {
  char *why = sp_format("ended by signal %d", signal);
  free(c->verdict);
  c->verdict = sp_format("%s after %zu pairs", why, c->n_pairs);
  enum sp_err err = sp_forms_write_incomplete(c, why, 128 + signal, plan->dir, error);
  free(why);
  return err;
}

enum sp_err sp_gate_go(const struct sp_gate_plan *plan, struct sp_supervisor *supervisor,
                       struct sp_gate_job *job, struct sp_error *error) {
  int64_t start_ns = sp_now_ns();
  int claim = -1;
  enum sp_err err = read_calibration(plan, job, error);
  if (!err && plan->scenario) err = sp_files_claim(plan->dir, &claim, error);
  if (!err) job->earlier = sp_earlier_read(plan->dir);
  if (!err)
    err =
        plan->scenario ? sp_gate_go_live(plan, supervisor, job, error) : sp_gate_go_stored(plan, job, error);
  sp_files_release(claim);
  if (err || !job->comparison) return err;
  struct sp_comparison *c = job->comparison;
  double before_s = job->goes_on && !isnan(job->earlier->duration_s) ? job->earlier->duration_s : 0;
  c->duration_s = before_s + (double)(sp_now_ns() - start_ns) * 1e-9;
  c->complete = !supervisor->signal;
  c->gate.inconclusive_fails = plan->inconclusive_fails;
  add_tags(plan->cli, c);
  if (supervisor->signal) return end_early(plan, supervisor->signal, c, error);
  job->is_news = sp_earlier_lacks(job->earlier, c);
  err = sp_files_make_dirs(plan->dir, error);
  if (!err) err = save(plan, job, error);
  return err ? err : sp_forms_write(c, plan->dir, error);
}
