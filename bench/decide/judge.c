// The order in which a comparison is made.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decide/judge_parts.h"

static void choose_family(struct sp_judging *j) {
  static const char *const of_closed_loop[] = {"cpu_per_event", "achieved"};
  const struct sp_judge_plan *plan = j->plan;
  SP_ASSERT(!plan->family || plan->n_family <= SP_JUDGE_FAMILY_MOST);
  for (size_t i = 0; plan->family && i < plan->n_family; i++) j->family[j->n_family++] = plan->family[i];
  if (plan->family) return;
  for (size_t i = 0; j->is_closed_loop && i < 2; i++)
    j->family[j->n_family++] = sp_metric_find(of_closed_loop[i]);
  for (size_t i = 0; !j->is_closed_loop && i < sp_n_metrics; i++) {
    if (sp_metrics[i].role == SP_METRIC_PRIMARY) j->family[j->n_family++] = &sp_metrics[i];
  }
}

// Of the first check that the trial failed; NULL: it failed none, or none can be helped.
static const char *remedy_of(const struct sp_judge_trial *trial) {
  const struct sp_result *r = trial->result;
  for (size_t i = 0; r && r->complete && i < r->n_checks; i++) {
    if (!r->checks[i].met) return r->checks[i].remedy;
  }
  return NULL;
}

// What would have helped the most of them.
static const char *best_remedy(const struct sp_judging *j) {
  const char *best = "see their reasons and repeat when the machine is quieter";
  size_t most = 0;
  for (size_t i = 0; i < j->n; i++) {
    const char *remedy = remedy_of(&j->trials[i]);
    size_t n = 0;
    for (size_t k = 0; remedy && k < j->n; k++) {
      const char *other = remedy_of(&j->trials[k]);
      n += other && strcmp(other, remedy) == 0;
    }
    if (n > most) most = n, best = remedy;
  }
  return best;
}

// DESIGN §3.9: what is left may be the trials that one side happened to do well in.
static void judge_invalid(struct sp_judging *j) {
  size_t n_all = 0, n_out = 0, most = 0;
  const char *name = "";
  for (size_t s = 0; s < j->c->n_sides; s++) {
    const struct sp_compared_side *side = &j->c->sides[s];
    size_t n = side->n_invalid + side->n_incomplete;
    n_all += side->n_trials;
    n_out += n;
    if (n > most) most = n, name = side->name;
  }
  if (n_out >= SP_JUDGE_LOPSIDED && most == n_out && j->c->n_sides > 1)
    snprintf(
        j->no_verdict, sizeof j->no_verdict,
        "all %zu invalid trials are of %.60s: what is left of it would be a selection; see their reasons",
        n_out, name);
  else if (10 * n_out > n_all)
    snprintf(j->no_verdict, sizeof j->no_verdict, "%zu of %zu trials are invalid, more than a tenth; %.160s",
             n_out, n_all, best_remedy(j));
}

void sp_judge(const struct sp_judge_plan *plan, const struct sp_judge_trial *trials, size_t n,
              struct sp_comparison *c) {
  SP_ASSERT(plan->n_sides >= 1 && plan->n_sides <= SP_COMPARISON_SIDES && plan->reference_i < plan->n_sides);
  struct sp_judging j = {.plan = plan, .trials = trials, .n = n, .c = c};
  sp_judge_table_init(&j.pairs, trials, n, plan->n_sides, false);
  sp_judge_table_init(&j.fresh, trials, n, plan->n_sides, true);
  c->reference_i = plan->reference_i;
  c->n_pairs = j.pairs.n_pairs;
  c->mean_of = plan->mean_of ? plan->mean_of : 1;
  c->alpha = plan->alpha;
  c->delta = plan->delta;
  sp_judge_sides(&j);
  sp_judge_facts(&j);
  choose_family(&j);
  judge_invalid(&j);
  sp_judge_metrics(&j);
  sp_judge_explain(&j);
  sp_judge_remarks(&j);
  c->verdict = sp_judge_sentence(&j);
  c->exit_code = sp_judge_exit_code(&j);
  sp_judge_table_done(&j.pairs);
  sp_judge_table_done(&j.fresh);
}

bool sp_judge_has_concluded(const struct sp_comparison *c) {
  bool has_any = false;
  for (size_t i = 0; i < c->n_metrics; i++) {
    if (!c->metrics[i].is_primary) continue;
    has_any = true;
    if (c->metrics[i].verdict == SP_VERDICT_INCONCLUSIVE) return false;
  }
  return has_any;
}
