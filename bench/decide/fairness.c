// Budgets side by side.
#include "decide/fairness.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

static const char *const waits[] = {"park", "spin", "hybrid"};
static const char *const orders[] = {"none", "key"};
static const char *const deliveries[] = {"at-least-once", "exactly-once"};

enum budget { THREADS, BATCH, WAIT, APPS, ORDER, DELIVERY, COMMIT, BUDGETS };
static const char *const titles[BUDGETS] = {"threads", "batch",    "wait",           "apps",
                                            "order",   "delivery", "commit_interval"};

// --- One line of all sides ---

#define VALUE_BYTES 128

struct line {
  char text[1024], first[VALUE_BYTES];
  size_t used;
  bool differs;
};

// "a 1, b 2": each value is the side's, cut where it is longer than anybody reads.
static void add_value(struct line *line, const struct sp_side *side, const char *value) {
  if (!line->used) snprintf(line->first, sizeof line->first, "%s", value);
  line->differs |= strncmp(line->first, value, sizeof line->first - 1) != 0;
  int n = snprintf(line->text + line->used, sizeof line->text - line->used, "%s%.40s %.127s",
                   line->used ? ", " : "", side->name, value);
  line->used = line->used + (size_t)n < sizeof line->text ? line->used + (size_t)n : sizeof line->text - 1;
}

// --- Budgets ---

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
  struct line line = {0};
  char text[32];
  for (size_t i = 0; i < n_sides; i++) {
    if (is_ours(sides[i])) add_value(&line, sides[i], budget_text(sides[i], budget, text, sizeof text));
  }
  if (line.differs)
    sp_comparison_remark(c, "%s differ: %s; the ratios are of that too", titles[budget], line.text);
}

// --- Where events travel, and what answers ---

static bool is_over_kafka(const struct sp_scenario *scenario, const struct sp_side *side) {
  return sp_scenario_of_side(scenario, side).stream.transport == SP_TRANSPORT_KAFKA;
}

static void remark_on_ways(const struct sp_scenario *scenario, const struct sp_side *const *sides,
                           size_t n_sides, struct sp_comparison *c) {
  struct line transports = {0}, brokers = {0};
  for (size_t i = 0; i < n_sides; i++) {
    bool is_kafka = is_over_kafka(scenario, sides[i]);
    add_value(&transports, sides[i], is_kafka ? "kafka" : "direct");
    if (is_kafka) add_value(&brokers, sides[i], sp_scenario_way(scenario, sides[i]));
  }
  if (transports.differs)
    sp_comparison_remark(c, "transports differ: %s; the ratios are of that too", transports.text);
  if (brokers.differs)
    sp_comparison_remark(c, "brokers differ: %s; the ratios are of that too", brokers.text);
}

// "fraud 2": the model's name and version.
static void model_text(const struct sp_scenario *scenario, const struct sp_side *side, char *text, size_t n) {
  const struct sp_scenario own = sp_scenario_of_side(scenario, side);
  uint64_t version = own.model.version;
  char *dir = NULL;
  if (sp_model_version_dir(&own.model, &version, &dir, NULL)) version = 0;
  snprintf(text, n, "%.60s %" PRIu64, own.model.name, version);
  free(dir);
}

static bool predicts(const struct sp_side *side) {
  return strcmp(side->path.path, "noop") != 0;
}

static void remark_on_models(const struct sp_scenario *scenario, const struct sp_side *const *sides,
                             size_t n_sides, const bool *is_other_model, struct sp_comparison *c) {
  struct line line = {0};
  const struct sp_side *first = NULL;
  bool are_compared = true, differ = false;
  for (size_t i = 0; i < n_sides; i++) {
    char text[VALUE_BYTES];
    if (!predicts(sides[i])) continue;
    if (!first) first = sides[i];
    differ |= !sp_scenario_is_one_model(scenario, first, sides[i]);
    are_compared &= !is_other_model || !is_other_model[i];
    model_text(scenario, sides[i], text, sizeof text);
    add_value(&line, sides[i], text);
  }
  if (differ)
    sp_comparison_remark(
        c, "models differ: %s; each one's predictions are checked against its own expectations%s", line.text,
        are_compared ? "" : ", and not compared across sides");
}

void sp_fairness_remark(const struct sp_scenario *scenario, const struct sp_side *const *sides,
                        size_t n_sides, const bool *is_other_model, struct sp_comparison *c) {
  bool is_kafka = false;
  for (size_t i = 0; i < n_sides; i++) is_kafka |= is_over_kafka(scenario, sides[i]);
  remark_on_ways(scenario, sides, n_sides, c);
  remark_on_models(scenario, sides, n_sides, is_other_model, c);
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
