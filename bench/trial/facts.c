// Scenario, recording, model, load, machine and build, as facts of the result.
#include "trial/facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/version.h"
#include "os/machine.h"

static void fill_case(struct sp_trial_session *s) {
  const struct sp_scenario *scenario = s->plan->scenario;
  struct sp_result *r = s->result;
  sp_facts_text(&r->scenario, "name", scenario->name);
  sp_facts_text(&r->scenario, "file", scenario->file);
  sp_facts_text(&r->scenario, "digest", scenario->digest);
  sp_facts_json(&r->scenario, "resolved", scenario->resolved_json);
  r->side = sp_copy_text(s->plan->side->name);
  r->path = sp_copy_text(s->plan->side->path.path);
  r->transport = sp_copy_text(s->stream.ops->name);
  sp_facts_text(&r->recording, "name", s->recording->header.name);
  sp_facts_text(&r->recording, "file", scenario->recording);
  sp_facts_text(&r->recording, "digest", s->recording->digest);
  sp_facts_count(&r->recording, "events", (int64_t)s->recording->n_events);
  sp_facts_text(&r->recording, "source", s->recording->header.source);
  sp_facts_text(&r->recording, "licence", s->recording->header.licence);
  sp_facts_flag(&r->recording, "times_are_real", s->recording->header.times_are_real);
}

static const char *text_or_null(const char *text) {
  return text[0] ? text : NULL;
}

// The digest of what there is to answer with. A server of somebody else's has whatever it has, and a stub nothing.
static const char *digest_of_model(const struct sp_trial_session *s) {
  if (!s->server) return text_or_null(s->model_digest);
  bool is_ours = s->plan->server_pid && !s->plan->server_kind && !s->server->stub[0];
  return text_or_null(is_ours ? s->model_digest : s->server->model_digest);
}

// Applications that are not of this trial, or a command that does with the model's folder what it likes.
static bool is_app_of_others(const struct sp_trial_session *s) {
  return s->kafka && (s->plan->side->app.command || (s->plan->n_apps == 0 && !s->server));
}

static void fill_server(struct sp_trial_session *s) {
  struct sp_facts *facts = &s->result->server;
  const struct sp_rpc_server_facts *told = s->server;
  const char *behind_relay = s->plan->behind_relay;
  sp_facts_text(facts, "address", behind_relay ? behind_relay : s->plan->server_address);
  if (behind_relay) sp_facts_count(facts, "emulated_delay_ns", s->plan->side->rpc.delay_ns);
  sp_facts_text(facts, "protocol", s->plan->side->rpc.protocol);
  sp_facts_flag(facts, "spawned", s->plan->server_pid != 0);
  sp_facts_text(facts, "kind", s->plan->server_kind);
  sp_facts_text(facts, "version", s->plan->server_version);
  sp_facts_text(facts, "software", text_or_null(told->software));
  // Ours tells when it is a stub; of others, who name themselves too, nothing is known.
  bool is_ours = strncmp(told->software, "servepath ", sizeof "servepath " - 1) == 0;
  sp_facts_text(facts, "stub", is_ours && !told->stub[0] ? "none" : text_or_null(told->stub));
  sp_facts_text(facts, "model_digest", text_or_null(told->model_digest));
  if (!s->plan->server_pid) return; // what the side says holds for the server that a trial spawns
  const struct sp_server_conf *conf = &s->plan->side->server;
  sp_facts_count(facts, "threads", (int64_t)conf->threads);
  if (conf->delay) sp_facts_text(facts, "delay", conf->delay);
  if (conf->fail) sp_facts_text(facts, "fail", conf->fail);
}

static void fill_model(struct sp_trial_session *s) {
  const struct sp_scenario *scenario = s->plan->scenario;
  struct sp_result *r = s->result;
  sp_facts_text(&r->model, "name", scenario->model.name);
  sp_facts_count(&r->model, "version", (int64_t)s->model_version);
  sp_facts_text(&r->model, "digest", is_app_of_others(s) ? NULL : digest_of_model(s));
  if (is_app_of_others(s)) sp_facts_text(&r->model, "given_digest", digest_of_model(s));
  const char *library = is_app_of_others(s) ? NULL : s->library;
  sp_facts_text(&r->model, "library", s->plan->app_library ? s->plan->app_library : library);
  char digest[SP_DIGEST_TEXT_BYTES]; // of what answers are compared with: sides of one model must share it
  if (s->expected && !sp_digest_file(s->expected_file, digest, NULL))
    sp_facts_text(&r->model, "expected_digest", digest);
  if (s->server) fill_server(s);
}

static void fill_topics(struct sp_facts *facts, const struct sp_driver_plan *plan) {
  sp_facts_text(facts, "input_topic", plan->input_topic);
  sp_facts_text(facts, "output_topic", plan->output_topic);
  sp_facts_count(facts, "partitions", (int64_t)plan->scenario->topics.partitions);
}

static void fill_broker(struct sp_trial_session *s) {
  const struct sp_driver_plan *plan = s->plan;
  struct sp_facts *facts = &s->result->broker;
  sp_facts_text(facts, "kind", s->is_mock ? "mock" : plan->broker_kind);
  sp_facts_text(facts, "address", plan->broker_address);
  sp_facts_text(facts, "version", plan->broker_version);
  sp_facts_text(facts, "client", sp_kafka_library());
  sp_facts_text(facts, "run", plan->wire_run);
  fill_topics(facts, plan);
  sp_facts_json(facts, "properties", s->kafka_properties);
}

// What the applications counted, their supervisor adds.
static void fill_delivery(struct sp_trial_session *s) {
  static const char *const modes[] = {"at-least-once", "exactly-once"}, *const orders[] = {"none", "key"};
  const struct sp_app_conf *conf = &s->plan->side->app;
  struct sp_facts *facts = &s->result->delivery;
  sp_facts_text(facts, "mode", modes[conf->delivery]);
  sp_facts_count(facts, "commit_interval_ns", conf->commit_interval_ns);
  sp_facts_text(facts, "order", orders[conf->order]);
  sp_facts_count(facts, "apps", (int64_t)s->plan->n_apps);
  sp_facts_text(facts, "group", s->plan->app_group);
  sp_facts_text(facts, "app", conf->command);
}

// What else makes this arrival another load than one of the same rate.
static void fill_arrival(struct sp_facts *facts, const struct sp_load_conf *load) {
  bool has_second = load->arrival == SP_ARRIVAL_STEP || load->arrival == SP_ARRIVAL_RAMP ||
                    load->arrival == SP_ARRIVAL_BURST;
  if (has_second)
    sp_facts_real(facts, "rate_to_per_s", (double)load->rate_to.n * 1e9 / (double)load->rate_to.per_ns);
  if (load->arrival == SP_ARRIVAL_STEP) sp_facts_count(facts, "steps", (int64_t)load->steps);
  if (load->arrival == SP_ARRIVAL_TRACE) sp_facts_real(facts, "speed", load->speed);
  if (load->arrival == SP_ARRIVAL_BURST) {
    sp_facts_count(facts, "burst_every_ns", load->burst_every_ns);
    sp_facts_count(facts, "burst_length_ns", load->burst_length_ns);
  }
  if (load->limit) sp_facts_count(facts, "limit", (int64_t)load->limit);
  if (load->shard) sp_facts_text(facts, "shard", load->shard);
  if (load->start_at) sp_facts_text(facts, "start_at", load->start_at);
  if (load->only == SP_ONLY_SEND) sp_facts_text(facts, "only", "send");
  if (load->only == SP_ONLY_COLLECT) sp_facts_text(facts, "only", "collect");
}

static void fill_load(struct sp_trial_session *s) {
  static const char *const waits[] = {"park", "spin", "hybrid"};
  const struct sp_load_conf *load = &s->plan->scenario->load;
  const struct sp_side *side = s->plan->side;
  struct sp_facts *facts = &s->result->load;
  sp_facts_text(facts, "arrival", sp_arrival_name(load->arrival));
  sp_facts_real(facts, "rate_per_s", (double)load->rate.n * 1e9 / (double)load->rate.per_ns);
  sp_facts_count(facts, "seed", (int64_t)load->seed);
  sp_facts_count(facts, "warmup_ns", load->warmup_ns);
  sp_facts_count(facts, "duration_ns", load->duration_ns);
  sp_facts_count(facts, "drain_ns", load->drain_ns);
  fill_arrival(facts, load);
  if (load->arrival == SP_ARRIVAL_CLOSED) sp_facts_count(facts, "concurrency", (int64_t)load->concurrency);
  sp_facts_count(facts, "threads", (int64_t)side->app.threads);
  sp_facts_count(facts, "batch", (int64_t)side->app.batch);
  sp_facts_text(facts, "wait", waits[side->app.wait]);
  int64_t wake_latency_ns = s->plan->scenario->placement.wake_latency_ns;
  if (wake_latency_ns >= 0) sp_facts_count(facts, "wake_latency_ns", wake_latency_ns);
  if (s->plan->server_address) {
    uint64_t least = side->app.threads; // each worker needs one call to work at all
    sp_facts_count(facts, "in_flight", (int64_t)(side->rpc.in_flight > least ? side->rpc.in_flight : least));
    sp_facts_count(facts, "deadline_ns", side->rpc.deadline_ns);
  }
}

// Which roles share a core: "application and server"; "" where none do. Returns text.
static char *shared_roles(const struct sp_trial_session *s, char *text, size_t n) {
  const struct sp_placement *p = &s->placement;
  bool has_server = s->plan->server_pid != 0, has_broker = s->plan->broker_pid != 0;
  const struct {
    bool is_so;
    const char *what;
  } pairs[] = {{sp_cpus_overlap(&p->app, &p->driver), "driver and application"},
               {has_broker && sp_cpus_overlap(&p->broker, &p->driver), "driver and broker"},
               {has_broker && sp_cpus_overlap(&p->broker, &p->app), "application and broker"},
               {has_server && sp_cpus_overlap(&p->app, &p->server), "application and server"}};
  text[0] = '\0';
  if (sp_cpus_is_empty(&p->app)) {
    snprintf(text, n, "driver%s application%s", has_server ? "," : " and", has_server ? " and server" : "");
    return text;
  }
  for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
    size_t n_text = strlen(text);
    if (pairs[i].is_so) snprintf(text + n_text, n - n_text, "%s%s", n_text ? ", and " : "", pairs[i].what);
  }
  return text;
}

static void fill_machine(struct sp_trial_session *s) {
  struct sp_machine m;
  sp_machine_read(&m);
  struct sp_facts *facts = &s->result->machine;
  sp_facts_text(facts, "cpu", m.cpu_model);
  sp_facts_count(facts, "cpus", m.n_cpus);
  sp_facts_text(facts, "cpus_allowed", s->placement.allowed);
  sp_facts_text(facts, "placement", s->placement.text);
  char shared[160];
  sp_facts_flag(facts, "co_located", *shared_roles(s, shared, sizeof shared));
  sp_facts_text(facts, "co_located_roles", *shared ? shared : NULL);
  sp_facts_count(facts, "memory_bytes", (int64_t)m.memory_bytes);
  sp_facts_text(facts, "kernel", m.kernel);
  sp_facts_text(facts, "os", m.os);
  sp_facts_text(facts, "clocksource", m.clocksource);
  sp_facts_text(facts, "hypervisor", m.hypervisor);
  sp_facts_text(facts, "governor", m.governor);
  sp_facts_real(facts, "cgroup_cpus", m.cgroup_cpus);
  sp_facts_count(facts, "max_open_files", (int64_t)m.max_open_files);
  sp_facts_real(facts, "load_1min", m.load_1min);
  sp_facts_text(facts, "fingerprint", m.fingerprint);
}

void sp_facts_fill(struct sp_trial_session *s) {
  fill_case(s);
  fill_model(s);
  fill_load(s);
  if (s->kafka) fill_broker(s);
  if (s->kafka) fill_delivery(s);
  fill_machine(s);
  sp_facts_text(&s->result->build, "version", SP_VERSION);
  sp_facts_text(&s->result->build, "compiler", __VERSION__);
  free(s->result->run_id);
  s->result->run_id = sp_copy_text(s->plan->run_id);
}
