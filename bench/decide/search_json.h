// A search as JSON: servepath.search/1, proto/search.schema.json. One thread.
#ifndef SP_DECIDE_SEARCH_JSON_H
#define SP_DECIDE_SEARCH_JSON_H

#include "decide/search_record.h"

#define SP_SEARCH_SCHEMA "servepath.search/1"

// With a final line end; free with free().
char *sp_searches_json(const struct sp_searches_plan *plan, const struct sp_searches *searches);

#endif
