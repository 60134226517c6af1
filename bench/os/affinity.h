// Which processors a process or thread may run on.
#ifndef SP_OS_AFFINITY_H
#define SP_OS_AFFINITY_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

// A set of processors. Empty (zeroed): left to the kernel.
struct sp_cpus {
  cpu_set_t set;
};

bool sp_cpus_is_empty(const struct sp_cpus *cpus);
size_t sp_cpus_count(const struct sp_cpus *cpus);
// Number of the i-th processor of the set, -1 past its end.
int sp_cpus_nth(const struct sp_cpus *cpus, size_t i);
// The set of one processor.
struct sp_cpus sp_cpus_one(int cpu);
bool sp_cpus_overlap(const struct sp_cpus *a, const struct sp_cpus *b);
// "0-1,4" into text (always terminated, "" if empty); returns text.
char *sp_cpus_text(const struct sp_cpus *cpus, char *text, size_t n);

// The processors that this process may use now (its affinity mask, which cpusets narrow).
void sp_cpus_allowed(struct sp_cpus *cpus);

// `driver=0,app=1-2,server=1-2,5`: a part without `=` adds to the role before it. Fills cpus[i] for roles[i];
// a role that is not named, and every role where text is NULL or "none", is left empty. SP_ERR_USAGE for an
// unknown role, a malformed number, a processor that this process may not use, with what is allowed; `key`
// names the setting in messages.
enum sp_err sp_cpus_parse_roles(const char *key, const char *text, const char *const *roles, size_t n_roles,
                                struct sp_cpus *cpus, struct sp_error *error);

// The calling thread, and threads it starts from now on. An empty set does nothing.
enum sp_err sp_cpus_apply(const struct sp_cpus *cpus, struct sp_error *error);

#endif
