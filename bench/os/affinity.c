// Processor sets: reading, printing, applying them.
#include "os/affinity.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool sp_cpus_is_empty(const struct sp_cpus *cpus) {
  return CPU_COUNT(&cpus->set) == 0;
}

size_t sp_cpus_count(const struct sp_cpus *cpus) {
  return (size_t)CPU_COUNT(&cpus->set);
}

int sp_cpus_nth(const struct sp_cpus *cpus, size_t i) {
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (CPU_ISSET((size_t)cpu, &cpus->set) && i-- == 0) return cpu;
  }
  return -1;
}

struct sp_cpus sp_cpus_one(int cpu) {
  SP_ASSERT(cpu >= 0 && cpu < CPU_SETSIZE);
  struct sp_cpus cpus = {0};
  CPU_SET((size_t)cpu, &cpus.set);
  return cpus;
}

bool sp_cpus_overlap(const struct sp_cpus *a, const struct sp_cpus *b) {
  cpu_set_t both;
  CPU_AND(&both, &a->set, &b->set);
  return CPU_COUNT(&both) > 0;
}

char *sp_cpus_text(const struct sp_cpus *cpus, char *text, size_t n) {
  SP_ASSERT(n > 0);
  text[0] = '\0';
  size_t used = 0;
  for (size_t from = 0; from < CPU_SETSIZE && used < n; from++) {
    if (!CPU_ISSET(from, &cpus->set)) continue;
    size_t to = from;
    while (to + 1 < CPU_SETSIZE && CPU_ISSET(to + 1, &cpus->set)) to++;
    const char *comma = used ? "," : "";
    int wrote = to > from ? snprintf(text + used, n - used, "%s%zu-%zu", comma, from, to)
                          : snprintf(text + used, n - used, "%s%zu", comma, from);
    used += (size_t)wrote;
    from = to;
  }
  return text;
}

void sp_cpus_allowed(struct sp_cpus *cpus) {
  CPU_ZERO(&cpus->set);
  if (sched_getaffinity(0, sizeof cpus->set, &cpus->set) != 0) CPU_SET(0, &cpus->set);
}

// "3" or "1-2" at the start of text; false if it is neither, else *end is what follows.
static bool read_range(const char *text, const char **end, unsigned long *from, unsigned long *to) {
  if (*text < '0' || *text > '9') return false;
  char *stop;
  *from = *to = strtoul(text, &stop, 10);
  if (stop[0] == '-' && stop[1] >= '0' && stop[1] <= '9') *to = strtoul(stop + 1, &stop, 10);
  *end = stop;
  return *from <= *to && *to < CPU_SETSIZE;
}

static enum sp_err add_range(const char *key, const char *part, const char *range, struct sp_cpus *cpus,
                             struct sp_error *error) {
  unsigned long from, to;
  const char *end;
  if (!read_range(range, &end, &from, &to) || *end)
    return sp_fail(error, SP_ERR_USAGE,
                   "%s: \"%s\" is no processor; write ROLE=NUMBER or ROLE=FROM-TO, as in driver=0,app=1", key,
                   part);
  struct sp_cpus allowed;
  char text[128];
  sp_cpus_allowed(&allowed);
  for (; from <= to; from++) {
    if (!CPU_ISSET(from, &allowed.set))
      return sp_fail(error, SP_ERR_USAGE, "%s: \"%s\": this process may not use processor %lu; allowed: %s",
                     key, part, from, sp_cpus_text(&allowed, text, sizeof text));
    CPU_SET(from, &cpus->set);
  }
  return SP_OK;
}

static enum sp_err refuse_role(const char *key, const char *part, const char *const *roles, size_t n_roles,
                               struct sp_error *error) {
  char known[256] = "";
  for (size_t i = 0, used = 0; i < n_roles && used < sizeof known; i++)
    used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", roles[i]);
  return sp_fail(error, SP_ERR_USAGE, "%s: \"%s\" names no role; roles: %s", key, part, known);
}

// One part between commas. *role_i: the role of the part before it, n_roles for the first.
static enum sp_err add_part(const char *key, const char *part, const char *const *roles, size_t n_roles,
                            size_t *role_i, struct sp_cpus *cpus, struct sp_error *error) {
  const char *equals = strchr(part, '=');
  if (equals) {
    size_t n = (size_t)(equals - part);
    for (*role_i = 0; *role_i < n_roles; (*role_i)++) {
      if (strlen(roles[*role_i]) == n && memcmp(roles[*role_i], part, n) == 0) break;
    }
  }
  if (*role_i == n_roles) return refuse_role(key, part, roles, n_roles, error);
  return add_range(key, part, equals ? equals + 1 : part, &cpus[*role_i], error);
}

enum sp_err sp_cpus_parse_roles(const char *key, const char *text, const char *const *roles, size_t n_roles,
                                struct sp_cpus *cpus, struct sp_error *error) {
  memset(cpus, 0, n_roles * sizeof *cpus);
  if (!text || strcmp(text, "none") == 0) return SP_OK;
  enum sp_err err = SP_OK;
  size_t role_i = n_roles;
  char *copy = sp_copy_text(text), *rest = copy, *part;
  while (err == SP_OK && (part = strsep(&rest, ",")))
    err = add_part(key, part, roles, n_roles, &role_i, cpus, error);
  free(copy);
  return err;
}

enum sp_err sp_cpus_apply(const struct sp_cpus *cpus, struct sp_error *error) {
  if (sp_cpus_is_empty(cpus) || sched_setaffinity(0, sizeof cpus->set, &cpus->set) == 0) return SP_OK;
  char text[128];
  return sp_fail(error, SP_ERR_ENVIRONMENT,
                 "cannot run on processors %s (%s); choose others with --cpus, or --cpus none",
                 sp_cpus_text(cpus, text, sizeof text), strerror(errno));
}
