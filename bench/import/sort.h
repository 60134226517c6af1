// Events by time, in bounded memory: they wait in a file without a name, and what is sorted is an index of them, in runs
// that are merged at the end. One thread.
#ifndef SP_IMPORT_SORT_H
#define SP_IMPORT_SORT_H

#include "base/err.h"
#include "recording/recording.h"

struct sp_sorter;

// `beside`: the two temporary files lie in this file's folder, and vanish with the process. SP_ERR_ENVIRONMENT.
enum sp_err sp_sorter_new(const char *beside, struct sp_sorter **sorter, struct sp_error *error);
void sp_sorter_free(struct sp_sorter *sorter); // NULL is allowed
enum sp_err sp_sorter_add(struct sp_sorter *sorter, int64_t time_ns, const struct sp_event *event,
                          struct sp_error *error);
// After the last add: the events by time, equal times in the order of adding. *event is valid until the next call.
enum sp_err sp_sorter_next(struct sp_sorter *sorter, int64_t *time_ns, struct sp_event *event, bool *end,
                           struct sp_error *error);

#endif
