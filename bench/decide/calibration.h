// How far apart two equal builds look on one machine: a gate's margins, measured (servepath.calibration/1). One thread.
#ifndef SP_DECIDE_CALIBRATION_H
#define SP_DECIDE_CALIBRATION_H

#include "result/metric.h"

#define SP_CALIBRATION_SCHEMA "servepath.calibration/1"
#define SP_GATE_MARGIN_MOST   1.0 // a share; above, a gate lets anything pass
#define SP_CALIBRATION_DAYS   90  // after which it must be measured again

struct sp_calibration {
  char *at; // RFC 3339, UTC
  char *case_name, *side, *fingerprint, *load_digest;
  char *build; // that was compared with itself; another one does not end the calibration
  int64_t n_pairs, n_blocks;
  int64_t mean_of;         // pairs whose mean is an observation; margins of others are too wide or too narrow
  double pause_s;          // between blocks
  struct sp_facts margins; // metric -> 0.031; REAL
};
void sp_calibration_done(struct sp_calibration *calibration); // zeroed is allowed

// Of the trials that `result` is one of: all but n_pairs, n_blocks, mean_of (1), pause_s and margins.
void sp_calibration_of(const struct sp_result *result, struct sp_calibration *calibration);
// results/calibration-CASE.SIDE-FINGERPRINT.json, from malloc: where a gate looks by itself; -mean6 before .json of means of 6 pairs. A dot, which no name holds: a-b and c are not a and b-c.
char *sp_calibration_file(const struct sp_result *result, size_t mean_of);
// What stands in the file; from malloc.
char *sp_calibration_json(const struct sp_calibration *calibration);
// SP_ERR_ENVIRONMENT: cannot be written. Its folder is made.
enum sp_err sp_calibration_write(const struct sp_calibration *calibration, const char *path,
                                 struct sp_error *error);
// SP_ERR_ENVIRONMENT naming file and field: missing, not JSON, another schema, a margin that is no number of 0 to SP_GATE_MARGIN_MOST. *calibration must be
// zeroed before and freed after, whatever is returned.
enum sp_err sp_calibration_read(const char *path, struct sp_calibration *calibration, struct sp_error *error);
// Whether it holds for gates on means of mean_of trials like this one at unix time now_s; if not, why, in one line.
bool sp_calibration_fits(const struct sp_calibration *calibration, const struct sp_result *result,
                         size_t mean_of, int64_t now_s, char *why, size_t n_why);
double sp_calibration_margin(const struct sp_calibration *calibration,
                             const struct sp_metric *metric); // NAN: none

#endif
