// Bounds of a search, and whether a trial meets them.
#include "decide/search_slo.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"

#define EXCEEDANCES 20  // that resolve a percentile (DESIGN §3.4)
#define MARGIN      1.3 // a poisson schedule may hold fewer events than its rate says

void sp_search_slo_of(const struct sp_expect_conf *expect, const struct sp_side *side,
                      struct sp_search_slo *slo) {
  *slo = (struct sp_search_slo){
      .limit_ns = {expect->p50_ns, expect->p90_ns, expect->p95_ns, expect->p99_ns, expect->p99_9_ns},
      .is_standard = true,
      .is_not_ok_standard = expect->not_ok < 0,
      .not_ok = expect->not_ok < 0 ? SP_SEARCH_STANDARD_NOT_OK : expect->not_ok};
  for (int i = 0; i < SP_PERCENTILES; i++) slo->is_standard &= slo->limit_ns[i] == 0;
  if (slo->is_standard) slo->limit_ns[SP_P99] = SP_SEARCH_STANDARD_P99_NS;
  // A bound below p99 says nothing of how long the last events of a window may wait.
  slo->backlog_ns = slo->limit_ns[SP_P99] ? slo->limit_ns[SP_P99] : slo->limit_ns[SP_P99_9];
  for (int i = 0; i < SP_P99 && !slo->backlog_ns; i++) {
    if (slo->limit_ns[i] > SP_SEARCH_STANDARD_P99_NS) slo->backlog_ns = slo->limit_ns[i];
  }
  if (!slo->backlog_ns) slo->backlog_ns = SP_SEARCH_STANDARD_P99_NS;
  if (side->app.delivery == SP_DELIVERY_EXACTLY_ONCE) slo->backlog_ns += 2 * side->app.commit_interval_ns;
}

char *sp_search_slo_text(const struct sp_search_slo *slo, char *text, size_t n) {
  char limit[SP_UNITS_TEXT_BYTES];
  size_t at = 0;
  text[0] = '\0';
  for (int i = 0; i < SP_PERCENTILES && at < n; i++) {
    if (!slo->limit_ns[i]) continue;
    sp_units_write_duration(slo->limit_ns[i], limit, sizeof limit);
    at += (size_t)snprintf(text + at, n - at, "%s%s <= %s", at ? ", " : "", sp_percentile_name[i], limit);
  }
  if (slo->is_standard && at < n) at += (size_t)snprintf(text + at, n - at, " (standard)");
  if (at < n)
    snprintf(text + at, n - at, ", not ok <= %s%s", sp_units_print_share(slo->not_ok, limit, sizeof limit),
             slo->is_not_ok_standard ? " (standard)" : "");
  return text;
}

uint64_t sp_search_slo_events(const struct sp_search_slo *slo) {
  double most = 0;
  for (int i = 0; i < SP_PERCENTILES; i++) {
    if (slo->limit_ns[i]) most = fmax(most, EXCEEDANCES * MARGIN / (1 - sp_percentile_q[i]));
  }
  return (uint64_t)ceil(most);
}

// --- One trial ---

static void say(struct sp_probe_outcome *outcome, enum sp_probe_verdict verdict, const char *reason) {
  outcome->verdict = verdict;
  snprintf(outcome->reason, sizeof outcome->reason, "%s", reason);
}

// The first reason against the driver other than that warm-up had not settled; NULL: none. Checks add their reasons in order.
static const char *driver_reason(const struct sp_result *r, bool *is_settled) {
  size_t n_before = 0, unsettled = SIZE_MAX;
  for (size_t i = 0; i < r->n_checks; i++) {
    const struct sp_check *check = &r->checks[i];
    if (check->met) continue;
    if (check->name && strcmp(check->name, "backlog_at_t0") == 0) unsettled = n_before;
    n_before++;
  }
  *is_settled = unsettled == SIZE_MAX;
  for (size_t i = 0; i < r->n_reasons; i++) {
    if (i != unsettled) return r->reasons[i];
  }
  return NULL;
}

struct bounds {
  enum sp_probe_verdict verdict;
  double nearest;                     // share of its bound that the worst percentile takes
  char reason[SP_PROBE_REASON_BYTES]; // of the first that was missed
  char met[SP_PROBE_REASON_BYTES];    // of the nearest that was met
};

static void look_at_percentile(const struct sp_result *r, int i, int64_t limit_ns, struct bounds *b) {
  const struct sp_latency *response = &r->response;
  char value[SP_UNITS_TEXT_BYTES], limit[SP_UNITS_TEXT_BYTES], text[SP_PROBE_REASON_BYTES];
  enum sp_percentile_state state = response->state[i];
  bool has_value = response->present && response->percentile_ns[i] >= 0;
  bool is_missed = state == SP_PERCENTILE_NO_ANSWER || (has_value && response->percentile_ns[i] > limit_ns);
  sp_units_write_duration(limit_ns, limit, sizeof limit);
  if (has_value) sp_units_print_duration(response->percentile_ns[i], value, sizeof value);
  snprintf(text, sizeof text, "%s %s %s %s%s%s", sp_percentile_name[i], has_value ? value : "no answer",
           is_missed ? ">" : "<=", limit, state == SP_PERCENTILE_EPISODIC ? " (episodic)" : "",
           is_missed && response->driver_limited[i] ? " (driver-limited)" : "");
  if (!has_value && state != SP_PERCENTILE_NO_ANSWER) {
    if (b->verdict == SP_PROBE_PASSED) b->verdict = SP_PROBE_INVALID;
    snprintf(b->reason, sizeof b->reason, "%s unresolved: too few events", sp_percentile_name[i]);
  } else if (!is_missed) {
    double share = (double)response->percentile_ns[i] / (double)limit_ns;
    if (share <= b->nearest) return;
    b->nearest = share;
    memcpy(b->met, text, sizeof b->met);
  } else if (b->verdict != SP_PROBE_FAILED) {
    b->verdict = response->driver_limited[i] ? SP_PROBE_INVALID : SP_PROBE_FAILED;
    memcpy(b->reason, text, sizeof b->reason);
  }
}

// Counts that fail the system, in words; false: none.
static bool is_failed_by_counts(const struct sp_search_slo *slo, const struct sp_result *r, char *reason,
                                size_t n) {
  char value[SP_UNITS_TEXT_BYTES], limit[SP_UNITS_TEXT_BYTES];
  double share = sp_result_not_ok_share(r);
  if (r->outcomes[SP_OUTCOME_LOST] > 0) {
    sp_units_print_count((uint64_t)r->outcomes[SP_OUTCOME_LOST], value, sizeof value);
    snprintf(reason, n, "%s event%s lost", value, r->outcomes[SP_OUTCOME_LOST] > 1 ? "s" : "");
  } else if (r->outcomes[SP_OUTCOME_SHED] > 0) {
    sp_units_print_count((uint64_t)r->outcomes[SP_OUTCOME_SHED], value, sizeof value);
    snprintf(reason, n, "%s event%s shed: there was no room", value,
             r->outcomes[SP_OUTCOME_SHED] > 1 ? "s" : "");
  } else if (share > slo->not_ok) {
    snprintf(reason, n, "not ok %s > %s", sp_units_print_share(share, value, sizeof value),
             sp_units_print_share(slo->not_ok, limit, sizeof limit));
  } else {
    return false;
  }
  return true;
}

static bool has_backlog(const struct sp_search_slo *slo, const struct sp_result *r, char *reason, size_t n) {
  char value[SP_UNITS_TEXT_BYTES], limit[SP_UNITS_TEXT_BYTES];
  double most = fmax(1, r->offered_per_s * (double)slo->backlog_ns * 1e-9);
  if ((double)r->backlog_at_t1 <= most) return false;
  snprintf(reason, n, "backlog %s > %s at the end",
           sp_units_print_count((uint64_t)r->backlog_at_t1, value, sizeof value),
           sp_units_print_count((uint64_t)most, limit, sizeof limit));
  return true;
}

void sp_search_judge(const struct sp_search_slo *slo, const struct sp_result *r,
                     struct sp_probe_outcome *outcome) {
  bool is_settled;
  char reason[SP_PROBE_REASON_BYTES];
  const char *driver = driver_reason(r, &is_settled);
  struct bounds bounds = {.verdict = SP_PROBE_PASSED, .nearest = -1};
  for (int i = 0; i < SP_PERCENTILES; i++) {
    if (slo->limit_ns[i]) look_at_percentile(r, i, slo->limit_ns[i], &bounds);
  }
  if (!r->complete)
    say(outcome, SP_PROBE_INVALID, r->incomplete ? r->incomplete : "incomplete");
  else if (driver)
    say(outcome, SP_PROBE_INVALID, driver);
  else if (bounds.verdict == SP_PROBE_FAILED)
    say(outcome, SP_PROBE_FAILED, bounds.reason);
  else if (is_failed_by_counts(slo, r, reason, sizeof reason))
    say(outcome, SP_PROBE_FAILED, reason);
  else if (bounds.verdict == SP_PROBE_INVALID)
    say(outcome, SP_PROBE_INVALID, bounds.reason);
  else if (r->backlog_at_t1 < 0)
    say(outcome, SP_PROBE_INVALID, "the result does not say how many events waited at the end");
  else if (has_backlog(slo, r, reason, sizeof reason))
    say(outcome, SP_PROBE_FAILED, reason);
  else if (!is_settled)
    say(outcome, SP_PROBE_INVALID, "warm-up had not settled; use a longer --warmup");
  else
    say(outcome, SP_PROBE_PASSED, bounds.met);
}
