// --mean-of, and --pairs beside it.
#ifndef SP_CMD_PAIRS_ARG_H
#define SP_CMD_PAIRS_ARG_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SP_PAIRS_ARG_HELP                                                                                    \
  "take the mean of N neighbouring pairs as one, for cpu_per_event over many short trials; looks and fresh " \
  "pairs are N times as many"

// text: of --mean-of, NULL: not given, which is 1. n_pairs: of --pairs, 0: not given; else it must be whole means. SP_ERR_USAGE.
enum sp_err sp_pairs_arg_read(const char *text, uint64_t n_pairs, size_t *mean_of, struct sp_error *error);

#endif
