// Failures of the stub server.
#include "server/fail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "base/units.h"
#include "rpc/library.h"
#include "server/which.h"

#define N_RULES_MAX 8

struct rule {
  int status;
  double chance;
  struct sp_which *which; // NULL: by chance
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
                   "DEADLINE_EXCEEDED:every=100, INTERNAL:at=17 or UNAVAILABLE:at_event=17",
                   text, name);
  }
  if (sp_which_is(colon + 1)) return sp_which_new("fail", colon + 1, &rule->which, error);
  struct sp_error why;
  if (sp_units_parse_share(colon + 1, &rule->chance, &why) == SP_OK) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE, "fail: %s: %s", text, why.text);
}

// Cuts the next rule off *text, in place: at a semicolon, or at a comma, unless a number or `once` behind it goes on
// with the same rule.
static char *next_rule(char **text) {
  if (!*text) return NULL;
  char *rule = *text, *end = rule;
  for (; *end && *end != ';'; end++) {
    bool goes_on = (end[1] >= '0' && end[1] <= '9') || strncmp(end + 1, "once", 4) == 0;
    if (*end == ',' && !goes_on) break;
  }
  *text = *end ? end + 1 : NULL;
  *end = '\0';
  return rule;
}

enum sp_err sp_fail_plan_new(const char *text, uint64_t seed, struct sp_fail_plan **made,
                             struct sp_error *error) {
  struct sp_fail_plan *plan = sp_alloc(sizeof *plan);
  plan->seed = seed;
  char *copy = sp_copy_text(text), *rest = copy;
  enum sp_err err = SP_OK;
  for (char *rule; !err && (rule = next_rule(&rest)) != NULL;) {
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
  if (!plan) return;
  for (size_t i = 0; i < plan->n_rules; i++) sp_which_free(plan->rules[i].which);
  free(plan);
}

static bool is_of_events(const struct rule *rule) {
  return rule->which && sp_which_is_of_events(rule->which);
}

bool sp_fail_plan_asks_events(const struct sp_fail_plan *plan) {
  for (size_t i = 0; i < plan->n_rules; i++) {
    if (is_of_events(&plan->rules[i])) return true;
  }
  return false;
}

enum sp_err sp_fail_plan_bind(struct sp_fail_plan *plan, size_t n_events, struct sp_error *error) {
  enum sp_err err = SP_OK;
  for (size_t i = 0; i < plan->n_rules && !err; i++) {
    if (is_of_events(&plan->rules[i])) err = sp_which_bind(plan->rules[i].which, n_events, error);
  }
  return err;
}

int sp_fail_plan_status(const struct sp_fail_plan *plan, uint64_t k, size_t event) {
  struct sp_prng prng;
  sp_prng_init(&prng, plan->seed * UINT64_C(0x9e3779b97f4a7c15) + k, SP_PRNG_FAULT);
  for (size_t i = 0; i < plan->n_rules; i++) {
    const struct rule *rule = &plan->rules[i];
    // uniform is in (0, 1]: a chance of 100 % always holds, one of 0 never.
    bool holds = rule->which ? sp_which_holds(rule->which, k, event) : sp_prng_uniform(&prng) <= rule->chance;
    if (holds) return rule->status;
  }
  return 0;
}
