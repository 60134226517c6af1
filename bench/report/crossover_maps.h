// What the forms of a crossover map share; for the crossover files of report/ alone.
#ifndef SP_REPORT_CROSSOVER_MAPS_H
#define SP_REPORT_CROSSOVER_MAPS_H

#include "report/crossover.h"

#define SP_CROSS_TEXT_BYTES 96

// Names of the metrics that some cell has figures of, in that order; from malloc, the names borrowed.
const char **sp_cross_metrics(const struct sp_sweep *sweep, size_t *n);
const char *sp_cross_title(const char *metric); // "response p99"; the name where it is unknown
// One map a combination of the third and further axes: how many, and the place of the i-th (at[0] and at[1] are 0).
size_t sp_cross_slices(const struct sp_sweep *sweep);
void sp_cross_slice(const struct sp_sweep *sweep, size_t slice_i, size_t *at);
// The cell's symbol or word: "rpc", "=", "rpc only"; returns text.
char *sp_cross_text(const struct sp_cross_cell *cell, char *text, size_t n);
const char *sp_cross_name(enum sp_cross cross); // "wins", "same", ...
// Who wins at the low and the high end.
const char *sp_crossing_below(const struct sp_sweep *sweep, const struct sp_crossing *crossing);
const char *sp_crossing_above(const struct sp_sweep *sweep, const struct sp_crossing *crossing);
// "response p50, batch=8: rpc wins at rate=2000/s, embedded at rate=4000/s; about equal at 2300/s": as every form says it. Not made
// printable; from malloc.
char *sp_crossing_text(const struct sp_sweep *sweep, const struct sp_crossing *crossing);

#endif
