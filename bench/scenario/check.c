// Checks across keys.
#include "scenario/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"
#include "scenario/bind.h"

#define APPS_MAX 64
#define HOURS(n) ((n)*3600 * SP_NS_PER_S)

// --- Places ---

// The deepest node on the way to `key`; *is_whole: the key itself.
static const struct sp_node *locate(const struct sp_node *node, const char *key, bool *is_whole) {
  for (;;) {
    char name[128];
    size_t n = strcspn(key, ".");
    snprintf(name, sizeof name, "%.*s", (int)n, key);
    const struct sp_entry *entry = sp_node_find(node, name);
    if (node->kind == SP_NODE_SEQUENCE && strtoul(name, NULL, 10) < node->n_entries)
      entry = &node->entries[strtoul(name, NULL, 10)];
    *is_whole = entry && key[n] == '\0';
    if (!entry) return node;
    node = entry->value;
    if (*is_whole) return node;
    key += n + 1;
  }
}

const struct sp_node *sp_check_find(const struct sp_check_context *check, const char *key) {
  bool is_whole;
  const struct sp_node *node = locate(check->root, key, &is_whole);
  return is_whole && !sp_node_is_null(node) ? node : NULL;
}

enum sp_err sp_check_fail(const struct sp_check_context *check, enum sp_err code, const char *key,
                          const char *format, ...) {
  struct sp_error what;
  bool is_whole;
  va_list args;
  va_start(args, format);
  sp_vfail(&what, code, format, args);
  va_end(args);
  const struct sp_place place = {NULL, key, 0};
  sp_node_fail(locate(check->root, key, &is_whole), &place, check->error, "%s", what.text);
  if (check->error) check->error->code = code;
  return code;
}

bool sp_check_is_measured(const struct sp_check_context *check, const char *side) {
  for (size_t i = 0; i < check->n_measured; i++) {
    if (strcmp(check->measured[i], side) == 0) return true;
  }
  return check->n_measured == 0;
}

enum sp_err sp_check_version(const struct sp_node *root, struct sp_error *error) {
  const struct sp_place place = {NULL, "version", 0};
  const struct sp_entry *entry = sp_node_find(root, "version");
  if (!entry) return sp_node_fail(root, &place, error, "missing; write version: 1");
  if (entry->value->kind == SP_NODE_SCALAR && strcmp(entry->value->text, "1") == 0) return SP_OK;
  return sp_node_fail(entry->value, &place, error,
                      "this servepath reads version 1 of the language, not %.20s",
                      entry->value->text ? entry->value->text : "this");
}

// --- Ranges ---

struct range { // of a COUNT or DURATION
  const char *key;
  size_t offset;
  bool is_duration;
  uint64_t min, max;
};
#define COUNT(struct_name, field, key, min, max)                                                             \
  { key, offsetof(struct struct_name, field), false, min, max }
#define DURATION(struct_name, field, key, min, max)                                                          \
  { key, offsetof(struct struct_name, field), true, (uint64_t)(min), (uint64_t)(max) }

static const struct range scenario_ranges[] = {
    COUNT(sp_scenario, load.steps, "load.steps", 1, 10000),
    COUNT(sp_scenario, load.concurrency, "load.concurrency", 1, 1 << 20),
    COUNT(sp_scenario, topics.partitions, "topics.partitions", 1, 10000),
    COUNT(sp_scenario, stream.fifo_events, "stream.fifo", 1, 1 << 24),
    DURATION(sp_scenario, load.warmup_ns, "load.warmup", 0, HOURS(1000)),
    DURATION(sp_scenario, load.duration_ns, "load.duration", SP_NS_PER_MS, HOURS(1000)),
    DURATION(sp_scenario, load.drain_ns, "load.drain", 0, HOURS(1000)),
    DURATION(sp_scenario, load.burst_every_ns, "load.burst_every", SP_NS_PER_US, HOURS(1000)),
    DURATION(sp_scenario, load.burst_length_ns, "load.burst_length", 1, HOURS(1000)),
    DURATION(sp_scenario, load.pacer_spin_ns, "load.pacer_spin", 0, SP_NS_PER_S),
    DURATION(sp_scenario, expect.p50_ns, "expect.p50", 1, HOURS(1)),
    DURATION(sp_scenario, expect.p90_ns, "expect.p90", 1, HOURS(1)),
    DURATION(sp_scenario, expect.p95_ns, "expect.p95", 1, HOURS(1)),
    DURATION(sp_scenario, expect.p99_ns, "expect.p99", 1, HOURS(1)),
    DURATION(sp_scenario, expect.p99_9_ns, "expect.p99_9", 1, HOURS(1)),
    DURATION(sp_scenario, placement.wake_latency_ns, "placement.wake_latency", 0, SP_NS_PER_S),
    {0},
};
static const struct range side_ranges[] = {
    COUNT(sp_side, app.threads, "threads", 1, 1024),
    COUNT(sp_side, app.batch, "batch", 1, 65536),
    COUNT(sp_side, app.apps, "apps", 0, APPS_MAX),
    DURATION(sp_side, app.commit_interval_ns, "commit_interval", SP_NS_PER_MS, HOURS(1)),
    COUNT(sp_side, engine.intra_threads, "intra_threads", 1, 256),
    COUNT(sp_side, rpc.in_flight, "in_flight", 1, 65536),
    COUNT(sp_side, rpc.channels, "channels", 1, 1024),
    COUNT(sp_side, server.threads, "server.threads", 1, 1024),
    DURATION(sp_side, rpc.deadline_ns, "deadline", 1, HOURS(1)),
    DURATION(sp_side, rpc.delay_ns, "rpc_delay", 0, 60 * SP_NS_PER_S),
    DURATION(sp_side, rpc.connect_timeout_ns, "connect_timeout", 1, HOURS(1)),
    {0},
};

static enum sp_err check_ranges(const struct sp_check_context *check, const struct range *ranges,
                                const void *fields, const char *prefix) {
  enum sp_err err = SP_OK;
  for (const struct range *range = ranges; range->key && !err; range++) {
    char *key = sp_format("%s%s", prefix, range->key), min[SP_UNITS_TEXT_BYTES], max[SP_UNITS_TEXT_BYTES];
    uint64_t value;
    memcpy(&value, (const char *)fields + range->offset, sizeof value); // an int64_t, or a uint64_t
    bool is_outside = value < range->min || value > range->max;
    bool is_none = range->is_duration && (int64_t)value < 0;               // nothing else is negative
    bool is_unset = is_none || (value == 0 && !sp_check_find(check, key)); // without a default: no bound
    if (is_outside && !is_unset && range->is_duration) {
      err = sp_check_fail(check, SP_ERR_USAGE, key, "must be %s to %s",
                          sp_units_write_duration((int64_t)range->min, min, sizeof min),
                          sp_units_write_duration((int64_t)range->max, max, sizeof max));
    } else if (is_outside && !is_unset) {
      err = sp_check_fail(check, SP_ERR_USAGE, key, "must be %llu to %llu", (unsigned long long)range->min,
                          (unsigned long long)range->max);
    }
    free(key);
  }
  return err;
}

// --- load, expect ---

static enum sp_err check_rate(const struct sp_check_context *check, const char *key,
                              const struct sp_rate *rate) {
  if (rate->n == 0) return sp_check_fail(check, SP_ERR_USAGE, key, "must be more than 0");
  if (rate->n > rate->per_ns)
    return sp_check_fail(check, SP_ERR_USAGE, key, "is more than one event a nanosecond");
  return SP_OK;
}

static enum sp_err check_load(const struct sp_check_context *check) {
  const struct sp_load_conf *load = &check->scenario->load;
  bool has_two_rates = load->arrival == SP_ARRIVAL_STEP || load->arrival == SP_ARRIVAL_RAMP ||
                       load->arrival == SP_ARRIVAL_BURST;
  enum sp_err err = check_rate(check, "load.rate", &load->rate);
  if (!err && has_two_rates && !load->rate_to.per_ns)
    err =
        sp_check_fail(check, SP_ERR_USAGE, "load.rate_to", "missing; this arrival goes from rate to rate_to");
  if (!err && load->rate_to.per_ns) err = check_rate(check, "load.rate_to", &load->rate_to);
  if (!err && load->burst_length_ns > load->burst_every_ns)
    err = sp_check_fail(check, SP_ERR_USAGE, "load.burst_length", "is longer than burst_every; write less");
  if (!err && load->speed < 0)
    err = sp_check_fail(check, SP_ERR_USAGE, "load.speed",
                        "must not be negative; 0 scales the recording to rate");
  if (!err && check->scenario->expect.abs < 0)
    err = sp_check_fail(check, SP_ERR_USAGE, "expect.abs", "must not be negative");
  if (!err && check->scenario->expect.rel < 0)
    err = sp_check_fail(check, SP_ERR_USAGE, "expect.rel", "must not be negative");
  return err;
}

// --- Files ---

static enum sp_err check_file(const struct sp_check_context *check, const char *key, const char *path,
                              bool is_folder, const char *remedy) {
  struct stat status;
  if (!path) return sp_check_fail(check, SP_ERR_USAGE, key, "missing; %s", remedy);
  if (stat(path, &status) != 0 || access(path, R_OK) != 0)
    return sp_check_fail(check, SP_ERR_ENVIRONMENT, key, "cannot read %.300s (%s); %s", path, strerror(errno),
                         remedy);
  if (S_ISDIR(status.st_mode) == is_folder) return SP_OK;
  return sp_check_fail(check, SP_ERR_ENVIRONMENT, key, "%.300s is %s; %s", path,
                       is_folder ? "no folder" : "no file", remedy);
}

// `prefix` is that of its keys: "model." or "sides.NAME.model.".
static enum sp_err check_model(const struct sp_check_context *check, const struct sp_model_conf *model,
                               const char *prefix) {
  char dir[128], name[128], number[128];
  snprintf(dir, sizeof dir, "%sdir", prefix);
  snprintf(name, sizeof name, "%sname", prefix);
  snprintf(number, sizeof number, "%sversion", prefix);
  enum sp_err err = check_file(check, dir, model->dir, true, "name the folder that holds VERSION/model.onnx");
  if (err) return err;
  if (!model->name || !model->name[0] || model->name[0] == '.' || strchr(model->name, '/'))
    return sp_check_fail(check, SP_ERR_USAGE, name, "\"%.60s\" is no name; write letters, digits, - and _",
                         model->name ? model->name : "");
  struct sp_error what;
  uint64_t version;
  char *version_dir;
  err = sp_model_version_dir(model, &version, &version_dir, &what);
  if (err) return sp_check_fail(check, err, model->version ? number : dir, "%s", what.text);
  free(version_dir);
  return SP_OK;
}

static enum sp_err check_models(const struct sp_check_context *check) {
  const struct sp_list *sides = &check->scenario->sides;
  enum sp_err err = check_model(check, &check->scenario->model, "model.");
  for (size_t i = 0; i < sides->n && !err; i++) {
    const struct sp_side *side = (const struct sp_side *)sides->items + i;
    if (!side->model.dir || !sp_check_is_measured(check, side->name)) continue;
    char *prefix = sp_format("sides.%s.model.", side->name);
    err = check_model(check, &side->model, prefix);
    free(prefix);
  }
  return err;
}

// --- Sides ---

static enum sp_err check_rest(const struct sp_check_context *check, const struct sp_side *side,
                              const char *prefix) {
  const char *protocol = side->rpc.protocol, *dash = strrchr(protocol, '-');
  if (strcmp(side->path.path, "rpc") != 0 || !dash || strcmp(dash, "-rest") != 0) return SP_OK;
  char key[128];
  snprintf(key, sizeof key, "%sprotocol", prefix);
  if (strcmp(side->rpc.address, "spawn") == 0) {
    return sp_check_fail(
        check, SP_ERR_USAGE, key,
        "%s with server spawn: our reference server speaks gRPC alone; write tfs or kserve, or "
        "name a server: --server HOST:PORT",
        protocol);
  }
  if (side->rpc.channels == 1) return SP_OK;
  return sp_check_fail(
      check, SP_ERR_USAGE, key,
      "%s with channels %llu: over HTTP/1.1 each call under way has a connection of its own; "
      "leave channels out",
      protocol, (unsigned long long)side->rpc.channels);
}

// What only our reference server has. An address of somebody else's is not started, so that nothing of `server` is promised.
static enum sp_err check_foreign_server(const struct sp_check_context *check, const struct sp_side *side,
                                        const char *prefix) {
  const struct sp_server_conf *conf = &side->server;
  const char *address = side->rpc.address;
  if (strcmp(side->path.path, "rpc") != 0 || !sp_rpc_is_started(address) || strcmp(address, "spawn") == 0)
    return SP_OK;
  const struct {
    const char *key;
    bool is_set;
  } ours[] = {{"stub", conf->stub != SP_STUB_NONE}, {"delay", conf->delay != NULL},
              {"fail", conf->fail != NULL},         {"delay_log", conf->delay_log != NULL},
              {"labels", conf->labels.n > 0},       {"tls_cert", conf->tls_cert != NULL},
              {"token", conf->token != NULL}};
  for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
    if (!ours[i].is_set) continue;
    char *key = sp_format("%sserver.%s", prefix, ours[i].key);
    enum sp_err err = sp_check_fail(check, SP_ERR_USAGE, key,
                                    "is a key of our reference server, and %.60s has none such; leave it "
                                    "out, or write --server spawn",
                                    address);
    free(key);
    return err;
  }
  return SP_OK;
}

// --- The relay before a server ---

static bool is_rpc(const struct sp_side *side) {
  return strcmp(side->path.path, "rpc") == 0;
}

// --rpc-delay is for those sides that call a server (that there is one, who runs them looks: trial/relays.h). A delay that was
// written for this side is not ignored.
static bool is_for_others(const struct sp_check_context *check, const char *key) {
  const struct sp_node *node = sp_check_find(check, key);
  return node && strcmp(node->origin->name, "--rpc-delay") == 0;
}

// Clients that we do not start know no relay, and over TLS they look for the server's name, not the relay's.
static const char *why_no_relay(const struct sp_check_context *check, const struct sp_side *side) {
  const struct sp_load_conf *load = &check->scenario->load;
  if (sp_scenario_of_side(check->scenario, side).stream.transport == SP_TRANSPORT_KAFKA &&
      (side->app.apps == 0 || load->only != SP_ONLY_BOTH || load->shard))
    return "goes through a relay of this trial's, which applications that others start do not know; leave it "
           "out";
  if (side->rpc.link.tls && !side->rpc.link.server_name && !sp_rpc_is_started(side->rpc.address))
    return "stands between client and certificate; name what that is for: --rpc-server-name NAME";
  return NULL;
}

static enum sp_err check_rpc_delay(const struct sp_check_context *check, const struct sp_side *side,
                                   const char *prefix) {
  if (side->rpc.delay_ns < 0 || !sp_check_is_measured(check, side->name)) return SP_OK;
  char *key = sp_format("%srpc_delay", prefix);
  const char *why = NULL;
  if (is_rpc(side))
    why = why_no_relay(check, side);
  else if (!is_for_others(check, key))
    why = "delays calls to a model server, and this side's path makes none; leave it out, or write path=rpc";
  enum sp_err err = why ? sp_check_fail(check, SP_ERR_USAGE, key, "%s", why) : SP_OK;
  free(key);
  return err;
}

static enum sp_err check_sides(const struct sp_check_context *check) {
  const struct sp_list *sides = &check->scenario->sides;
  if (sides->n == 0)
    return sp_check_fail(check, SP_ERR_USAGE, "sides",
                         "missing; name at least one, as in {embedded: {path: embedded}}");
  enum sp_err err = SP_OK;
  for (size_t i = 0; i < sides->n && !err; i++) {
    const struct sp_side *side = (const struct sp_side *)sides->items + i;
    char *prefix = sp_format("sides.%s.", side->name);
    err = check_ranges(check, side_ranges, side, prefix);
    if (!err) err = check_rest(check, side, prefix);
    if (!err) err = check_rpc_delay(check, side, prefix);
    if (!err && sp_check_is_measured(check, side->name)) err = check_foreign_server(check, side, prefix);
    free(prefix);
  }
  return err;
}

enum sp_err sp_check_scenario(const struct sp_check_context *check) {
  const struct sp_scenario *scenario = check->scenario;
  if (!sp_name_is_plain(scenario->name))
    return sp_check_fail(check, SP_ERR_USAGE, "name", "\"%.60s\" is no name; write letters, digits, - and _",
                         scenario->name);
  enum sp_err err = check_ranges(check, scenario_ranges, scenario, "");
  if (!err) err = check_load(check);
  if (!err) err = check_sides(check);
  if (!err) err = sp_check_stream(check);
  if (!err) err = sp_check_input(check);
  if (!err)
    err = check_file(check, "recording", scenario->recording, false,
                     "name a recording; servepath import makes one");
  if (!err) err = check_models(check);
  return err;
}
