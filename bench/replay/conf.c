// The keys of `load:` and `expect:` and their defaults.
#include "replay/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

const char *sp_arrival_name(int arrival) {
  static const char *const names[] = {"constant", "poisson", "trace", "step", "ramp", "burst", "closed"};
  SP_ASSERT(arrival >= 0 && (size_t)arrival < sizeof names / sizeof names[0]);
  return names[arrival];
}

enum sp_err sp_shard_parse(const char *text, struct sp_shard *shard, struct sp_error *error) {
  char end;
  bool is_read = strspn(text, "0123456789/") == strlen(text) &&
                 sscanf(text, "%4u/%4u%c", &shard->number, &shard->of, &end) == 2;
  if (is_read && shard->number >= 1 && shard->number <= shard->of) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE, "\"%.40s\" is no share; write I/N with I from 1 to N, as in 2/4", text);
}

// Digits after a point, as ns; *text moves behind them.
static int64_t read_fraction(const char **text) {
  int64_t ns = 0, unit_ns = SP_NS_PER_S / 10;
  for (++*text; **text >= '0' && **text <= '9'; ++*text, unit_ns /= 10) ns += (**text - '0') * unit_ns;
  return ns;
}

// "Z", "+01:00", "-05:30"; false: none of them.
static bool read_offset(const char *text, int64_t *offset_s) {
  unsigned hours, minutes;
  char sign, end;
  *offset_s = 0;
  if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0) return true;
  if (sscanf(text, "%c%2u:%2u%c", &sign, &hours, &minutes, &end) != 3 || minutes > 59) return false;
  *offset_s = (int64_t)(hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
  return sign == '-' || sign == '+';
}

#define START_S_MOST INT64_C(9000000000) // in the year 2255: nanoseconds fit 64 bits

enum sp_err sp_start_at_parse(const char *text, int64_t *unix_ns, struct sp_error *error) {
  struct tm tm = {0};
  int64_t offset_s = 0, fraction_ns = 0;
  const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
  bool is_time = rest != NULL, is_number = strspn(text, "0123456789") >= 9;
  if (is_number) rest = text + strspn(text, "0123456789");
  if (rest && *rest == '.') fraction_ns = read_fraction(&rest);
  int64_t unix_s = -1;
  if (is_time && read_offset(rest, &offset_s)) unix_s = (int64_t)timegm(&tm) - offset_s;
  if (is_number && !*rest && strspn(text, "0123456789") <= 10) unix_s = strtoll(text, NULL, 10);
  if (unix_s >= 0 && unix_s <= START_S_MOST) {
    *unix_ns = unix_s * SP_NS_PER_S + fraction_ns;
    return SP_OK;
  }
  return sp_fail(
      error, SP_ERR_USAGE,
      "\"%.60s\" is no time; write 2026-11-21T13:00:00Z, or seconds since 1970 (date -d '+1 minute' +%%s)",
      text);
}

// A row is a key.
// clang-format off

#define LOAD(field) offsetof(struct sp_load_conf, field)
static const struct sp_key load_keys[] = {
    {"arrival", SP_KIND_CHOICE, LOAD(arrival), "poisson", "constant poisson trace step ramp burst closed",
     NULL, "--arrival", "how events arrive"},
    {"rate", SP_KIND_RATE, LOAD(rate), "1000/s", NULL, NULL, "--rate", "offered rate (mean rate for trace)"},
    {"rate_to", SP_KIND_RATE, LOAD(rate_to), NULL, NULL, NULL, "--rate-to",
     "last rate of step and ramp, rate inside a burst"},
    {"steps", SP_KIND_COUNT, LOAD(steps), "5", NULL, NULL, "--steps",
     "number of rates that step goes through"},
    {"burst_every", SP_KIND_DURATION, LOAD(burst_every_ns), "1s", NULL, NULL, "--burst-every",
     "start of one burst to start of the next"},
    {"burst_length", SP_KIND_DURATION, LOAD(burst_length_ns), "100ms", NULL, NULL, "--burst-length",
     "length of a burst"},
    {"speed", SP_KIND_REAL, LOAD(speed), "0", NULL, NULL, "--speed",
     "trace: replay this many times faster than recorded; 0 scales to rate"},
    {"concurrency", SP_KIND_COUNT, LOAD(concurrency), "64", NULL, NULL, "--concurrency",
     "closed: events in flight"},
    {"warmup", SP_KIND_DURATION, LOAD(warmup_ns), "2s", NULL, NULL, "--warmup",
     "unmeasured lead-in at the same rate"},
    {"duration", SP_KIND_DURATION, LOAD(duration_ns), "10s", NULL, NULL, "--duration",
     "length of the measured window"},
    {"drain", SP_KIND_DURATION, LOAD(drain_ns), "10s", NULL, NULL, "--drain",
     "how long to wait for answers after the last intended instant"},
    {"seed", SP_KIND_COUNT, LOAD(seed), "1", NULL, NULL, "--seed", "seed of the schedule"},
    {"limit", SP_KIND_COUNT, LOAD(limit), "0", NULL, NULL, "--limit",
     "at most this many events in all; 0: as many as the schedule holds"},
    {"only", SP_KIND_CHOICE, LOAD(only), "both", "both send collect", NULL, "--only",
     "Kafka: be one half of the driver, on fixed topics"},
    {"shard", SP_KIND_RAW, LOAD(shard), NULL, NULL, NULL, "--shard",
     "Kafka: I/N, this driver's share of partitions and schedule; servepath merge joins the results"},
    {"start_at", SP_KIND_RAW, LOAD(start_at), NULL, NULL, NULL, "--start-at",
     "when the schedule begins: RFC 3339, or seconds since 1970; the same for every shard"},
    {"pacer_spin", SP_KIND_DURATION, LOAD(pacer_spin_ns), "60us", NULL, NULL, "--pacer-spin",
     "the pacer spins this long before each instant"},
    {0},
};
const struct sp_table sp_load_table = {"load", load_keys, sizeof(struct sp_load_conf), NULL};

#define EXPECT(field) offsetof(struct sp_expect_conf, field)
static const struct sp_key expect_keys[] = {
    {"abs", SP_KIND_REAL, EXPECT(abs), "1e-5", NULL, NULL, NULL, "absolute tolerance of a score"},
    {"rel", SP_KIND_REAL, EXPECT(rel), "1e-4", NULL, NULL, NULL, "relative tolerance of a score"},
    {"p50", SP_KIND_DURATION, EXPECT(p50_ns), NULL, NULL, NULL, NULL, "bound on the response time's p50"},
    {"p90", SP_KIND_DURATION, EXPECT(p90_ns), NULL, NULL, NULL, NULL, "bound on the response time's p90"},
    {"p95", SP_KIND_DURATION, EXPECT(p95_ns), NULL, NULL, NULL, NULL, "bound on the response time's p95"},
    {"p99", SP_KIND_DURATION, EXPECT(p99_ns), NULL, NULL, NULL, NULL, "bound on the response time's p99"},
    {"p99_9", SP_KIND_DURATION, EXPECT(p99_9_ns), NULL, NULL, NULL, NULL,
     "bound on the response time's p99.9"},
    {"not_ok", SP_KIND_SHARE, EXPECT(not_ok), NULL, NULL, NULL, NULL,
     "bound on the share of events that are not ok"},
    {0},
};
const struct sp_table sp_expect_table = {"expect", expect_keys, sizeof(struct sp_expect_conf), NULL};
