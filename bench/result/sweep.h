// A grid of comparisons: sweep.json (servepath.sweep/1, proto/sweep.schema.json), as plain C. Each cell is a comparison in a
// folder of its own. One thread. Texts belong to the sweep; absent ones are NULL, absent figures NAN.
#ifndef SP_RESULT_SWEEP_H
#define SP_RESULT_SWEEP_H

#include "result/comparison.h"

#define SP_SWEEP_SCHEMA "servepath.sweep/1"
#define SP_SWEEP_FILE   "sweep.json"
#define SP_SWEEP_AXES   6

struct sp_sweep_axis {
  char *name; // as its user wrote it: "rate"
  char *key;  // "load.rate"
  char **values;
  size_t n_values;
};

enum sp_sweep_state {
  SP_SWEEP_PENDING, // not begun, or begun and broken off: its pairs lie there
  SP_SWEEP_DONE,    // its comparison is complete, whatever it says
  SP_SWEEP_FAILED,  // it came to no comparison; `error` says why. Tried again when the sweep is resumed
  SP_SWEEP_STATE_COUNT
};

struct sp_sweep_side { // of one cell
  char *name;
  enum sp_met meets; // all bounds of the scenario: YES (also where there are none), NO: some bound is missed
};
struct sp_sweep_figure { // of one side against the reference, of the cell's family
  char *metric;
  char *side;
  double ratio, low, high, level;
  enum sp_verdict verdict;
};
struct sp_sweep_cell {
  char *name;    // "rate=500_s,batch=8": its folder in cells/
  char **values; // one of each axis
  size_t n_values;
  char *digest; // of all that decides what it measures: resuming under other settings is refused
  enum sp_sweep_state state;
  char *comparison; // path of its comparison.json, relative to the folder of sweep.json; NULL: none
  char *verdict;    // its sentence
  char *error;
  int64_t n_differing; // predictions that are not as expected, or differ between sides
  int exit_code;       // of the comparison, or that stands for the error
  struct sp_sweep_side *sides;
  size_t n_sides;
  struct sp_sweep_figure *figures;
  size_t n_figures;
};

struct sp_sweep {
  bool complete; // no cell is pending
  char *started_at;
  char *scenario; // its name
  char **command;
  size_t n_command;
  char **sides;
  size_t n_sides;
  char *reference; // one of the sides
  struct sp_sweep_axis *axes;
  size_t n_axes;
  struct sp_sweep_cell *cells; // the last axis runs fastest; their product many
  size_t n_cells;
};

void sp_sweep_done(struct sp_sweep *sweep); // frees; zeroed is allowed
// What the cell's comparison came to: sides, figures, verdict, exit code; its state is then DONE where that is complete.
void sp_sweep_cell_take(struct sp_sweep_cell *cell, const struct sp_comparison *comparison);
// Index of a cell by one index per axis.
size_t sp_sweep_cell_at(const struct sp_sweep *sweep, const size_t *at);

// As sp_comparison_json, _write and _read, for FOLDER/sweep.json; reading also checks that cells are as many as axes make.
char *sp_sweep_json(const struct sp_sweep *sweep);
enum sp_err sp_sweep_write(const struct sp_sweep *sweep, const char *folder, struct sp_error *error);
enum sp_err sp_sweep_read(const char *path, struct sp_sweep *sweep, struct sp_error *error);

#endif
