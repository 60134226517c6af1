// Budgets side by side.
#include "decide/fairness.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"

static const char *const waits[] = {"park", "spin", "hybrid"};
static const char *const orders[] = {"none", "key"};
static const char *const deliveries[] = {"at-least-once", "exactly-once"};

enum budget { THREADS, BATCH, WAIT, APPS, ORDER, DELIVERY, COMMIT, BUDGETS };
static const char *const titles[BUDGETS] = {"threads", "batch",    "wait",           "apps",
                                            "order",   "delivery", "commit_interval"};

static char *budget_text(const struct sp_side *side, enum budget budget, char *text, size_t n) {
  const struct sp_app_conf *app = &side->app;
  switch (budget) {
  case THREADS: snprintf(text, n, "%" PRIu64, app->threads); break;
  case BATCH: snprintf(text, n, "%" PRIu64, app->batch); break;
  case WAIT: snprintf(text, n, "%s", waits[app->wait]); break;
  case APPS: snprintf(text, n, "%" PRIu64, app->apps); break;
  case ORDER: snprintf(text, n, "%s", orders[app->order]); break;
  case DELIVERY: snprintf(text, n, "%s", deliveries[app->delivery]); break;
  case COMMIT: sp_units_write_duration(app->commit_interval_ns, text, n); break;
  default: sp_panic(__FILE__, __LINE__, "a known budget");
  }
  return text;
}

// An application of somebody else's takes none of these from us.
static bool is_ours(const struct sp_side *side) {
  return !side->app.command;
}

static void remark_on(const struct sp_side *const *sides, size_t n_sides, enum budget budget,
                      struct sp_comparison *c) {
  char line[512] = "", first[32] = "", text[32];
  size_t used = 0;
  bool is_same = true;
  for (size_t i = 0; i < n_sides; i++) {
    if (!is_ours(sides[i])) continue;
    budget_text(sides[i], budget, text, sizeof text);
    if (!first[0]) memcpy(first, text, sizeof first);
    is_same &= strcmp(first, text) == 0;
    int n = snprintf(line + used, sizeof line - used, "%s%.40s %s", used ? ", " : "", sides[i]->name, text);
    used = used + (size_t)n < sizeof line ? used + (size_t)n : sizeof line - 1;
  }
  if (!is_same) sp_comparison_remark(c, "%s differ: %s; the ratios are of that too", titles[budget], line);
}

void sp_fairness_remark(const struct sp_scenario *scenario, const struct sp_side *const *sides,
                        size_t n_sides, struct sp_comparison *c) {
  bool is_kafka = scenario->stream.transport == SP_TRANSPORT_KAFKA;
  for (int budget = 0; budget < BUDGETS; budget++) {
    if (is_kafka || budget < APPS || budget == ORDER) remark_on(sides, n_sides, (enum budget)budget, c);
  }
  for (size_t i = 0; i < n_sides; i++) {
    if (!is_ours(sides[i]))
      sp_comparison_remark(
          c, "%.40s is an application of others (%.80s): measured as a black box, its stages are not known",
          sides[i]->name, sides[i]->app.command);
  }
}
