// compare --sweep: a grid of comparisons, one after the other, each in a folder of its own, and what they say together.
//
//   DIR/sweep.json, crossover.md, report.html (at the end, however it comes)
//   DIR/cells/rate=500_s,batch=8/{comparison.json, report.html, pairs/...}
//
// Resumable: cells whose comparison is complete are not run again, the one that was broken off goes on with its pairs, those that
// failed are tried again. A cell that fails is data, and the next one is run.
#ifndef SP_DECIDE_SWEEP_H
#define SP_DECIDE_SWEEP_H

#include "os/process.h"
#include "result/sweep.h"
#include "scenario/cli.h"

// One cell: what `servepath compare` does with that command line, its results in cli->out_dir. *c is NULL after an error; one that is not
// complete was broken off by a signal. argv is the cell's own, as it would be typed.
typedef enum sp_err sp_sweep_compare(void *context, const struct sp_cli *cli,
                                     const struct sp_scenario *scenario, int argc, char **argv,
                                     struct sp_comparison **c, struct sp_error *error);

struct sp_sweep_plan {      // everything is borrowed
  const struct sp_cli *cli; // of the whole command; its verb's option --sweep has been given
  int argc;
  char **argv;              // argv[0] is the verb
  const char *scenario;     // its name
  const char *const *sides; // names of those that are compared
  size_t n_sides, reference_i, n_pairs;
  const char *dir; // made if missing
  sp_sweep_compare *compare;
  void *context;
  struct sp_supervisor *supervisor; // its signal ends the sweep after the cell under way; NULL: none
  bool is_quiet;
};

// Loads every cell's scenario before anything starts, prints about how long it will take, blocks for as long. *sweep (zeroed before,
// sp_sweep_done after, whatever is returned) is what stands in DIR/sweep.json, which is written after each cell. SP_ERR_USAGE: the axes,
// a cell that cannot be (the whole message names it), or a folder that holds a sweep of other settings, or of another build. SP_ERR_ENVIRONMENT:
// the folder cannot be written.
enum sp_err sp_sweep_run(const struct sp_sweep_plan *plan, struct sp_sweep *sweep, struct sp_error *error);
// 128 + signal; 3 where no cell came to a comparison (or what the first error stands for); 1 where predictions differ in some cell; 4 where no
// metric of any cell concludes; else 0: that a side misses a bound somewhere is what a sweep is to find out.
int sp_sweep_exit_code(const struct sp_sweep *sweep, int signal);

#endif
