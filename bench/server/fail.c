// Failures of the stub server.
#include "server/fail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "base/units.h"
#include "rpc/library.h"

#define N_RULES_MAX 8

struct rule {
  int status;
  double chance;      // 0: by number
  uint64_t every, at; // 0: not that
};

struct sp_fail_plan {
  uint64_t seed;
  size_t n_rules;
  struct rule rules[N_RULES_MAX];
};

static enum sp_err parse_rule(const char *text, struct rule *rule, struct sp_error *error) {
  const char *colon = strchr(text, ':');
  char name[32];
  snprintf(name, sizeof name, "%.*s", colon ? (int)(colon - text) : 0, text);
  rule->status = sp_status_of_name(name);
  if (!colon || rule->status <= 0) {
    return sp_fail(error, SP_ERR_USAGE,
                   "fail: %s: \"%s\" is no status of gRPC that fails; write UNAVAILABLE:1%%, "
                   "DEADLINE_EXCEEDED:every=100 or INTERNAL:at=17",
                   text, name);
  }
  struct sp_error why;
  uint64_t *number = strncmp(colon + 1, "every=", 6) == 0 ? &rule->every
                     : strncmp(colon + 1, "at=", 3) == 0  ? &rule->at
                                                          : NULL;
  enum sp_err err = number ? sp_units_parse_count(strchr(colon, '=') + 1, number, &why)
                           : sp_units_parse_share(colon + 1, &rule->chance, &why);
  if (err) return sp_fail(error, SP_ERR_USAGE, "fail: %s: %s", text, why.text);
  if (number && !*number) return sp_fail(error, SP_ERR_USAGE, "fail: %s: calls are counted from 1", text);
  return SP_OK;
}

enum sp_err sp_fail_plan_new(const char *text, uint64_t seed, struct sp_fail_plan **made,
                             struct sp_error *error) {
  struct sp_fail_plan *plan = sp_alloc(sizeof *plan);
  plan->seed = seed;
  char *copy = sp_copy_text(text), *rest = copy;
  enum sp_err err = SP_OK;
  for (char *rule; !err && (rule = strsep(&rest, ",")) != NULL;) {
    if (plan->n_rules == N_RULES_MAX)
      err = sp_fail(error, SP_ERR_USAGE, "fail: %s has more than %d rules", text, N_RULES_MAX);
    else
      err = parse_rule(rule, &plan->rules[plan->n_rules++], error);
  }
  free(copy);
  if (err)
    sp_fail_plan_free(plan);
  else
    *made = plan;
  return err;
}

void sp_fail_plan_free(struct sp_fail_plan *plan) {
  free(plan);
}

int sp_fail_plan_status(const struct sp_fail_plan *plan, uint64_t k) {
  struct sp_prng prng;
  sp_prng_init(&prng, plan->seed * UINT64_C(0x9e3779b97f4a7c15) + k, SP_PRNG_FAULT);
  for (size_t i = 0; i < plan->n_rules; i++) {
    const struct rule *rule = &plan->rules[i];
    if (rule->every && k % rule->every == 0) return rule->status;
    if (rule->at == k) return rule->status;
    // uniform is in (0, 1]: a chance of 100 % always holds, one of 0 never.
    if (!rule->every && !rule->at && sp_prng_uniform(&prng) <= rule->chance) return rule->status;
  }
  return 0;
}
