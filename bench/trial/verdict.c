// Validity is about the driver, failure about the system: checks first, then bounds.
#include "trial/verdict.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trial/account.h"
#include "trial/matching.h"

#define SENT_SHARE_LEAST   0.999
#define LATE_SHARE_MOST    0.01
#define POLL_GAP_MOST_NS   (10 * SP_NS_PER_MS)
#define STOLEN_SHARE_MOST  0.02
#define CLOCK_STEP_MOST_NS (5 * SP_NS_PER_MS)
#define SLO_STANDARD_NS    (10 * SP_NS_PER_MS)

static void check(struct sp_trial_session *s, const char *name, double value, double limit, bool met,
                  const char *what, const char *remedy) {
  char *reason = sp_format("%s: %.4g, limit %.4g", what, value, limit);
  sp_result_check(s->result, name, value, limit, met, reason, remedy);
  free(reason);
}

static enum sp_only half_of(const struct sp_trial_session *s) {
  return (enum sp_only)s->plan->scenario->load.only;
}

static void check_pacer(struct sp_trial_session *s) {
  int64_t n_sent = sp_tally_get(&s->tally->n_window_sent), n_shed = sp_tally_get(&s->tally->n_window_shed);
  if (!s->result->closed_loop) {
    double share = s->result->intended ? (double)(n_sent + n_shed) / (double)s->result->intended : 1;
    check(s, "sent_share", share, SENT_SHARE_LEAST, share >= SENT_SHARE_LEAST,
          "planned events that were sent or shed",
          "use a lower --rate, or --cpus driver=N on a processor of its own");
    double late = n_sent ? (double)sp_tally_get(&s->tally->n_window_late) / (double)n_sent : 0;
    check(s, "late_share", late, LATE_SHARE_MOST, late <= LATE_SHARE_MOST, "events sent more than 1 ms late",
          "stop what else runs on the driver's processor, or give the driver another: --cpus driver=N");
  }
}

static void check_collector(struct sp_trial_session *s) {
  double gap_ns = (double)s->collector.max_gap_ns;
  check(s, "poll_gap_ns", gap_ns, (double)POLL_GAP_MOST_NS, s->collector.max_gap_ns <= POLL_GAP_MOST_NS,
        "longest time that the collector did not receive, ns",
        "stop what else runs on the driver's processor");
  size_t peak = s->stream_facts.replies_peak, room = s->stream_facts.replies_room;
  check(s, "local_queue", (double)peak, (double)room - 1, peak < room,
        "replies that waited for the collector", "use a lower --rate: the collector cannot keep up");
}

// The mock keeps little of each partition: what it dropped was no loss of the system under test.
static void check_broker(struct sp_trial_session *s) {
  if (!s->is_mock) return;
  double n = (double)s->stream_facts.n_dropped;
  check(s, "dropped_by_mock", n, 0, n <= 0, "messages that the mock broker dropped before they were read",
        "use a lower --rate, a shorter --duration, more topics.partitions, or --broker kafka");
}

static void check_machine(struct sp_trial_session *s) {
  double stolen = sp_cpu_stolen_share(&s->at_t0.machine, &s->machine_at_t1);
  check(s, "steal_share", stolen, STOLEN_SHARE_MOST, !(stolen > STOLEN_SHARE_MOST),
        "processor time stolen by the hypervisor",
        "repeat the trial when the host is quieter: servepath doctor shows the share");
  double step_ns = fabs((double)(s->at_end.clock_offset_ns - s->at_t0.clock_offset_ns));
  // A clock that is being slewed moves by at most 500 ppm: that is no step.
  double limit_ns = (double)CLOCK_STEP_MOST_NS + 5e-4 * (double)(s->at_end.at_ns - s->at_t0.at_ns);
  check(s, "clock_step_ns", step_ns, limit_ns, step_ns <= limit_ns, "the wall clock stepped by, ns",
        "wait until the time daemon has settled");
}

static void check_warmup(struct sp_trial_session *s) {
  if (s->result->closed_loop || half_of(s) != SP_ONLY_BOTH) return;
  const struct sp_load_conf *load = &s->plan->scenario->load;
  const struct sp_app_conf *app = &s->plan->side->app;
  int64_t slo_ns = s->plan->scenario->expect.p99_ns ? s->plan->scenario->expect.p99_ns : SLO_STANDARD_NS;
  // Answers wait for their commit: those of the open transaction, and of the one that is being committed.
  if (app->delivery == SP_DELIVERY_EXACTLY_ONCE) slo_ns += 2 * app->commit_interval_ns;
  double limit = (double)load->rate.n * (double)slo_ns / (double)load->rate.per_ns;
  if (limit < 1) limit = 1;
  check(s, "backlog_at_t0", (double)s->backlog_at_t0, limit, (double)s->backlog_at_t0 <= limit,
        "events without an answer when the window began", "use a longer --warmup or a lower --rate");
}

static void mark_driver_limited(struct sp_trial_session *s) {
  struct sp_latency *response = &s->result->response;
  bool is_core_busy =
      sp_account_driver_core_busy(s) > 0.8; // spinning too: pacer and collector share that core
  for (int i = 0; i < SP_PERCENTILES; i++) {
    response->driver_limited[i] |= is_core_busy; // lateness has marked its own
  }
}

static void bound_percentile(struct sp_trial_session *s, int i, int64_t limit_ns) {
  if (!limit_ns || s->result->closed_loop) return; // a closed loop has no response time to bound
  const struct sp_latency *response = &s->result->response;
  enum sp_met met = SP_MET_UNKNOWN;
  if (response->present && response->state[i] == SP_PERCENTILE_NO_ANSWER) met = SP_MET_NO;
  if (response->present && response->state[i] == SP_PERCENTILE_RESOLVED) {
    met = response->percentile_ns[i] <= limit_ns ? SP_MET_YES : SP_MET_NO;
    // Late sending may have caused it: no verdict on the system.
    if (met == SP_MET_NO && response->driver_limited[i]) met = SP_MET_UNKNOWN;
  }
  if (s->is_mock) met = SP_MET_UNKNOWN; // its latency is an artefact of its fetch timer
  char *name = sp_format("expect.%s", sp_percentile_name[i]);
  double value =
      response->present && response->percentile_ns[i] >= 0 ? (double)response->percentile_ns[i] : NAN;
  sp_result_bound(s->result, name, (double)limit_ns, value, met);
  free(name);
}

static void fill_bounds(struct sp_trial_session *s) {
  const struct sp_expect_conf *expect = &s->plan->scenario->expect;
  const int64_t limits_ns[] = {expect->p50_ns, expect->p90_ns, expect->p95_ns, expect->p99_ns,
                               expect->p99_9_ns};
  for (int i = 0; i < 5 && half_of(s) == SP_ONLY_BOTH; i++) bound_percentile(s, i, limits_ns[i]);
  if (expect->not_ok >= 0) {
    double share = sp_result_not_ok_share(s->result);
    sp_result_bound(s->result, "expect.not_ok", expect->not_ok, share,
                    share <= expect->not_ok ? SP_MET_YES : SP_MET_NO);
  }
}

static void fill_predictions(struct sp_trial_session *s) {
  struct sp_result *r = s->result;
  r->predictions.checked = s->checker.n_checked;
  r->predictions.mismatched = s->checker.n_mismatched;
  r->predictions.max_abs_error = s->checker.n_checked ? s->checker.max_abs_error : NAN;
  bool is_stub = s->server && s->server->stub[0];
  bool is_self = s->expected && s->expected->source && strcmp(s->expected->source, "self") == 0;
  if (is_stub)
    r->predictions.source = sp_copy_text("stub");
  else if (s->expected)
    r->predictions.source = sp_copy_text(is_self ? "self" : "reference");
  for (size_t i = 0; i < s->checker.n_examples; i++) {
    const struct sp_check_example *e = &s->checker.examples[i];
    char text[160];
    snprintf(text, sizeof text, "%.60s[%zu]: %.9g instead of %.9g", s->plan->scenario->output.tensor,
             e->value_i, e->got, e->expected);
    sp_result_example(r, e->event, text);
  }
}

static int64_t intended_in_window(struct sp_trial_session *s) {
  if (half_of(s) == SP_ONLY_COLLECT) { // what came; nothing is known of what did not
    int64_t n = 0;
    for (int i = 0; i < SP_OUTCOME_COUNT; i++) n += sp_meter_count(s->meter, (enum sp_outcome)i);
    return n;
  }
  if (s->result->closed_loop || s->signal) {
    return sp_tally_get(&s->tally->n_window_sent) + sp_tally_get(&s->tally->n_window_shed);
  }
  return (int64_t)(s->share.n_own - s->share.n_own_warmup);
}

// Events that the pacer never came to (it was stopped, or could not keep up) were shed: planned, never handed over.
static void book_unsent(struct sp_trial_session *s) {
  int64_t n_window = sp_tally_get(&s->tally->n_window_sent) + sp_tally_get(&s->tally->n_window_shed);
  int64_t n_unsent = s->result->intended - n_window;
  if (n_unsent > 0) sp_meter_no_answer(s->meter, SP_OUTCOME_SHED, 0, n_unsent);
}

// Only sending: what the broker did not confirm by the cut-off is lost. A closed loop's or another driver's answers are none of
// ours, so that nothing is known of response times.
static void book_unconfirmed(struct sp_trial_session *s) {
  if (half_of(s) != SP_ONLY_SEND) return;
  int64_t n_sent = sp_tally_get(&s->tally->n_sent), n_refused = sp_tally_get(&s->tally->n_done);
  int64_t n_unconfirmed = n_sent - n_refused - s->stream_facts.n_acknowledged, n_booked = 0;
  for (int i = 0; i < SP_OUTCOME_COUNT; i++) n_booked += sp_meter_count(s->meter, (enum sp_outcome)i);
  int64_t n_window = sp_tally_get(&s->tally->n_window_sent) - n_booked;
  if (n_unconfirmed > n_window) n_unconfirmed = n_window; // some were of the warm-up
  if (n_unconfirmed > 0) sp_meter_no_answer(s->meter, SP_OUTCOME_LOST, 0, n_unconfirmed);
  int64_t n_shed = sp_tally_get(&s->tally->n_window_shed);
  if (n_shed > 0) sp_meter_no_answer(s->meter, SP_OUTCOME_SHED, 0, n_shed);
}

static void leave_out_responses(struct sp_trial_session *s) {
  struct sp_result *r = s->result;
  if (half_of(s) != SP_ONLY_SEND) return;
  int64_t n_booked = 0;
  for (int i = 0; i < SP_OUTCOME_COUNT; i++) n_booked += r->outcomes[i];
  r->outcomes[SP_OUTCOME_UNCHECKED] += r->intended - n_booked; // confirmed by the broker
  r->response.present = r->response_ok.present = r->service.present = false;
  r->achieved_per_s = r->completion = r->residual_ns = NAN;
}

// Of a window that ended early. A signal ends it with the sending; a closed loop that its limit ended lasts until its last
// answer: all that was sent at once was not answered at once.
static int64_t window_end(const struct sp_trial_session *s) {
  int64_t t1_ns = s->pacer.origin_ns + s->schedule->t1_ns;
  int64_t end_ns = s->signal || s->schedule->intended_ns ? s->sending_end_ns : s->drain_end_ns;
  return end_ns < t1_ns ? end_ns : t1_ns;
}

void sp_verdict_fill(struct sp_trial_session *s) {
  struct sp_result *r = s->result;
  r->closed_loop = s->schedule->intended_ns == NULL || half_of(s) == SP_ONLY_COLLECT;
  int64_t t0_ns = s->pacer.origin_ns + s->schedule->t0_ns, t1_ns = window_end(s);
  r->window_s = t1_ns > t0_ns ? (double)(t1_ns - t0_ns) * 1e-9 : 0;
  r->drain_s = (double)(s->drain_end_ns - t1_ns) * 1e-9;
  if (half_of(s) != SP_ONLY_COLLECT) r->backlog_at_t1 = s->backlog_at_t1;
  r->intended = intended_in_window(s);
  book_unconfirmed(s);
  if (half_of(s) != SP_ONLY_COLLECT) book_unsent(s);
  sp_meter_set_lateness(s->meter, &s->pacer.lateness);
  sp_result_from_meter(r, s->meter);
  leave_out_responses(s);
  sp_account_fill(s);
  fill_predictions(s);
  check_pacer(s);
  check_collector(s);
  check_broker(s);
  check_machine(s);
  check_warmup(s);
  mark_driver_limited(s);
  fill_bounds(s);
  struct sp_error error;
  if (sp_result_check_books(r, &error)) sp_result_invalid(r, error.text);
  if (s->kafka) {
    sp_matching_fill(s);
    sp_facts_count(&r->delivery, "driver_acknowledged", s->stream_facts.n_acknowledged);
    sp_facts_count(&r->broker, "dropped", s->stream_facts.n_dropped);
  }
  if (s->signal) r->incomplete = sp_format("ended by signal %d", s->signal);
}
