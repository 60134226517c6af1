// A search as JSON: servepath.search/1, proto/search.schema.json. One thread.
#ifndef SP_DECIDE_SEARCH_JSON_H
#define SP_DECIDE_SEARCH_JSON_H

#include "decide/search_record.h"

#define SP_SEARCH_SCHEMA "servepath.search/1"
#define SP_SEARCH_FILE   "search.json"

// With a final line end; free with free().
char *sp_searches_json(const struct sp_searches_plan *plan, const struct sp_searches *searches);

// Whether DIR/search.json is there, and of a search that ended.
bool sp_searches_had_ended(const char *dir);

#endif
