#include "decide/earlier.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "os/process.h"

#define UNANNOUNCED "judged before"

enum sp_err sp_earlier_made_of(const struct sp_scenario *scenario, char **text, struct sp_error *error) {
  char build[SP_DIGEST_TEXT_BYTES], recording[SP_DIGEST_TEXT_BYTES];
  *text = NULL;
  enum sp_err err = sp_digest_file(sp_process_self(), build, error);
  if (!err) err = sp_digest_file(scenario->recording, recording, error);
  if (!err) *text = sp_format("%s\n%s\n", build, recording);
  return err;
}

struct sp_comparison *sp_earlier_read(const char *dir) {
  struct sp_comparison *earlier = NULL;
  struct sp_error ignored; // one of an earlier version is nothing to go on with
  struct stat facts;
  char *path = sp_format("%s/" SP_COMPARISON_FILE, dir);
  if (stat(path, &facts) == 0 && sp_comparison_read(path, &earlier, &ignored)) earlier = NULL;
  free(path);
  return earlier;
}

void sp_earlier_carry_on(const struct sp_comparison *earlier, struct sp_comparison *c) {
  free(c->id);
  free(c->started_at);
  c->id = sp_copy_text(earlier->id);
  c->started_at = sp_copy_text(earlier->started_at);
}

char *sp_earlier_unannounced(const struct sp_comparison *earlier, const struct sp_look *looks, size_t n_looks,
                             size_t n_pairs, size_t mean_of) {
  for (size_t i = 0; earlier && i < earlier->n_remarks; i++) {
    if (strncmp(earlier->remarks[i], UNANNOUNCED, sizeof UNANNOUNCED - 1) == 0)
      return sp_copy_text(earlier->remarks[i]);
  }
  bool has_looked =
      earlier && earlier->complete && earlier->n_pairs > 0 &&
      earlier->gate.verdict != SP_GATE_NO_BASELINE; // of one side there are no figures to look at
  if (!has_looked) return NULL;
  for (size_t i = 0; i < n_looks && earlier->mean_of == mean_of; i++) {
    if (looks[i].n_pairs == earlier->n_pairs && fabs(looks[i].alpha - earlier->alpha) < 1e-9) return NULL;
  }
  if (earlier->mean_of != mean_of)
    return sp_format(UNANNOUNCED
                     " at %zu pairs in means of %zu, and again in means of %zu: the levels do not hold "
                     "over looks that were chosen by what was seen; measure anew into another --out",
                     earlier->n_pairs, earlier->mean_of, mean_of);
  return sp_format(UNANNOUNCED
                   " at %zu pairs, and again with --pairs %zu: the levels do not hold over looks that were "
                   "chosen by what was seen; measure anew into another --out, or go on in steps of 12, 18 "
                   "and 24 %s",
                   earlier->n_pairs, n_pairs, mean_of > 1 ? "means" : "pairs");
}

static bool counts(const struct sp_comparison *c, const char *run_id) {
  for (size_t i = 0; i < c->n_trials; i++) {
    const struct sp_compared_trial *trial = &c->trials[i];
    if (trial->is_counted && trial->run_id && strcmp(trial->run_id, run_id) == 0) return true;
  }
  return false;
}

bool sp_earlier_lacks(const struct sp_comparison *earlier, const struct sp_comparison *c) {
  if (!earlier || !earlier->complete || earlier->gate.verdict != c->gate.verdict) return true;
  for (size_t i = 0; i < c->n_trials; i++) {
    const struct sp_compared_trial *trial = &c->trials[i];
    if (trial->is_counted && (!trial->run_id || !counts(earlier, trial->run_id))) return true;
  }
  return false;
}
