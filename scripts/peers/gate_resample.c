// Gates made of real pairs: blocks of neighbours in time are drawn from a pool until a gate has its pairs, and the product's own
// judge decides it, trials, guard, bounds and all. A pair without a usable figure is measured again, as the verbs do: the next of the pool takes its
// place. The margins come from the A/A pool, as a calibration makes them; it is another one than the pool that is judged.
//
//   gate_resample AA_DIR JUDGED_DIR N_GATES [METRIC,... [MEAN_OF]]   each DIR: NNN/base/result.json, NNN/candidate/result.json
//   gate_resample AA_DIR --calibration FILE [METRIC,... [MEAN_OF]]   the pool's margins as a calibration that `servepath gate` takes
//
// MEAN_OF: neighbouring pairs whose mean is one observation, as the verb's --mean-of. What is drawn is blocks of such means, whole ones.
//
// The first prints one JSON line: {"pass":..,"fail":..,"inconclusive":..,"without_figure":..,"pairs":..,"margins":{..}}; without_figure are the
// inconclusive ones in which a metric had no figure that a verdict may use.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "decide/gate_verdict.h"
#include "decide/pairs.h"
#include "stats/blocks.h"

#define BLOCK        5 // observations: pairs, or means of several
#define PAIRS_MAX    1000
#define MEAN_OF_MOST 32
#define GATE_MOST    24
#define SPARE        12 // pairs beyond, in place of those that are measured again

static const char *const all_metrics = "response_p50,response_p99,cpu_per_event";

struct pool {
  struct sp_judge_trial trials[2 * PAIRS_MAX]; // base, candidate, base, candidate...
  size_t n_pairs;
};
static size_t mean_of = 1;

struct tally {
  size_t pass, fail, inconclusive, without_figure;
};
struct family {
  const struct sp_metric *items[SP_GATE_METRICS];
  size_t n;
};

// A number that was given up has no folder.
static void read_pool(const char *dir, struct pool *pool) {
  struct sp_error error;
  for (size_t number = 0; number < PAIRS_MAX; number++) {
    for (size_t side = 0; side < 2; side++) {
      char *path = sp_format("%s/%03zu/%s", dir, number, sp_gate_sides[side]);
      struct sp_result *result = NULL;
      bool is_there = access(path, R_OK) == 0;
      if (is_there && sp_result_read(path, &result, &error)) {
        fprintf(stderr, "gate_resample: %s\n", error.text);
        exit(3);
      }
      if (!is_there && side == 1 && pool->trials[2 * pool->n_pairs].result) {
        fprintf(stderr, "gate_resample: %s is missing\n", path);
        exit(3);
      }
      if (is_there)
        pool->trials[2 * pool->n_pairs + side] =
            (struct sp_judge_trial){.result = result, .dir = path, .side_i = side};
    }
    pool->n_pairs += pool->trials[2 * pool->n_pairs].result != NULL;
  }
}

struct trials {
  struct sp_judge_trial items[4 * PAIRS_MAX]; // of at most 42 means of 32 pairs, and those that were redone
  size_t n;
};

// The pair as the pair_i-th of a gate. Where it may be redone and blurs: its trials up to the first without a figure, set aside. Returns whether it
// counts.
static bool put_pair(const struct pool *pool, size_t from, size_t pair_i, bool is_confirming, bool may_redo,
                     const struct family *family, struct trials *to) {
  bool blurs = false;
  size_t first = to->n;
  for (size_t turn = 0; turn < 2 && !blurs; turn++) {
    size_t side = (pair_i + turn) % 2; // A B B A
    struct sp_judge_trial trial = pool->trials[2 * from + side];
    trial.pair_i = pair_i;
    trial.is_confirming = is_confirming;
    blurs = may_redo && sp_judge_blurs(trial.result, family->items, family->n, NULL);
    to->items[to->n++] = trial;
  }
  for (size_t i = first; i < to->n; i++) to->items[i].is_set_aside = blurs;
  return !blurs;
}

// n_wanted pairs that count, of those that were picked, as far as they go. Returns how many there are.
static size_t put_pairs(const struct pool *pool, const size_t *picked, size_t n_picked, size_t n_wanted,
                        bool is_confirming, const struct family *family, struct trials *to) {
  size_t n = 0, n_blurred = 0;
  for (size_t i = 0; i < n_picked && n < n_wanted; i++) {
    bool counts =
        put_pair(pool, picked[i], n, is_confirming, sp_pairs_may_redo(n_blurred, n + 1), family, to);
    n += counts;
    n_blurred += !counts;
  }
  return n;
}

static void calibrate(const struct pool *pool, const struct family *family,
                      struct sp_calibration *calibration, struct sp_prng *prng) {
  static struct trials trials;
  static double worse[PAIRS_MAX];
  size_t all[PAIRS_MAX];
  for (size_t i = 0; i < pool->n_pairs; i++) all[i] = i;
  trials.n = 0;
  put_pairs(pool, all, pool->n_pairs, pool->n_pairs, false, family, &trials);
  for (size_t m = 0; m < family->n; m++) {
    size_t n = sp_judge_log_ratios(trials.items, trials.n, SP_GATE_CANDIDATE, SP_GATE_BASE, family->items[m],
                                   true, false, worse, PAIRS_MAX);
    double margin = sp_gate_calibrate(worse, n, &SP_GATE_CALIBRATION_LOOK, mean_of, prng);
    if (!isnan(margin)) sp_facts_real(&calibration->margins, family->items[m]->name, margin);
  }
}

static int write_calibration(const struct pool *pool, const struct family *family, const char *file,
                             struct sp_prng *prng) {
  struct sp_calibration calibration = {0};
  struct sp_error error;
  sp_calibration_of(pool->trials[0].result, &calibration);
  calibrate(pool, family, &calibration, prng);
  calibration.n_pairs = (int64_t)pool->n_pairs;
  calibration.n_blocks = (int64_t)(pool->n_pairs / (BLOCK * mean_of));
  calibration.mean_of = (int64_t)mean_of;
  enum sp_err err = sp_calibration_write(&calibration, file, &error);
  if (err) fprintf(stderr, "gate_resample: %s\n", error.text);
  sp_calibration_done(&calibration);
  return err ? 3 : 0;
}

static bool lacks_a_figure(const struct sp_comparison *c) {
  for (size_t i = 0; i < c->gate.n_metrics; i++) {
    if (isnan(c->gate.metrics[i].upper)) return true;
  }
  return false;
}

struct draw { // of one gate
  size_t picked[(GATE_MOST + SPARE) * MEAN_OF_MOST], fresh[(SP_GATE_FRESH_MOST + SPARE) * MEAN_OF_MOST];
};
#define N_PICKED ((GATE_MOST + SPARE) * mean_of)
#define N_FRESH  ((SP_GATE_FRESH_MOST + SPARE) * mean_of)

// n observations' pairs.
static void draw_from(const struct pool *pool, struct sp_prng *prng, size_t *picked, size_t n) {
  size_t drawn[GATE_MOST + SPARE];
  sp_blocks_pick(prng, pool->n_pairs / mean_of, BLOCK, drawn, n);
  for (size_t i = 0; i < n * mean_of; i++) picked[i] = drawn[i / mean_of] * mean_of + i % mean_of;
}

// The pairs that were picked, n_fresh of the others, judged. Returns whether more fresh ones are wanted; *is_settled: no more at all.
static bool look_at(const struct sp_gate_rules *rules, const struct pool *pool, const struct draw *draw,
                    const struct sp_look *look, size_t n_fresh, struct sp_comparison **comparison,
                    bool *is_settled) {
  static struct trials trials;
  struct family family = {.n = rules->n_family};
  for (size_t i = 0; i < family.n; i++) family.items[i] = rules->family[i];
  trials.n = 0;
  put_pairs(pool, draw->picked, N_PICKED, look->n_pairs, false, &family, &trials);
  put_pairs(pool, draw->fresh, N_FRESH, n_fresh * mean_of, true, &family, &trials);
  sp_comparison_free(*comparison);
  *comparison = sp_comparison_new();
  sp_gate_judge(rules, trials.items, trials.n, look->alpha, *comparison);
  *is_settled = sp_gate_is_settled(*comparison);
  return !*is_settled && sp_gate_wants_fresh(&(*comparison)->gate);
}

// A gate as the verb runs it: looks, then fresh pairs where a lower bound is above its margin; those have the last word.
static void gate(const struct sp_gate_rules *rules, const struct pool *pool, const struct draw *draw,
                 struct tally *tally) {
  size_t n_fresh = 0;
  struct sp_look looks[SP_LOOKS_MAX];
  struct sp_comparison *c = NULL;
  bool is_settled = false;
  size_t n_looks = sp_judge_looks(GATE_MOST * mean_of, mean_of, looks);
  for (size_t look = 0; look < n_looks && n_fresh == 0 && !is_settled; look++) {
    bool wants_fresh = look_at(rules, pool, draw, &looks[look], 0, &c, &is_settled);
    while (wants_fresh && n_fresh < SP_GATE_FRESH_MOST) {
      n_fresh = n_fresh ? n_fresh + 1 : SP_GATE_FRESH;
      wants_fresh = look_at(rules, pool, draw, &looks[look], n_fresh, &c, &is_settled);
    }
  }
  tally->pass += c->gate.verdict == SP_GATE_PASS;
  tally->fail += c->gate.verdict == SP_GATE_FAIL;
  tally->inconclusive += c->gate.verdict == SP_GATE_INCONCLUSIVE;
  tally->without_figure += c->gate.verdict == SP_GATE_INCONCLUSIVE && lacks_a_figure(c);
  sp_comparison_free(c);
}

static void judge(const struct pool *pool, const struct sp_gate_rules *rules, long n_gates,
                  struct sp_prng *prng) {
  struct tally tally = {0};
  if (pool->n_pairs < BLOCK * mean_of) {
    fprintf(stderr, "gate_resample: %zu pairs, too few\n", pool->n_pairs);
    exit(3);
  }
  for (long i = 0; i < n_gates; i++) {
    struct draw draw;
    draw_from(pool, prng, draw.picked, GATE_MOST + SPARE);
    draw_from(pool, prng, draw.fresh, SP_GATE_FRESH_MOST + SPARE);
    gate(rules, pool, &draw, &tally);
  }
  printf("{\"pass\":%zu,\"fail\":%zu,\"inconclusive\":%zu,\"without_figure\":%zu,\"pairs\":%zu,\"margins\":{",
         tally.pass, tally.fail, tally.inconclusive, tally.without_figure, pool->n_pairs);
  for (size_t m = 0; m < rules->n_family; m++) {
    double margin = sp_calibration_margin(rules->calibration, rules->family[m]);
    printf("%s\"%s\":%.4f", m ? "," : "", rules->family[m]->name, isnan(margin) ? SP_GATE_MARGIN : margin);
  }
  printf("}}\n");
}

static void read_family(const char *names, struct family *family) {
  char *copy = sp_copy_text(names), *rest = copy;
  for (char *name; (name = strsep(&rest, ",")) != NULL;) {
    const struct sp_metric *metric = sp_metric_find(name);
    if (!metric || family->n == SP_GATE_METRICS) {
      fprintf(stderr, "gate_resample: no metric %s\n", name);
      exit(64);
    }
    family->items[family->n++] = metric;
  }
  free(copy);
}

int main(int argc, char **argv) {
  static struct pool equal, judged;
  struct sp_prng prng;
  struct family family = {.n = 0};
  struct sp_calibration calibration = {0};
  if (argc > 5) mean_of = (size_t)atol(argv[5]);
  if (argc < 4 || argc > 6 || mean_of < 1 || mean_of > MEAN_OF_MOST) {
    fprintf(stderr,
            "gate_resample AA_DIR JUDGED_DIR N_GATES [METRIC,... [MEAN_OF]], or AA_DIR --calibration FILE "
            "[METRIC,... [MEAN_OF]]\n");
    return 64;
  }
  sp_prng_init(&prng, 1, SP_PRNG_DECIDE);
  read_family(argc > 4 ? argv[4] : all_metrics, &family);
  read_pool(argv[1], &equal);
  if (strcmp(argv[2], "--calibration") == 0) return write_calibration(&equal, &family, argv[3], &prng);
  if (strcmp(argv[1], argv[2]) == 0) {
    fprintf(stderr, "gate_resample: %s: a pool is not judged by its own margins\n", argv[2]);
    return 64;
  }
  read_pool(argv[2], &judged);
  calibrate(&equal, &family, &calibration, &prng);
  const struct sp_gate_rules rules = {.family = family.items,
                                      .n_family = family.n,
                                      .mean_of = mean_of,
                                      .margin = NAN,
                                      .calibration = &calibration};
  judge(&judged, &rules, atol(argv[3]), &prng);
  sp_calibration_done(&calibration);
  return 0;
}
