// The figures of a trial that deployments are compared by, listed once.
#ifndef SP_RESULT_METRIC_H
#define SP_RESULT_METRIC_H

#include "result/result.h"

enum sp_metric_role {
  SP_METRIC_PRIMARY,     // in the family that verdicts are made of, unless another was chosen
  SP_METRIC_GUARD,       // must not get worse, whatever was chosen: the share of events that were served
  SP_METRIC_EXPLORATORY, // shown
};
struct sp_metric {
  const char *name;  // "response_p50", as in comparison.json and --metrics
  const char *title; // "response p50"
  const char *unit;  // "ns", "us", "/s", "bytes", "share"
  enum sp_metric_role role;
  bool is_time; // meaningless over the mock broker
  bool more_is_better;
  const char *better, *worse; // "faster" "slower"; "cheaper" "dearer"; "higher" "lower"
  // For functions below.
  int percentile_i; // of SP_P50...; -1: no percentile
};

// response_p50, response_p99, cpu_per_event (primary); served (guard); response_mean, _p90, _p95, _p99_9, service_p50,
// service_p99, cpu_app, cpu_server, cpu_broker, achieved, rss_app, rss_server (exploratory). cpu_per_event is what application and
// server use, without driver and broker; served is the share of events intended that are ok, unchecked or filtered.
extern const struct sp_metric sp_metrics[];
extern const size_t sp_n_metrics;
const struct sp_metric *sp_metric_find(const char *name); // NULL: none of that name
const char *sp_metric_nearest(const char *name);          // for messages

enum sp_metric_state {
  SP_METRIC_OK,
  SP_METRIC_ABSENT,         // the trial has no such figure (closed loop, no server)
  SP_METRIC_UNRESOLVED,     // too few events
  SP_METRIC_EPISODIC,       // few seconds hold what lies above
  SP_METRIC_NO_ANSWER,      // it lies among events that got no answer
  SP_METRIC_DRIVER_LIMITED, // lateness is more than a tenth of it, or the driver's core was full
  SP_METRIC_VOID,           // a time over the mock broker
  SP_METRIC_STATE_COUNT
};
const char *sp_metric_state_name(enum sp_metric_state state); // "ok", "absent", ...

// "p50", "service p99", "cpu per event": as a sentence has it.
const char *sp_metric_short_title(const struct sp_metric *metric);

// The metric's value in its unit. NAN where state is ABSENT, UNRESOLVED or VOID; INFINITY for NO_ANSWER (a mean too, as soon as
// one event got none); EPISODIC and DRIVER_LIMITED have one: where both hold, EPISODIC. state may be NULL.
double sp_metric_value(const struct sp_metric *metric, const struct sp_result *result,
                       enum sp_metric_state *state);
// "420µs", "24µs", "2,000/s", "99.9%", "43.9MiB", in a cell of SP_METRIC_TEXT_BYTES; "-" for NAN, "no answer" for infinite ones.
#define SP_METRIC_TEXT_BYTES 32
char *sp_metric_text(const struct sp_metric *metric, double value, char *text, size_t n);

// What makes two machines comparable: digest of processor model, logical processors, memory in whole GiB, virtualisation, kernel and
// distribution. As the result says it (os/machine.h), else made of the facts that it has. "xxh128:..." (base/digest.h), from malloc; NULL where
// the result names no machine. Two results of one machine give the same text.
char *sp_machine_fingerprint(const struct sp_result *result);

#endif
