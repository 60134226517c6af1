// The end of a search's record, and what it comes to.
#include "decide/search_record.h"

#include <stdlib.h>

void sp_searches_done(struct sp_searches *searches) {
  for (size_t i = 0; i < searches->n_sides; i++) {
    struct sp_side_search *side = &searches->sides[i];
    for (size_t k = 0; k < side->n_probed; k++) free(side->probed[k].dir);
    free(side->probed);
    sp_search_done(&side->search);
    sp_result_free(side->first);
  }
  free(searches->incomplete);
}

int sp_searches_exit_code(const struct sp_searches *searches) {
  bool is_unknown = false, has_failed = false, is_open = false;
  for (size_t i = 0; i < searches->n_sides; i++) {
    const struct sp_side_search *side = &searches->sides[i];
    enum sp_search_verdict verdict = side->search.verdict;
    is_unknown |= verdict == SP_SEARCH_UNKNOWN;
    has_failed |= verdict == SP_SEARCH_NONE;
    is_open |= verdict == SP_SEARCH_DRIVER_LIMITED || verdict == SP_SEARCH_UNSETTLED ||
               verdict == SP_SEARCH_UNFINISHED;
    for (size_t k = 0; k < side->n_probed; k++) has_failed |= side->probed[k].mismatched > 0;
  }
  if (is_unknown) return sp_exit_code(SP_ERR_INVALID);
  if (has_failed) return sp_exit_code(SP_ERR_FAILED);
  return is_open ? sp_exit_code(SP_ERR_INCONCLUSIVE) : 0;
}
