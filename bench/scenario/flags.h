// The options of a verb that takes a scenario: its own, the common ones, and one for each key that has a flag.
#ifndef SP_SCENARIO_FLAGS_H
#define SP_SCENARIO_FLAGS_H

#include "base/args.h"
#include "base/conf.h"
#include "scenario/cli.h"

// options[i] sets keys[i] ("sides.*.threads"); keys[i] is NULL where it is no key. Groups: the verb's own options come
// first, then the common ones, then the keys'.
struct sp_flags {
  struct sp_option *options; // ends with a zeroed one
  char **keys;
  const struct sp_key **declared; // NULL where it is no key
  size_t n;
  size_t n_before_keys;
};
void sp_flags_init(struct sp_flags *flags, const struct sp_cli_verb *verb);
void sp_flags_done(struct sp_flags *flags);

// How a value of this kind is written: "TIME", "RATE", "constant|poisson".
const char *sp_kind_form(enum sp_kind kind);

#endif
