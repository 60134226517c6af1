// Loads what a trial needs, in the order in which a user would want to hear of trouble.
#include "trial/prepare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/engine.h"
#include "os/machine.h"
#include "os/procfs.h"
#include "trial/facts.h"
#include "trial/link.h"

static bool is_noop(const struct sp_trial_session *s) {
  return strcmp(s->plan->side->path.path, "noop") == 0;
}
static bool is_rpc(const struct sp_trial_session *s) {
  return strcmp(s->plan->side->path.path, "rpc") == 0;
}
// A stub that does not answer recorded predictions cannot be right.
static bool predicts(const struct sp_trial_session *s) {
  const char *stub = s->server ? s->server->stub : "";
  return !is_noop(s) && (!stub[0] || strcmp(stub, "recorded") == 0);
}

static enum sp_err load_data(struct sp_trial_session *s, struct sp_error *error) {
  const struct sp_scenario *scenario = s->plan->scenario;
  enum sp_err err = sp_recording_load(scenario->recording, &s->recording, error);
  if (!err) err = sp_schedule_new(&scenario->load, s->recording, &s->schedule, error);
  // Somebody else sends, and nobody knows when: a limit is reached when as many have come.
  if (!err && scenario->load.only == SP_ONLY_COLLECT)
    s->schedule->t1_ns = scenario->load.warmup_ns + scenario->load.duration_ns;
  return err;
}

static enum sp_err find_model(struct sp_trial_session *s, struct sp_error *error) {
  const struct sp_scenario *scenario = s->plan->scenario;
  if (is_noop(s)) return SP_OK;
  enum sp_err err = sp_model_version_dir(&scenario->model, &s->model_version, &s->version_dir, error);
  if (err) return err;
  char *file = NULL;
  bool is_embedded = strcmp(s->plan->side->path.path, "embedded") == 0;
  if (is_embedded)
    err = sp_engine_find_file(&s->plan->side->engine, s->version_dir, &file, error);
  else
    file = sp_format("%s/model.onnx", s->version_dir);
  if (err) return err;
  const char *name = strrchr(file, '/');
  snprintf(s->model_file, sizeof s->model_file, "%s", name ? name + 1 : file);
  err = access(file, R_OK) == 0 ? sp_digest_file(file, s->model_digest, error) : SP_OK;
  free(file);
  return err;
}

// Whoever answers must be what the user means: no stub in place of predictions, and the model that we have the file of.
static enum sp_err check_server(struct sp_trial_session *s, struct sp_error *error) {
  const struct sp_rpc_server_facts *told = s->server;
  const char *address = s->plan->server_address;
  if (!told) return SP_OK;
  if (told->stub[0] && s->plan->answers_file) {
    return sp_fail(error, SP_ERR_USAGE,
                   "model server %s is a stub (%s): its answers are no predictions; start it without --stub",
                   address, told->stub);
  }
  if (!told->model_digest[0] || !s->model_digest[0] || strcmp(told->model_digest, s->model_digest) == 0)
    return SP_OK;
  return sp_fail(error, SP_ERR_ENVIRONMENT,
                 "model server %s has loaded another model file (%s) than %s holds (%s); start it with "
                 "--model %s=%s, or set model.dir to what it serves",
                 address, told->model_digest, s->version_dir, s->model_digest, s->plan->scenario->model.name,
                 s->plan->scenario->model.dir);
}

static enum sp_err load_expected(struct sp_trial_session *s, struct sp_error *error) {
  const struct sp_scenario *scenario = s->plan->scenario;
  if (!predicts(s)) return SP_OK;
  snprintf(s->expected_file, sizeof s->expected_file, "%s/expected/%s-%llu.jsonl", scenario->folder,
           scenario->model.name, (unsigned long long)s->model_version);
  enum sp_err err = sp_expected_load(s->expected_file, s->recording->n_events, &s->expected, error);
  if (err || !s->expected || !s->model_digest[0]) return err;
  return sp_expected_holds_for(s->expected, s->recording->digest, s->model_file, s->model_digest, error);
}

static enum sp_err open_app(struct sp_trial_session *s, struct sp_error *error) {
  const struct sp_scenario *scenario = s->plan->scenario;
  const struct sp_side *side = s->plan->side;
  enum sp_err err = sp_app_side_open(&s->side, scenario, side, s->plan->server_address, &s->clock, error);
  if (err) return err;
  s->library = sp_app_library(s->side.app);
  s->server = sp_app_server_facts(s->side.app);
  s->encoder = sp_app_encoder(s->side.app);
  s->direct = sp_direct_new(scenario->stream.fifo_events, sp_app_value_bound(s->side.app),
                            (enum sp_wait)side->app.wait, &s->stream);
  sp_app_set_stream(s->side.app, &s->stream);
  return SP_OK;
}

static enum sp_err open_books(struct sp_trial_session *s, struct sp_error *error) {
  bool is_closed = s->schedule->intended_ns == NULL;
  struct sp_error ignored;
  if (s->plan->tally_fd < 0 || sp_shared_open(&s->shared, s->plan->tally_fd, &ignored)) {
    enum sp_err err = sp_shared_new(&s->shared, "tally", sizeof *s->tally, error);
    if (err) return err;
  }
  s->tally = s->shared.data;
  sp_tally_set(&s->tally->n_warmup, (int64_t)s->schedule->n_warmup);
  sp_tally_set(&s->tally->p50_ns, -1);
  sp_tally_set(&s->tally->p99_ns, -1);
  sp_event_states_init(&s->states, s->schedule->n_events, is_closed);
  sp_key_order_init(&s->order, s->recording);
  s->meter = sp_meter_new();
  if (s->plan->scenario->load.only == SP_ONLY_COLLECT) return SP_OK; // nothing is known of when it was sent
  char *path = sp_format("%s/latency.hlog", s->plan->out_dir);
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  enum sp_err err = sp_hlog_open(path, (double)now.tv_sec + (double)now.tv_nsec * 1e-9, &s->hlog, error);
  free(path);
  return err;
}

static void wire_checker(struct sp_trial_session *s) {
  const struct sp_encoder *encoder = s->encoder;
  s->checker = (struct sp_checker){.encoder = encoder,
                                   .expected = s->expected,
                                   .conf = &s->plan->scenario->expect,
                                   .threshold = s->plan->scenario->output.threshold,
                                   .n_recorded = s->recording->n_events};
  size_t n_scores = encoder ? sp_encoder_scores(encoder) : 0;
  if (!s->plan->answers_file || !encoder) return;
  if (n_scores < 1) n_scores = 1; // a label
  if (n_scores > 64) n_scores = 64;
  sp_answers_init(&s->answers, s->recording->n_events, n_scores);
  s->answers.are_labels = sp_encoder_scores(encoder) < 1;
  s->checker.answers = s->answers.values;
  s->checker.copies = s->answers.copies;
  s->checker.n_scores = n_scores;
}

// Where another process sends: it may have sent any event, or, without its run, anything.
static void wire_half(struct sp_trial_session *s) {
  if (s->plan->scenario->load.only != SP_ONLY_COLLECT) return;
  s->collector.is_blind = true;
  s->collector.counts_foreign = s->plan->wire_run == NULL;
  atomic_store_explicit(&s->pacer.is_finished, true, memory_order_release);
  for (size_t i = 0; i < s->states.n; i++) sp_event_state_set_sent(&s->states, i);
}

static void wire(struct sp_trial_session *s) {
  const struct sp_side *side = s->plan->side;
  wire_checker(s);
  s->pacer.clock = s->collector.clock = &s->clock;
  s->pacer.schedule = s->collector.schedule = s->schedule;
  s->pacer.stream = s->collector.stream = &s->stream;
  s->pacer.tally = s->collector.tally = s->tally;
  s->pacer.states = s->collector.states = &s->states;
  s->pacer.done_gate = s->collector.done_gate = &s->done_gate;
  s->pacer.conf = &s->plan->scenario->load;
  s->pacer.recording = s->recording;
  s->pacer.wait = (enum sp_wait)side->app.wait;
  sp_pacer_init(&s->pacer);
  s->collector.order = &s->order;
  s->collector.checker = &s->checker;
  s->collector.meter = s->meter;
  s->collector.deadline_ns = is_rpc(s) ? side->rpc.deadline_ns : 0;
  s->apps_cpu_ns = sp_alloc((s->plan->n_apps + 1) * sizeof *s->apps_cpu_ns);
  s->app_marks = sp_alloc((s->plan->n_apps + 1) * sizeof *s->app_marks);
  for (size_t i = 0; i < s->plan->n_apps && s->plan->apps_are_groups; i++)
    s->app_marks[i] = sp_procfs_env(s->plan->app_pids[i], "SERVEPATH_DIR");
  bool is_closed = s->schedule->intended_ns == NULL;
  if (!s->share.is_own) s->share.n_own = s->schedule->n_events, s->share.n_own_warmup = s->schedule->n_warmup;
  sp_tally_set(&s->tally->n_planned, is_closed ? -1 : (int64_t)s->share.n_own);
  wire_half(s);
}

enum sp_err sp_prepare(struct sp_trial_session *s, struct sp_error *error) {
  enum sp_err err = sp_placement_resolve(&s->plan->scenario->placement, &s->placement, error);
  // Threads that libraries start, and this one, begin where the application runs; the driver's own are placed one by one.
  if (!err) err = sp_cpus_apply(&s->placement.app, error);
  if (!err) err = load_data(s, error);
  if (!err) err = find_model(s, error);
  if (!err) err = sp_link_is_kafka(s->plan) ? sp_link_probe(s, error) : open_app(s, error);
  if (!err) err = check_server(s, error);
  if (!err) err = load_expected(s, error);
  if (!err) err = open_books(s, error);
  if (!err) err = sp_cpus_apply(&s->placement.driver, error);
  if (!err && sp_link_is_kafka(s->plan)) err = sp_link_open(s, error);
  if (err) return err;
  wire(s);
  s->result = sp_result_new();
  sp_facts_fill(s);
  return SP_OK;
}

void sp_trial_session_free(struct sp_trial_session *s) {
  sp_app_side_close(&s->side);
  sp_direct_free(s->direct);
  sp_link_free(s);
  sp_pacer_done(&s->pacer);
  sp_raw_close(s->raw, NULL);
  if (s->hlog) sp_hlog_close(s->hlog, NULL);
  sp_meter_free(s->meter);
  sp_answers_done(&s->answers);
  sp_key_order_done(&s->order);
  sp_event_states_done(&s->states);
  sp_shared_free(&s->shared);
  sp_schedule_free(s->schedule);
  sp_expected_free(s->expected);
  sp_recording_free(s->recording);
  sp_result_free(s->result);
  free(s->version_dir);
  for (size_t i = 0; s->app_marks && i < s->plan->n_apps; i++) free(s->app_marks[i]);
  free(s->app_marks);
  free(s->apps_cpu_ns);
  free(s);
}
