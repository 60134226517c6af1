// Gates made of real pairs: blocks of neighbours in time are drawn from a pool until a gate has its pairs, and the product's own
// decision judges it. The margins come from every second block of the A/A pool; where that is the pool that is judged, the gates come from
// the other blocks.
//
//   gate_resample AA_DIR JUDGED_DIR N_GATES     each DIR: NNN/base/result.json, NNN/candidate/result.json
//   gate_resample AA_DIR --calibration FILE     the pool's margins as a calibration that `servepath gate` takes
//
// The first prints one JSON line: {"pass":..,"fail":..,"inconclusive":..,"pairs":..,"margins":{..}}.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "decide/calibration.h"
#include "decide/margins.h"
#include "stats/blocks.h"

#define BLOCK     5
#define PAIRS_MAX 1000
#define METRICS   3

static const char *const names[METRICS] = {"response_p50", "response_p99", "cpu_per_event"};

struct pool {
  struct sp_judge_trial trials[2 * PAIRS_MAX];
  size_t n_trials, n_pairs;
  double worse[METRICS][PAIRS_MAX]; // log of how many times worse the candidate is
};
struct tally {
  size_t pass, fail, inconclusive;
};

// A number that was given up has no folder.
static void read_pool(const char *dir, struct pool *pool) {
  static const char *const sides[] = {"base", "candidate"};
  struct sp_error error;
  for (size_t pair = 0; pair < PAIRS_MAX; pair++) {
    for (size_t side = 0; side < 2; side++) {
      char *path = sp_format("%s/%03zu/%s", dir, pair, sides[side]);
      struct sp_result *result = NULL;
      bool is_there = access(path, R_OK) == 0;
      if (is_there && sp_result_read(path, &result, &error)) {
        fprintf(stderr, "gate_resample: %s\n", error.text);
        exit(3);
      }
      if (is_there)
        pool->trials[pool->n_trials++] =
            (struct sp_judge_trial){.result = result, .dir = path, .side_i = side, .pair_i = pair};
    }
  }
  for (size_t m = 0; m < METRICS; m++)
    pool->n_pairs = sp_judge_log_ratios(pool->trials, pool->n_trials, 1, 0, sp_metric_find(names[m]), true,
                                        false, pool->worse[m], PAIRS_MAX);
}

// Blocks of that parity, or all of them, one after the other.
static size_t take(const double *from, size_t n, int parity, double *to) {
  size_t n_taken = 0;
  for (size_t i = 0; i < n; i++) {
    if (parity < 0 || (int)(i / BLOCK % 2) == parity) to[n_taken++] = from[i];
  }
  return n_taken;
}

// The pairs that were picked, n_fresh of the others, judged.
static void look_at(double (*values)[PAIRS_MAX], const size_t *picked, const size_t *fresh, size_t n_fresh,
                    const struct sp_look *look, const double *margins, struct sp_gate_figures *figures) {
  double drawn[METRICS][24], confirming[METRICS][SP_GATE_FRESH_MOST];
  struct sp_gate_input inputs[METRICS];
  for (size_t m = 0; m < METRICS; m++) {
    for (size_t i = 0; i < look->n_pairs; i++) drawn[m][i] = values[m][picked[i]];
    for (size_t i = 0; i < n_fresh; i++) confirming[m][i] = values[m][fresh[i]];
    inputs[m] = (struct sp_gate_input){.metric = sp_metric_find(names[m]),
                                       .margin = margins[m],
                                       .is_calibrated = true,
                                       .worse = drawn[m],
                                       .n = look->n_pairs,
                                       .fresh = confirming[m],
                                       .n_fresh = n_fresh};
  }
  sp_gate_decide(inputs, METRICS, look->alpha, figures);
}

// A gate as the verb runs it: looks, then fresh pairs where a lower bound is above its margin; those have the last word.
static enum sp_gate_verdict gate(double (*values)[PAIRS_MAX], size_t n, const double *margins,
                                 struct sp_prng *prng) {
  size_t picked[24], fresh[SP_GATE_FRESH_MOST], n_fresh = 0;
  struct sp_look looks[SP_LOOKS_MAX];
  size_t n_looks = sp_judge_looks(24, looks);
  sp_blocks_pick(prng, n, BLOCK, picked, 24);
  sp_blocks_pick(prng, n, BLOCK, fresh, SP_GATE_FRESH_MOST);
  struct sp_gate_figures figures = {0};
  for (size_t look = 0; look < n_looks && n_fresh == 0; look++) {
    look_at(values, picked, fresh, 0, &looks[look], margins, &figures);
    if (figures.verdict != SP_GATE_INCONCLUSIVE) break;
    while (sp_gate_wants_fresh(&figures) && n_fresh < SP_GATE_FRESH_MOST) {
      n_fresh = n_fresh ? n_fresh + 1 : SP_GATE_FRESH;
      look_at(values, picked, fresh, n_fresh, &looks[look], margins, &figures);
    }
  }
  return figures.verdict;
}

static void calibrate(const struct pool *pool, int parity, double *margins, struct sp_prng *prng) {
  static double values[PAIRS_MAX];
  for (size_t m = 0; m < METRICS; m++) {
    size_t n = take(pool->worse[m], pool->n_pairs, parity, values);
    margins[m] =
        sp_gate_calibrate(values, n, SP_GATE_CALIBRATION_PAIRS, SP_GATE_CALIBRATION_ALPHA, BLOCK, 1000, prng);
  }
}

static int write_calibration(const struct pool *pool, const char *file, struct sp_prng *prng) {
  struct sp_calibration calibration = {0};
  struct sp_error error;
  double margins[METRICS];
  calibrate(pool, -1, margins, prng);
  sp_calibration_of(pool->trials[0].result, &calibration);
  calibration.n_pairs = (int64_t)pool->n_pairs;
  calibration.n_blocks = (int64_t)(pool->n_pairs / BLOCK);
  for (size_t m = 0; m < METRICS; m++) sp_facts_real(&calibration.margins, names[m], margins[m]);
  enum sp_err err = sp_calibration_write(&calibration, file, &error);
  if (err) fprintf(stderr, "gate_resample: %s\n", error.text);
  sp_calibration_done(&calibration);
  return err ? 3 : 0;
}

static void judge(const struct pool *pool, int parity, const double *margins, long n_gates,
                  struct sp_prng *prng) {
  static double values[METRICS][PAIRS_MAX];
  struct tally tally = {0};
  size_t n = 0;
  for (size_t m = 0; m < METRICS; m++) n = take(pool->worse[m], pool->n_pairs, parity, values[m]);
  if (n < BLOCK) {
    fprintf(stderr, "gate_resample: %zu pairs, too few\n", n);
    exit(3);
  }
  for (long i = 0; i < n_gates; i++) {
    enum sp_gate_verdict verdict = gate(values, n, margins, prng);
    tally.pass += verdict == SP_GATE_PASS;
    tally.fail += verdict == SP_GATE_FAIL;
    tally.inconclusive += verdict == SP_GATE_INCONCLUSIVE;
  }
  printf("{\"pass\":%zu,\"fail\":%zu,\"inconclusive\":%zu,\"pairs\":%zu,\"margins\":{", tally.pass,
         tally.fail, tally.inconclusive, n);
  for (size_t m = 0; m < METRICS; m++) printf("%s\"%s\":%.4f", m ? "," : "", names[m], margins[m]);
  printf("}}\n");
}

int main(int argc, char **argv) {
  static struct pool calibration, judged;
  struct sp_prng prng;
  double margins[METRICS];
  if (argc != 4) {
    fprintf(stderr, "gate_resample AA_DIR JUDGED_DIR N_GATES, or AA_DIR --calibration FILE\n");
    return 64;
  }
  sp_prng_init(&prng, 1, SP_PRNG_DECIDE);
  read_pool(argv[1], &calibration);
  if (strcmp(argv[2], "--calibration") == 0) return write_calibration(&calibration, argv[3], &prng);
  bool is_same = strcmp(argv[1], argv[2]) == 0;
  read_pool(argv[2], &judged);
  calibrate(&calibration, is_same ? 0 : -1, margins, &prng);
  judge(&judged, is_same ? 1 : -1, margins, atol(argv[3]), &prng);
  return 0;
}
