// What a person sees on stderr while pairs are run: on a terminal a small table that is drawn again after each pair, else a line a pair.
#ifndef SP_DECIDE_PAIRS_LIVE_H
#define SP_DECIDE_PAIRS_LIVE_H

#include "decide/pairs.h"

struct sp_pairs_live {
  bool is_quiet, is_terminal;
  size_t n_lines; // of the table that stands there now
  int64_t start_ns;
};

void sp_pairs_live_init(struct sp_pairs_live *live, bool is_quiet);
// After a pair. c: what is known so far; n_most: pairs of the last look.
void sp_pairs_live_show(struct sp_pairs_live *live, const struct sp_pairs *pairs,
                        const struct sp_comparison *c, size_t n_most);

#endif
