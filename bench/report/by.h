// The value of a trial by which a reader wants rows told apart: --by KEY.
#ifndef SP_REPORT_BY_H
#define SP_REPORT_BY_H

#include "result/result.h"

// Of the tag `key`; else the fact of that name in a group (build.version, machine.cpu, load.threads, tags.branch); else of the load
// (rate_per_s, threads, batch); else the scenario's resolved key, also of the trial's own side (load.rate, rate, in_flight, server.delay).
// "-" and false where none of these is there; printable.
bool sp_by_value(const struct sp_result *result, const char *key, char *text, size_t n);
// As strcmp, but numbers by their size: 500/s before 8000/s.
int sp_by_compare(const char *a, const char *b);

#endif
