// What a sweep varies: the grammar of --sweep, the grid that it makes, and the order in which that is measured. Pure.
//
//   KEY=ITEM,ITEM...   ITEM: a value, A..B:xN (A, A N, A N^2 ... up to B) or A..B:+N (A, A + N ... up to B)
//   KEY                the name of a flag (rate, rpc_delay, rpc-delay), or any key in full (load.rate, sides.rpc.batch)
//
// A side's key under its flag's name holds for every side, as the flag does; what --side says of one side would win over it, so that
// both together are refused. A model's cost is swept by what makes it costly: model.version or model.dir (the same model's heavier
// versions, on every side), or `delay` of a reference server with --stub, on the side that calls it alone.
#ifndef SP_DECIDE_AXES_H
#define SP_DECIDE_AXES_H

#include "result/sweep.h"
#include "scenario/cli.h"

#define SP_AXIS_VALUES_MAX 64
#define SP_SWEEP_CELLS_MAX 1024

// One --sweep into *axis (owned; sp_sweep_done of its sweep frees it). *flag (from malloc) is the option that sets the key, "--rate"; NULL: it
// is set by --set. SP_ERR_USAGE: no such key (with the nearest), no value, one twice, a range that is none or has too many.
// Values that are not a range's are checked when a cell's scenario is loaded.
enum sp_err sp_axis_parse(const struct sp_cli_verb *verb, const char *text, struct sp_sweep_axis *axis,
                          char **flag, struct sp_error *error);
// What the command line says beside it: SP_ERR_USAGE where the same key is set, or swept, again.
enum sp_err sp_axes_check(const struct sp_cli *cli, const struct sp_sweep_axis *axes, size_t n,
                          struct sp_error *error);
// Fills cells (names, values) from the axes. SP_ERR_USAGE: more than SP_SWEEP_CELLS_MAX.
enum sp_err sp_axes_cells(struct sp_sweep *sweep, struct sp_error *error);
// Indices of all cells, from malloc: the corners first, then what halves the gaps, so that a sweep that is broken off has seen all of the
// grid coarsely.
size_t *sp_axes_order(const struct sp_sweep *sweep);

#endif
