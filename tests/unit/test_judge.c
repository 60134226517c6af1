// Verdicts on trials of known truth, in both directions.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/trials.h"

// Noise of a busy machine: CPU 2 %, p50 4 %, p99 15 %.
static const struct sp_trials_side plain = {"a", 400000, 2000000, 24, 0.04, 0.15, 0.02};

static void assert_near(double value, double truth, double most) {
  if (!(fabs(value - truth) <= most)) fail_msg("%.17g is not %.17g", value, truth);
}

static struct sp_trials_side times(const char *name, double p50, double p99, double cpu) {
  struct sp_trials_side side = plain;
  side.name = name;
  side.p50_ns *= p50;
  side.p99_ns *= p99;
  side.cpu_us *= cpu;
  return side;
}

static const char *const names[] = {"a", "b", "c"};

static struct sp_judge_plan plan_of(size_t n_sides, double alpha) {
  return (struct sp_judge_plan){.side_names = names, .n_sides = n_sides, .alpha = alpha, .delta = 0.05};
}

static struct sp_comparison *judge(const struct sp_judge_plan *plan, const struct sp_trials *trials) {
  struct sp_comparison *c = sp_comparison_new();
  sp_judge(plan, trials->items, trials->n, c);
  return c;
}

static enum sp_verdict verdict(const struct sp_comparison *c, size_t side_i, const char *metric) {
  const struct sp_compared *m = sp_comparison_find(c, side_i, metric);
  assert_non_null(m);
  return m->verdict;
}

// Comparisons of a against b with b's truth, of which `n` metrics come to each verdict.
struct tally {
  int of[SP_VERDICT_COUNT];
};
static struct tally repeat(double factor, size_t n_pairs, double alpha, const char *metric, int n,
                           uint64_t seed) {
  struct tally tally = {{0}};
  struct sp_prng prng;
  sp_prng_init(&prng, seed, SP_PRNG_TEST);
  const struct sp_trials_side sides[] = {plain, times("b", factor, factor, factor)};
  struct sp_judge_plan plan = plan_of(2, alpha);
  for (int i = 0; i < n; i++) {
    struct sp_trials trials = {0};
    sp_trials_pairs(&trials, sides, 2, n_pairs, &prng);
    struct sp_comparison *c = judge(&plan, &trials);
    tally.of[verdict(c, 1, metric)]++;
    sp_comparison_free(c);
    sp_trials_done(&trials);
  }
  return tally;
}

static void test_ten_percent_more_is_dearer(void **state) {
  (void)state;
  struct tally more = repeat(1.1, 12, 0.01, "cpu_per_event", 100, 1);
  assert_true(more.of[SP_VERDICT_WORSE] >= 90);
  assert_int_equal(more.of[SP_VERDICT_BETTER] + more.of[SP_VERDICT_SAME], 0);
}

static void test_ten_percent_less_is_cheaper(void **state) {
  (void)state;
  struct tally less = repeat(1 / 1.1, 12, 0.01, "cpu_per_event", 100, 2);
  assert_true(less.of[SP_VERDICT_BETTER] >= 90);
  assert_int_equal(less.of[SP_VERDICT_WORSE] + less.of[SP_VERDICT_SAME], 0);
}

static void test_nothing_is_no_difference(void **state) {
  (void)state;
  struct tally cpu = repeat(1, 24, 0.025, "cpu_per_event", 100, 3);
  assert_true(cpu.of[SP_VERDICT_SAME] >= 95);
  assert_true(cpu.of[SP_VERDICT_WORSE] + cpu.of[SP_VERDICT_BETTER] <= 2);
}

static void test_noise_is_inconclusive_and_says_how_many_pairs_it_takes(void **state) {
  (void)state;
  struct sp_prng prng;
  sp_prng_init(&prng, 4, SP_PRNG_TEST);
  const struct sp_trials_side sides[] = {plain, times("b", 1.3, 1.15, 1)};
  struct sp_judge_plan plan = plan_of(2, 0.01);
  size_t n_inconclusive = 0, n_sensible = 0;
  for (int i = 0; i < 50; i++) {
    struct sp_trials trials = {0};
    sp_trials_pairs(&trials, sides, 2, 12, &prng);
    struct sp_comparison *c = judge(&plan, &trials);
    const struct sp_compared *p99 = sp_comparison_find(c, 1, "response_p99");
    assert_int_equal(verdict(c, 1, "response_p50"), SP_VERDICT_WORSE);
    if (p99->verdict == SP_VERDICT_INCONCLUSIVE) {
      n_inconclusive++;
      assert_non_null(p99->why);
      assert_false(sp_judge_has_concluded(c));
      // The truth: log 1.15 = 0.14 against a spread of 0.21 for each pair takes about 40.
      n_sensible += p99->pairs_needed >= 14 && p99->pairs_needed <= 400;
      assert_true(p99->pairs_needed == 0 || p99->pairs_needed >= 14);
    }
    assert_true(p99->low < p99->ratio && p99->ratio < p99->high && p99->smallest_detectable > 0.05);
    sp_comparison_free(c);
    sp_trials_done(&trials);
  }
  assert_true(n_inconclusive >= 25);
  assert_true(n_sensible * 10 >= n_inconclusive * 6);
}

// Nothing to tell apart: what is needed is an interval narrow enough for "no difference", not one that leaves 1.
static void test_equal_sides_need_a_narrower_interval(void **state) {
  (void)state;
  struct sp_trials trials = {0};
  for (size_t p = 0; p < 12; p++) {
    struct sp_trials_side other = times("b", 1, 1, 1 + 0.09 * ((double)p - 5.5) / 5.5);
    sp_trials_add(&trials, &plain, 0, p);
    sp_trials_add(&trials, &other, 1, p);
  }
  struct sp_judge_plan plan = plan_of(2, 0.01);
  struct sp_comparison *c = judge(&plan, &trials);
  const struct sp_compared *cpu = sp_comparison_find(c, 1, "cpu_per_event");
  assert_int_equal(cpu->verdict, SP_VERDICT_INCONCLUSIVE);
  assert_true(cpu->pairs_needed >= 14 && cpu->pairs_needed <= 60);
  sp_comparison_free(c);
  sp_trials_done(&trials);
}

static void test_swapped_sides_mirror_each_other(void **state) {
  (void)state;
  struct sp_prng prng;
  sp_prng_init(&prng, 5, SP_PRNG_TEST);
  struct sp_trials trials = {0};
  const struct sp_trials_side sides[] = {plain, times("b", 1.3, 1.6, 0.8)};
  sp_trials_pairs(&trials, sides, 2, 24, &prng);
  struct sp_judge_plan forth = plan_of(2, 0.025), back = forth;
  back.reference_i = 1;
  struct sp_comparison *ab = judge(&forth, &trials), *ba = judge(&back, &trials);
  const enum sp_verdict mirror[SP_VERDICT_COUNT] = {[SP_VERDICT_INCONCLUSIVE] = SP_VERDICT_INCONCLUSIVE,
                                                    [SP_VERDICT_BETTER] = SP_VERDICT_WORSE,
                                                    [SP_VERDICT_WORSE] = SP_VERDICT_BETTER,
                                                    [SP_VERDICT_SAME] = SP_VERDICT_SAME,
                                                    [SP_VERDICT_EXPLORATORY] = SP_VERDICT_EXPLORATORY};
  assert_int_equal(ab->n_metrics, ba->n_metrics);
  for (size_t i = 0; i < ab->n_metrics; i++) {
    const struct sp_compared *x = &ab->metrics[i], *y = &ba->metrics[i];
    assert_ptr_equal(x->metric, y->metric);
    assert_int_equal(x->verdict, mirror[y->verdict]);
    if (isnan(x->ratio)) continue;
    assert_near(x->ratio, 1 / y->ratio, 1e-9);
    assert_near(x->low, 1 / y->high, 1e-9);
    assert_near(x->high, 1 / y->low, 1e-9);
  }
  assert_int_equal(verdict(ab, 1, "response_p50"), SP_VERDICT_WORSE);
  assert_int_equal(verdict(ab, 1, "cpu_per_event"), SP_VERDICT_BETTER);
  sp_comparison_free(ab);
  sp_comparison_free(ba);
  sp_trials_done(&trials);
}

// 12 pairs of exactly this ratio of CPU each, but for a little of each pair's own.
static void exact_pairs(struct sp_trials *trials, double factor, size_t n_pairs) {
  for (size_t p = 0; p < n_pairs; p++) {
    double own = 1 + 0.001 * (double)(p % 5);
    struct sp_trials_side other = times("b", factor * own, factor * own, factor * own);
    sp_trials_add(trials, &plain, 0, p);
    sp_trials_add(trials, &other, 1, p);
  }
}

static void test_one_outlier_turns_nothing(void **state) {
  (void)state;
  for (int direction = 0; direction < 2; direction++) {
    struct sp_trials trials = {0};
    exact_pairs(&trials, 1.1, 12);
    sp_amounts_set(&sp_trials_result(&trials, 7)->cpu_us_per_event, "total", direction ? 24000 : 0.024);
    struct sp_judge_plan plan = plan_of(2, 0.01);
    struct sp_comparison *c = judge(&plan, &trials);
    assert_int_equal(verdict(c, 1, "cpu_per_event"), SP_VERDICT_WORSE);
    assert_near(sp_comparison_find(c, 1, "cpu_per_event")->ratio, 1.102, 0.002);
    sp_comparison_free(c);
    sp_trials_done(&trials);
  }
}

static void no_answer(struct sp_result *r) {
  r->response.state[SP_P99] = SP_PERCENTILE_NO_ANSWER;
  r->response.percentile_ns[SP_P99] = -1;
}

static void test_no_answer_ranks_above_all(void **state) {
  (void)state;
  struct sp_trials trials = {0};
  exact_pairs(&trials, 0.5, 12); // faster, where it answers
  for (size_t p = 0; p < 12; p++) no_answer(sp_trials_result(&trials, 2 * p + 1));
  struct sp_judge_plan plan = plan_of(2, 0.01);
  struct sp_comparison *c = judge(&plan, &trials);
  const struct sp_compared *p99 = sp_comparison_find(c, 1, "response_p99");
  assert_int_equal(p99->verdict, SP_VERDICT_WORSE);
  assert_true(isinf(p99->ratio) && isinf(p99->side) && p99->reference == 2000000);
  assert_int_equal(verdict(c, 1, "response_p50"), SP_VERDICT_BETTER);
  assert_non_null(strstr(c->verdict, "gives no answer"));
  plan.reference_i = 1;
  struct sp_comparison *back = judge(&plan, &trials);
  assert_int_equal(verdict(back, 0, "response_p99"), SP_VERDICT_BETTER);
  assert_true(sp_comparison_find(back, 0, "response_p99")->ratio == 0);
  sp_comparison_free(back);
  plan.reference_i = 0;
  for (size_t p = 0; p < 12; p++) no_answer(sp_trials_result(&trials, 2 * p));
  struct sp_comparison *neither = judge(&plan, &trials);
  assert_int_equal(verdict(neither, 1, "response_p99"), SP_VERDICT_INCONCLUSIVE);
  assert_non_null(strstr(sp_comparison_find(neither, 1, "response_p99")->why, "no answer on both sides"));
  sp_comparison_free(c);
  sp_comparison_free(neither);
  sp_trials_done(&trials);
}

static void blur(struct sp_result *r, enum sp_metric_state how) {
  if (how == SP_METRIC_DRIVER_LIMITED) r->response.driver_limited[SP_P99] = true;
  if (how == SP_METRIC_EPISODIC) r->response.state[SP_P99] = SP_PERCENTILE_EPISODIC;
  if (how != SP_METRIC_UNRESOLVED) return;
  r->response.state[SP_P99] = SP_PERCENTILE_UNRESOLVED;
  r->response.percentile_ns[SP_P99] = -1;
}

static void test_figures_that_no_verdict_may_use(void **state) {
  (void)state;
  const enum sp_metric_state how[] = {SP_METRIC_DRIVER_LIMITED, SP_METRIC_EPISODIC, SP_METRIC_UNRESOLVED};
  const char *const words[] = {"p99 of b is in 2 of 12 trials driver-limited",
                               "p99 of b is in 2 of 12 trials episodic",
                               "p99 of b is in 2 of 12 trials unresolved"};
  struct sp_judge_plan plan = plan_of(2, 0.01);
  for (size_t k = 0; k < 3; k++) {
    struct sp_trials trials = {0};
    exact_pairs(&trials, 1.3, 12);
    blur(sp_trials_result(&trials, 1), how[k]);
    struct sp_comparison *one = judge(&plan, &trials); // a tenth at most: left out
    assert_int_equal(verdict(one, 1, "response_p99"), SP_VERDICT_WORSE);
    assert_int_equal(sp_comparison_find(one, 1, "response_p99")->n_pairs, 11);
    blur(sp_trials_result(&trials, 3), how[k]);
    struct sp_comparison *two = judge(&plan, &trials);
    assert_int_equal(verdict(two, 1, "response_p99"), SP_VERDICT_INCONCLUSIVE);
    assert_non_null(strstr(sp_comparison_find(two, 1, "response_p99")->why, words[k]));
    assert_int_equal(verdict(two, 1, "response_p50"), SP_VERDICT_WORSE);
    sp_comparison_free(one);
    sp_comparison_free(two);
    sp_trials_done(&trials);
  }
}

// One of each side, in different pairs: no side has more than a tenth, the pairs do.
static void test_blurred_pairs_of_both_sides_add_up(void **state) {
  (void)state;
  struct sp_trials trials = {0};
  exact_pairs(&trials, 1.3, 12);
  blur(sp_trials_result(&trials, 0), SP_METRIC_EPISODIC);
  blur(sp_trials_result(&trials, 3), SP_METRIC_DRIVER_LIMITED);
  struct sp_judge_plan plan = plan_of(2, 0.01);
  struct sp_comparison *c = judge(&plan, &trials);
  assert_int_equal(verdict(c, 1, "response_p99"), SP_VERDICT_INCONCLUSIVE);
  assert_non_null(strstr(sp_comparison_find(c, 1, "response_p99")->why, "2 of 12 pairs have no ratio"));
  sp_comparison_free(c);
  sp_trials_done(&trials);
}

static void test_few_pairs_give_no_verdict(void **state) {
  (void)state;
  for (size_t n = 1; n <= 7; n++) {
    struct sp_trials trials = {0};
    exact_pairs(&trials, n % 2 ? 3 : 1, n);
    struct sp_judge_plan plan = plan_of(2, 0.01);
    struct sp_comparison *c = judge(&plan, &trials);
    for (size_t i = 0; i < c->n_metrics; i++) {
      const struct sp_compared *m = &c->metrics[i];
      assert_int_equal(m->verdict, m->is_primary ? SP_VERDICT_INCONCLUSIVE : SP_VERDICT_EXPLORATORY);
      if (m->is_primary) assert_true(m->pairs_needed >= 12);
    }
    assert_int_equal(c->exit_code, 4);
    sp_comparison_free(c);
    sp_trials_done(&trials);
  }
}

// Three sides: the correction is over six contrasts, and each side stands against the reference.
static void test_three_sides(void **state) {
  (void)state;
  struct sp_prng prng;
  sp_prng_init(&prng, 6, SP_PRNG_TEST);
  struct sp_trials trials = {0};
  const struct sp_trials_side sides[] = {plain, times("b", 1.5, 2, 3), times("c", 1, 1, 0.7)};
  sp_trials_pairs(&trials, sides, 3, 12, &prng);
  sp_facts_count(&sp_trials_result(&trials, 1)->model, "version", 2);
  struct sp_judge_plan plan = plan_of(3, 0.01);
  struct sp_comparison *c = judge(&plan, &trials);
  double smallest = 1;
  for (size_t i = 0; i < c->n_metrics; i++) {
    const struct sp_compared *m = &c->metrics[i];
    assert_true(m->p_adjusted >= m->p);
    if (m->is_primary && m->p < smallest) smallest = m->p;
  }
  assert_near(sp_comparison_find(c, 1, "cpu_per_event")->p_adjusted, 6 * smallest, 1e-12);
  assert_int_equal(verdict(c, 1, "response_p50"), SP_VERDICT_WORSE);
  assert_int_equal(verdict(c, 1, "cpu_per_event"), SP_VERDICT_WORSE);
  assert_int_equal(verdict(c, 2, "cpu_per_event"), SP_VERDICT_BETTER);
  assert_int_not_equal(verdict(c, 2, "response_p50"), SP_VERDICT_WORSE);
  assert_int_equal(c->n_explained, 2);
  assert_non_null(strstr(c->verdict, "b against a: slower at p50 ("));
  assert_non_null(strstr(c->verdict, "; c against a: 1."));
  bool is_told = false; // though the last has the reference's settings
  for (size_t i = 0; i < c->n_differences; i++)
    is_told |= strcmp(c->differences[i], "model.version: none, 2, none") == 0;
  assert_true(is_told);
  sp_comparison_free(c);
  sp_trials_done(&trials);
}

static void test_mock_broker_and_closed_loop_give_no_verdict_on_time(void **state) {
  (void)state;
  const struct sp_metric *cpu = sp_metric_find("cpu_per_event"), *p50 = sp_metric_find("response_p50");
  struct sp_trials trials = {0};
  exact_pairs(&trials, 1.3, 12);
  for (size_t i = 0; i < trials.n; i++) sp_facts_text(&sp_trials_result(&trials, i)->broker, "kind", "mock");
  struct sp_judge_plan plan = plan_of(2, 0.01), cpu_alone = plan;
  cpu_alone.family = &cpu;
  cpu_alone.n_family = 1;
  struct sp_comparison *c = judge(&plan, &trials), *of_cpu = judge(&cpu_alone, &trials);
  assert_int_equal(verdict(c, 1, "response_p50"), SP_VERDICT_VOID);
  assert_int_equal(verdict(c, 1, "response_p99"), SP_VERDICT_VOID);
  assert_int_equal(verdict(c, 1, "cpu_per_event"), SP_VERDICT_WORSE);
  assert_int_equal(c->exit_code, 2);
  assert_int_equal(c->n_explained, 0);
  assert_int_equal(of_cpu->exit_code, 0);
  sp_comparison_free(c);
  sp_comparison_free(of_cpu);
  for (size_t i = 0; i < trials.n; i++) {
    struct sp_result *r = sp_trials_result(&trials, i);
    sp_facts_text(&r->broker, "kind", NULL);
    r->closed_loop = true;
    r->response.present = false;
  }
  c = judge(&plan, &trials); // by default of cost and rate alone
  assert_null(sp_comparison_find(c, 1, "response_p50"));
  assert_int_equal(verdict(c, 1, "cpu_per_event"), SP_VERDICT_WORSE);
  assert_int_equal(verdict(c, 1, "achieved"), SP_VERDICT_SAME);
  assert_int_equal(c->exit_code, 0);
  sp_comparison_free(c);
  plan.family = &p50;
  plan.n_family = 1;
  c = judge(&plan, &trials);
  assert_int_equal(verdict(c, 1, "response_p50"), SP_VERDICT_VOID);
  assert_int_equal(c->exit_code, 2);
  sp_comparison_free(c);
  sp_trials_done(&trials);
}

static void test_more_is_better_where_it_is(void **state) {
  (void)state;
  const struct sp_metric *achieved = sp_metric_find("achieved");
  struct sp_trials trials = {0};
  exact_pairs(&trials, 1, 12);
  for (size_t p = 0; p < 12; p++)
    sp_trials_result(&trials, 2 * p + 1)->achieved_per_s = 900 + (double)(p % 3);
  struct sp_judge_plan plan = plan_of(2, 0.01);
  plan.family = &achieved;
  plan.n_family = 1;
  struct sp_comparison *c = judge(&plan, &trials);
  assert_int_equal(verdict(c, 1, "achieved"), SP_VERDICT_WORSE);
  assert_true(sp_comparison_find(c, 1, "achieved")->ratio < 1);
  double worse[12], plain_ratios[12];
  assert_int_equal(sp_judge_log_ratios(trials.items, trials.n, 1, 0, achieved, true, false, worse, 12), 12);
  assert_int_equal(
      sp_judge_log_ratios(trials.items, trials.n, 1, 0, achieved, false, false, plain_ratios, 12), 12);
  assert_near(worse[0], log(1000.0 / 900), 1e-12);
  assert_near(plain_ratios[0], -worse[0], 1e-12);
  sp_comparison_free(c);
  sp_trials_done(&trials);
}

static void test_looks(void **state) {
  (void)state;
  struct sp_look looks[SP_LOOKS_MAX];
  assert_int_equal(sp_judge_looks(10, 1, looks), 1);
  assert_int_equal(looks[0].n_pairs, 10);
  assert_near(looks[0].alpha, 0.01, 0);
  assert_int_equal(sp_judge_looks(12, 1, looks), 1);
  assert_int_equal(sp_judge_looks(13, 1, looks), 2);
  assert_int_equal(looks[1].n_pairs, 13);
  assert_near(looks[1].alpha, 0.015, 0);
  assert_int_equal(sp_judge_looks(20, 1, looks), 3);
  assert_int_equal(looks[1].n_pairs, 18);
  assert_int_equal(looks[2].n_pairs, 20);
  assert_int_equal(sp_judge_looks(40, 1, looks), 3);
  assert_int_equal(looks[2].n_pairs, 40);
  assert_near(looks[2].alpha, 0.025, 0);
  assert_int_equal(sp_judge_looks(120, 6, looks), 3);
  assert_int_equal(looks[0].n_pairs, 72);
  assert_int_equal(looks[1].n_pairs, 108);
  assert_int_equal(looks[2].n_pairs, 120);
  assert_near(looks[2].alpha, 0.025, 0);
}

// A side without an answer in some trials of every mean is not the faster one for what it answers in the others.
static void test_means_hide_no_missing_answers(void **state) {
  (void)state;
  struct sp_trials trials = {0};
  for (size_t p = 0; p < 72; p++) {
    struct sp_trials_side base = times(names[0], 1, 1, 1), side = times(names[1], 0.9, 0.9, 0.9);
    sp_trials_add(&trials, &base, 0, p);
    struct sp_result *r = sp_trials_add(&trials, &side, 1, p);
    if (p % 6 < 2) r->response.state[SP_P99] = SP_PERCENTILE_NO_ANSWER;
  }
  struct sp_judge_plan plan = plan_of(2, 0.01);
  plan.mean_of = 6;
  struct sp_comparison *c = judge(&plan, &trials);
  assert_int_equal(verdict(c, 1, "response_p50"), SP_VERDICT_BETTER);
  assert_int_equal(verdict(c, 1, "response_p99"), SP_VERDICT_WORSE);
  for (size_t p = 0; p < 72; p++) { // nor is it where the other one has none as often
    struct sp_result *r = sp_trials_result(&trials, 2 * p);
    if (p % 6 > 3) r->response.state[SP_P99] = SP_PERCENTILE_NO_ANSWER;
  }
  struct sp_comparison *both = judge(&plan, &trials);
  assert_int_equal(verdict(both, 1, "response_p99"), SP_VERDICT_INCONCLUSIVE);
  assert_non_null(strstr(sp_comparison_find(both, 1, "response_p99")->why, "12 of 12 means of 6 pairs"));
  sp_comparison_free(c);
  sp_comparison_free(both);
  sp_trials_done(&trials);
}

// An episodic percentile is worth another try only where the window has the seconds for it.
static void test_what_another_try_may_mend(void **state) {
  (void)state;
  const double windows_s[] = {1, 4, 4.5, 6};
  struct sp_trials trials = {0};
  struct sp_trials_side side = times(names[0], 1, 1, 1);
  struct sp_result *r = sp_trials_add(&trials, &side, 0, 0);
  assert_false(sp_judge_blurs(r, NULL, 0, NULL));
  r->response.state[SP_P99] = SP_PERCENTILE_EPISODIC;
  for (size_t i = 0; i < 4; i++) {
    r->window_s = windows_s[i];
    assert_int_equal(sp_judge_blurs(r, NULL, 0, NULL), windows_s[i] > 4);
  }
  r->window_s = 1;
  r->response.driver_limited[SP_P99] = true;
  r->response.state[SP_P99] = SP_PERCENTILE_RESOLVED;
  assert_true(sp_judge_blurs(r, NULL, 0, NULL));
  sp_trials_done(&trials);
}

// Two neighbours go astray by as much in either direction: single pairs tell nothing, their means all of it. What one has too much differs from
// what the next pair's has, so that means of other neighbours would show; the 25th pair, 9 times as dear, has none.
static void test_pairs_in_means(void **state) {
  (void)state;
  struct sp_trials trials = {0};
  for (size_t p = 0; p < 25; p++) {
    double astray = 2 + (double)(p / 2 % 3), times_dearer = p == 24 ? 9 : 1.1 * (p % 2 ? astray : 1 / astray);
    struct sp_trials_side base = times(names[0], 1, 1, 1), side = times(names[1], 1, 1, times_dearer);
    sp_trials_add(&trials, &base, 0, p);
    sp_trials_add(&trials, &side, 1, p);
  }
  struct sp_judge_plan plan = plan_of(2, 0.01);
  struct sp_comparison *single = judge(&plan, &trials);
  assert_int_equal(verdict(single, 1, "cpu_per_event"), SP_VERDICT_INCONCLUSIVE);
  assert_int_equal(single->mean_of, 1);
  plan.mean_of = 2;
  struct sp_comparison *means = judge(&plan, &trials);
  const struct sp_compared *cpu = sp_comparison_find(means, 1, "cpu_per_event");
  assert_int_equal(cpu->verdict, SP_VERDICT_WORSE);
  assert_near(cpu->ratio, 1.1, 1e-9);
  assert_near(cpu->low, 1.1, 1e-9);
  assert_near(cpu->high, 1.1, 1e-9);
  assert_int_equal(means->mean_of, 2);
  assert_int_equal(means->n_pairs, 25);
  plan.mean_of = 5; // 5 means are too few
  struct sp_comparison *few = judge(&plan, &trials);
  cpu = sp_comparison_find(few, 1, "cpu_per_event");
  assert_int_equal(cpu->verdict, SP_VERDICT_INCONCLUSIVE);
  assert_true(cpu->pairs_needed >= 60 && cpu->pairs_needed % 5 == 0);
  assert_non_null(strstr(cpu->why, "too few pairs: 25"));
  sp_comparison_free(single);
  sp_comparison_free(means);
  sp_comparison_free(few);
  sp_trials_done(&trials);
}

// A pair that was measured again counts by its last trials, whatever the order in which they are found; a half pair never does.
static void test_redone_and_broken_pairs(void **state) {
  (void)state;
  struct sp_trials trials = {0};
  exact_pairs(&trials, 1.1, 12);
  sp_result_invalid(sp_trials_result(&trials, 6), "late"); // of pair 3
  for (size_t s = 0; s < 2; s++) {
    struct sp_trials_side again = times(names[s], 1, 1, s ? 1.2 : 1);
    struct sp_result *r = sp_trials_add(&trials, &again, s, 3);
    free(r->started_at);
    r->started_at = sp_copy_text("9999-01-01T00:00:00Z");
  }
  struct sp_judge_trial first = trials.items[6];
  trials.items[6] = trials.items[24];
  trials.items[24] = first;
  double values[20];
  const struct sp_metric *cpu = sp_metric_find("cpu_per_event");
  assert_int_equal(sp_judge_log_ratios(trials.items, trials.n, 1, 0, cpu, true, false, values, 20), 12);
  assert_near(values[3], log(1.2), 1e-12);
  struct sp_judge_plan plan = plan_of(2, 0.01);
  struct sp_comparison *c = judge(&plan, &trials);
  assert_int_equal(c->n_pairs, 12);
  assert_int_equal(c->sides[0].n_invalid, 1);
  assert_false(c->trials[24].is_counted || c->trials[7].is_counted);
  assert_string_equal(c->trials[24].reason, "late");
  assert_non_null(strstr(c->trials[7].reason, "its pair"));
  sp_comparison_free(c);
  sp_result_invalid(sp_trials_result(&trials, 25), "late");
  assert_int_equal(sp_judge_log_ratios(trials.items, trials.n, 1, 0, cpu, true, false, values, 20), 11);
  sp_trials_done(&trials);
}

// As pairs.c leaves a try that was redone: the last one of the pair is among the others.
static void set_aside(struct sp_trials *trials, size_t side_i, size_t pair_i) {
  struct sp_trials_side again = times(names[side_i], 1, 1, 9);
  blur(sp_trials_add(trials, &again, side_i, pair_i), SP_METRIC_DRIVER_LIMITED);
  trials->items[trials->n - 1].is_set_aside = true;
}

static bool has_remark(const struct sp_comparison *c, const char *text) {
  for (size_t i = 0; i < c->n_remarks; i++) {
    if (strcmp(c->remarks[i], text) == 0) return true;
  }
  return false;
}

static void test_what_was_set_aside_does_not_count(void **state) {
  (void)state;
  struct sp_trials trials = {0};
  struct sp_judge_plan plan = plan_of(2, 0.01);
  exact_pairs(&trials, 1.3, 12);
  for (size_t i = 0; i < 4; i++) set_aside(&trials, 1, i);
  struct sp_comparison *four = judge(&plan, &trials);
  const struct sp_compared *p99 = sp_comparison_find(four, 1, "response_p99");
  assert_int_equal(p99->verdict, SP_VERDICT_WORSE);
  assert_int_equal(p99->n_pairs, 12);
  assert_near(sp_comparison_find(four, 1, "cpu_per_event")->ratio, 1.3, 0.003);
  assert_string_equal(four->trials[24].reason, "p99 is driver-limited; its pair was measured again");
  assert_true(
      has_remark(four, "p99 of b: driver-limited or episodic in 4 trials whose pairs were measured again"));
  sp_comparison_free(four);
  set_aside(&trials, 1, 4); // of one side alone, too many for chance
  struct sp_comparison *five = judge(&plan, &trials);
  p99 = sp_comparison_find(five, 1, "response_p99");
  assert_int_equal(p99->verdict, SP_VERDICT_INCONCLUSIVE);
  assert_non_null(strstr(p99->why, "5 trials of b alone"));
  assert_int_equal(verdict(five, 1, "response_p50"), SP_VERDICT_WORSE);
  sp_comparison_free(five);
  set_aside(&trials, 0, 5);
  struct sp_comparison *six = judge(&plan, &trials);
  assert_int_equal(verdict(six, 1, "response_p99"), SP_VERDICT_WORSE);
  sp_comparison_free(six);
  sp_trials_done(&trials);
}

static void test_fresh_pairs_are_not_pooled(void **state) {
  (void)state;
  struct sp_trials trials = {0};
  exact_pairs(&trials, 1.1, 12);
  for (size_t i = 0; i < 8; i++) trials.items[i].is_confirming = true;
  double values[12];
  const struct sp_metric *cpu = sp_metric_find("cpu_per_event");
  assert_int_equal(sp_judge_log_ratios(trials.items, trials.n, 1, 0, cpu, true, false, values, 12), 8);
  assert_int_equal(sp_judge_log_ratios(trials.items, trials.n, 1, 0, cpu, true, true, values, 12), 4);
  struct sp_judge_plan plan = plan_of(2, 0.01);
  struct sp_comparison *c = judge(&plan, &trials);
  assert_int_equal(c->n_pairs, 8);
  assert_true(c->trials[0].is_confirming && c->trials[0].is_counted);
  sp_comparison_free(c);
  sp_trials_done(&trials);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ten_percent_more_is_dearer),
      cmocka_unit_test(test_ten_percent_less_is_cheaper),
      cmocka_unit_test(test_nothing_is_no_difference),
      cmocka_unit_test(test_noise_is_inconclusive_and_says_how_many_pairs_it_takes),
      cmocka_unit_test(test_equal_sides_need_a_narrower_interval),
      cmocka_unit_test(test_swapped_sides_mirror_each_other),
      cmocka_unit_test(test_one_outlier_turns_nothing),
      cmocka_unit_test(test_no_answer_ranks_above_all),
      cmocka_unit_test(test_figures_that_no_verdict_may_use),
      cmocka_unit_test(test_blurred_pairs_of_both_sides_add_up),
      cmocka_unit_test(test_few_pairs_give_no_verdict),
      cmocka_unit_test(test_three_sides),
      cmocka_unit_test(test_mock_broker_and_closed_loop_give_no_verdict_on_time),
      cmocka_unit_test(test_more_is_better_where_it_is),
      cmocka_unit_test(test_looks),
      cmocka_unit_test(test_means_hide_no_missing_answers),
      cmocka_unit_test(test_what_another_try_may_mend),
      cmocka_unit_test(test_pairs_in_means),
      cmocka_unit_test(test_redone_and_broken_pairs),
      cmocka_unit_test(test_what_was_set_aside_does_not_count),
      cmocka_unit_test(test_fresh_pairs_are_not_pooled),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
