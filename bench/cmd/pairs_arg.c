#include "cmd/pairs_arg.h"

#include "base/units.h"

#define MEAN_OF_MOST 32

enum sp_err sp_pairs_arg_read(const char *text, uint64_t n_pairs, size_t *mean_of, struct sp_error *error) {
  struct sp_error what;
  uint64_t n = 1;
  *mean_of = 1;
  if (text && sp_units_parse_count(text, &n, &what))
    return sp_fail(error, SP_ERR_USAGE, "--mean-of: %s", what.text);
  if (n < 1 || n > MEAN_OF_MOST)
    return sp_fail(error, SP_ERR_USAGE, "--mean-of: %zu is not 1 to %d", (size_t)n, MEAN_OF_MOST);
  if (n_pairs % n)
    return sp_fail(error, SP_ERR_USAGE,
                   "--pairs: %zu are no whole means of %zu (--mean-of); write for example %zu",
                   (size_t)n_pairs, (size_t)n, (size_t)(n_pairs > n ? n_pairs - n_pairs % n : n));
  *mean_of = (size_t)n;
  return SP_OK;
}
