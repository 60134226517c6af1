// What a reader must know beside the figures.
#include <math.h>
#include <string.h>

#include "decide/judge_parts.h"

static void remark_on_side(struct sp_comparison *c, const struct sp_compared_side *side) {
  int64_t n_served = side->outcomes[SP_OUTCOME_OK] + side->outcomes[SP_OUTCOME_UNCHECKED] +
                     side->outcomes[SP_OUTCOME_FILTERED];
  if (side->is_stub)
    sp_comparison_remark(
        c, "%s answers from a stub server: its predictions are no model's, and none were checked",
        side->name);
  if (side->n_invalid + side->n_incomplete > 0)
    sp_comparison_remark(c, "%zu of %zu trials of %s are invalid or came to nothing, and do not count",
                         side->n_invalid + side->n_incomplete, side->n_trials, side->name);
  if (n_served < side->intended)
    sp_comparison_remark(c, "%s did not serve %lld of %lld events", side->name,
                         (long long)(side->intended - n_served), (long long)side->intended);
  if (side->n_bounds_missed > 0)
    sp_comparison_remark(c, "%s missed a bound in %zu of %zu trials", side->name, side->n_bounds_missed,
                         c->n_pairs);
}

// Flags are in no sum of outcomes: who answers twice, or not by its model, would look as good as who does neither.
static void remark_on_flags(struct sp_judging *j, size_t side_i) {
  static const struct {
    enum sp_flag flag;
    const char *what;
  } told[] = {{SP_FLAG_DUPLICATE, "answered twice or more"},
              {SP_FLAG_FALLBACK, "answered by the fallback"},
              {SP_FLAG_ALIEN, "answers that match no event"}};
  for (size_t k = 0; k < sizeof told / sizeof told[0]; k++) {
    int64_t n = 0;
    for (size_t p = 0; p < j->pairs.n_pairs; p++)
      n += sp_judge_cell(&j->pairs, p, side_i)->flags[told[k].flag];
    if (n > 0)
      sp_comparison_remark(j->c, "%s: %lld %s, of %lld events", j->plan->side_names[side_i], (long long)n,
                           told[k].what, (long long)j->c->sides[side_i].intended);
  }
}

// "p99 of rpc is driver-limited in 2 of 12 trials": those pairs are not in its ratio.
static void remark_on_states(struct sp_judging *j, const struct sp_metric *metric, size_t side_i) {
  size_t counts[SP_METRIC_STATE_COUNT] = {0};
  for (size_t p = 0; p < j->pairs.n_pairs; p++) {
    enum sp_metric_state state;
    sp_metric_value(metric, sp_judge_cell(&j->pairs, p, side_i), &state);
    counts[state]++;
  }
  size_t n_redone = sp_judge_count_redone(j->trials, j->n, side_i, metric);
  if (n_redone > 0)
    sp_comparison_remark(j->c,
                         "%s of %s: driver-limited or episodic in %zu trials whose pairs were measured again",
                         sp_metric_short_title(metric), j->plan->side_names[side_i], n_redone);
  const enum sp_metric_state told[] = {SP_METRIC_DRIVER_LIMITED, SP_METRIC_EPISODIC, SP_METRIC_UNRESOLVED,
                                       SP_METRIC_NO_ANSWER};
  for (size_t k = 0; k < sizeof told / sizeof told[0]; k++) {
    if (counts[told[k]] == 0) continue;
    sp_comparison_remark(j->c, "%s of %s: %s in %zu of %zu trials", sp_metric_short_title(metric),
                         j->plan->side_names[side_i], sp_metric_state_name(told[k]), counts[told[k]],
                         j->pairs.n_pairs);
  }
}

static void remark_on_place(struct sp_judging *j, size_t side_i) {
  if (!j->c->sides[side_i].is_co_located) return;
  const struct sp_result *r = j->pairs.n_pairs ? sp_judge_cell(&j->pairs, 0, side_i) : NULL;
  sp_comparison_remark(j->c, "%s is co-located: %s share a processor", j->c->sides[side_i].name,
                       r ? sp_facts_text_of(&r->machine, "co_located_roles", "its parts") : "its parts");
}

// The steps of an axis of delays are the delay alone, but from no relay to the first of them it is the relay's hop too.
static void remark_on_relay(struct sp_judging *j, size_t side_i) {
  const struct sp_result *r = j->pairs.n_pairs ? sp_judge_cell(&j->pairs, 0, side_i) : NULL;
  if (!r || !(sp_facts_number_of(&r->server, "emulated_delay_ns") >= 0)) return;
  sp_comparison_remark(
      j->c,
      "%s calls through a relay (rpc_delay): its own hop, some 0.1 to 0.3 ms a call, comes on "
      "top of the delay; rpc_delay=0us measures it",
      j->c->sides[side_i].name);
}

static void remark_on_sleep(struct sp_judging *j) {
  const struct sp_result *r = j->pairs.n_pairs ? sp_judge_cell(&j->pairs, 0, 0) : NULL;
  double latency_ns = r ? sp_facts_number_of(&r->load, "wake_latency_ns") : NAN;
  if (isnan(latency_ns)) return;
  sp_comparison_remark(j->c,
                       "wake_latency was set: idle processors slept no deeper than to wake within %.0f µs; "
                       "in production they may",
                       ceil(latency_ns / 1000));
}

void sp_judge_remarks(struct sp_judging *j) {
  struct sp_comparison *c = j->c;
  if (j->no_verdict[0]) sp_comparison_remark(c, "no verdict: %s", j->no_verdict);
  if (j->is_mock)
    sp_comparison_remark(c, "mock broker: its latency is an artefact; counts, correctness and CPU only");
  if (j->pairs.n_pairs % c->mean_of)
    sp_comparison_remark(c, "%zu pairs fill no mean of %zu, and are left out", j->pairs.n_pairs % c->mean_of,
                         c->mean_of);
  if (j->is_closed_loop) sp_comparison_remark(c, "closed loop: response times mean nothing");
  remark_on_sleep(j);
  for (size_t s = 0; s < c->n_sides; s++) {
    remark_on_place(j, s);
    remark_on_relay(j, s);
    remark_on_side(c, &c->sides[s]);
    remark_on_flags(j, s);
    for (size_t i = 0; i < j->n_family; i++) remark_on_states(j, j->family[i], s);
  }
}
