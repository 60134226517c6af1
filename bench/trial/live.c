// The live line.
#include "trial/live.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"

void sp_trial_live_init(struct sp_trial_live *live, const struct sp_trial_plan *plan) {
  const struct sp_scenario *scenario = plan->scenario;
  const struct sp_stream_conf *stream = &scenario->stream;
  bool is_mock = stream->transport == SP_TRANSPORT_KAFKA && strcmp(stream->broker, "mock") == 0;
  *live = (struct sp_trial_live){.scenario = scenario,
                                 .side = plan->side->name,
                                 .has_phases = !plan->answers_file,
                                 .has_latency = !is_mock && scenario->load.only == SP_ONLY_BOTH};
  sp_live_init(&live->live, stderr, 5 * SP_NS_PER_S);
}

static char *latency_text(int64_t ns, char *text, size_t n) {
  if (ns < 0)
    snprintf(text, n, "-");
  else
    sp_units_print_duration(ns, text, n);
  return text;
}

static void show_answers(struct sp_trial_live *live, const struct sp_tally *tally, int64_t now_ns) {
  int64_t n_done = sp_tally_get(&tally->n_done);
  sp_live_show(&live->live, now_ns, "%s %s: %" PRId64 " answered, %" PRId64 " awaited, not ok %" PRId64,
               live->scenario->name, live->side, n_done, sp_tally_get(&tally->n_sent) - n_done,
               sp_tally_get(&tally->n_not_ok));
}

void sp_trial_live_show(struct sp_trial_live *live, const struct sp_tally *tally) {
  int64_t now_ns = sp_now_ns(), origin_ns = sp_tally_get(&tally->origin_ns);
  if (!origin_ns || !sp_live_is_due(&live->live, now_ns)) return;
  if (now_ns < origin_ns) return;
  if (!live->has_phases) {
    show_answers(live, tally, now_ns);
    return;
  }
  const struct sp_load_conf *load = &live->scenario->load;
  int64_t elapsed_ns = now_ns - origin_ns, length_ns = load->warmup_ns + load->duration_ns;
  int64_t n_done = sp_tally_get(&tally->n_done);
  double since_s = (double)(now_ns - (live->last_ns ? live->last_ns : origin_ns)) * 1e-9;
  double rate = since_s > 0 ? (double)(n_done - live->last_done) / since_s : 0;
  const char *phase = elapsed_ns < load->warmup_ns ? "warm-up" : elapsed_ns < length_ns ? "window" : "drain";
  char p50[32], p99[32];
  sp_live_show(&live->live, now_ns,
               "%s %s %s %.0f s, %.0f/s, p50 %s, p99 %s, backlog %" PRId64 ", not ok %" PRId64
               ", %.0f s left",
               live->scenario->name, live->side, phase, (double)elapsed_ns * 1e-9, rate,
               latency_text(live->has_latency ? sp_tally_get(&tally->p50_ns) : -1, p50, sizeof p50),
               latency_text(live->has_latency ? sp_tally_get(&tally->p99_ns) : -1, p99, sizeof p99),
               sp_tally_get(&tally->n_sent) - n_done,
               sp_tally_get(&tally->n_not_ok) + sp_tally_get(&tally->n_window_shed),
               elapsed_ns < length_ns ? (double)(length_ns - elapsed_ns) * 1e-9 : 0.0);
  live->last_ns = now_ns;
  live->last_done = n_done;
}

void sp_trial_live_end(struct sp_trial_live *live) {
  sp_live_clear(&live->live);
}
