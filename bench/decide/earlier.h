// What an earlier call of the same command left in its folder: to go on with, to own up to, and not to note twice. One thread.
#ifndef SP_DECIDE_EARLIER_H
#define SP_DECIDE_EARLIER_H

#include "decide/judge.h"
#include "scenario/scenario.h"

// Two lines, from malloc, that differ where this program or the recording does: what no scenario's digest says. Reads both files.
// SP_ERR_ENVIRONMENT: one of them cannot be read.
enum sp_err sp_earlier_made_of(const struct sp_scenario *scenario, char **text, struct sp_error *error);

// DIR/comparison.json; NULL: there is none, or none that this version reads. Free with sp_comparison_free.
struct sp_comparison *sp_earlier_read(const char *dir);
// The same comparison, later: its id and start.
void sp_earlier_carry_on(const struct sp_comparison *earlier, struct sp_comparison *c);

// Who looks, and goes on until the figures please, is wrong more often than any level says. The announced looks share one budget; one that
// is none of this call's was taken beside it. Returns what must be said of it, from malloc; NULL: nothing. Once said, it stays said.
// n_pairs and mean_of: that are asked for now. earlier: NULL is allowed.
char *sp_earlier_unannounced(const struct sp_comparison *earlier, const struct sp_look *looks, size_t n_looks,
                             size_t n_pairs, size_t mean_of);

// Whether c says anything that the earlier one, where it was complete, did not: of a trial that counts, or by another verdict of a
// gate. The same figures twice in a history would pass for two measurements. earlier: NULL is allowed.
bool sp_earlier_lacks(const struct sp_comparison *earlier, const struct sp_comparison *c);

#endif
