// The reference model server: start, threads, stop.
#include "server/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "os/files.h"
#include "rpc/kserve.h"
#include "rpc/tfs.h"
#include "server/parts.h"

#define N_WAITING_PREDICT 64

static const struct sp_listener_method methods[] = {
    {SP_TFS_PREDICT, N_WAITING_PREDICT, sp_predict_handle, NULL},
    {SP_TFS_GET_MODEL_METADATA, 1, sp_metadata_handle, NULL},
    {SP_TFS_GET_MODEL_STATUS, 1, sp_status_handle, NULL},
    {SP_KSERVE_MODEL_INFER, N_WAITING_PREDICT, sp_infer_handle, NULL},
    {SP_KSERVE_SERVER_LIVE, 1, sp_server_live_handle, NULL},
    {SP_KSERVE_SERVER_READY, 1, sp_server_ready_handle, NULL},
    {SP_KSERVE_SERVER_METADATA, 1, sp_server_metadata_handle, NULL},
    {SP_KSERVE_MODEL_READY, 1, sp_model_ready_handle, NULL},
    {SP_KSERVE_MODEL_METADATA, 1, sp_model_metadata_handle, NULL},
    {SP_HEALTH_CHECK, 1, sp_health_handle, NULL},
    {SP_HEALTH_WATCH, 1, NULL, sp_health_look},
};

static void serve(void *context) {
  struct serving *serving = context;
  sp_listener_serve(serving->server->listener, serving->i);
}

static bool gathers(const struct sp_server_conf *conf) {
  return conf->batch_delay_ns > 0;
}

static bool has_timer(const struct sp_server *server) {
  return server->delay && !sp_delay_is_serial(server->delay);
}

static enum sp_err check_conf(const struct sp_server_conf *conf, struct sp_error *error) {
  if (conf->threads < 1 || conf->threads > 1024) {
    return sp_fail(error, SP_ERR_USAGE, "threads: %llu; a server has 1 to 1024",
                   (unsigned long long)conf->threads);
  }
  if (conf->max_batch < 1 || conf->max_batch > 65536) {
    return sp_fail(error, SP_ERR_USAGE, "max_batch: %llu; write 1 to 65536",
                   (unsigned long long)conf->max_batch);
  }
  if (gathers(conf) && conf->max_batch == 1) {
    return sp_fail(error, SP_ERR_USAGE,
                   "batch_delay: with max_batch 1 there is nothing to gather; give --max-batch 16, or leave "
                   "--batch-delay out");
  }
  return SP_OK;
}

bool sp_server_needs_scenario(const struct sp_server_conf *conf) {
  return conf->stub == SP_STUB_RECORDED || (conf->fail && strstr(conf->fail, "_event=")) ||
         (conf->delay && strstr(conf->delay, "_event="));
}

static bool asks_events(const struct sp_server *server) {
  return (server->fail && sp_fail_plan_asks_events(server->fail)) ||
         (server->delay && sp_delay_asks_events(server->delay));
}

// Failures and delays of given events: what they are must be known.
static enum sp_err open_events(struct sp_server *server, const struct sp_server_env *env,
                               struct sp_error *error) {
  if (!asks_events(server)) return SP_OK;
  const char *key = server->fail && sp_fail_plan_asks_events(server->fail) ? "fail" : "delay";
  if (!env->scenario)
    return sp_fail(error, SP_ERR_USAGE,
                   "%s: at_event and every_event need --scenario, which names the recording", key);
  if (server->delay && sp_delay_asks_events(server->delay) && gathers(env->conf))
    return sp_fail(error, SP_ERR_USAGE,
                   "delay: where requests are gathered, it is the time of a run, and not of an event; leave "
                   "--batch-delay or at_event out");
  enum sp_err err = sp_events_new(env->scenario, &server->events, error);
  if (!err && server->fail) err = sp_fail_plan_bind(server->fail, sp_events_count(server->events), error);
  if (!err && server->delay) err = sp_delay_bind(server->delay, sp_events_count(server->events), error);
  return err;
}

static enum sp_err open_stub(struct sp_server *server, const struct sp_server_conf *conf,
                             struct sp_error *error) {
  enum sp_err err = SP_OK;
  server->stub = (struct sp_stub_told){conf->stub, conf->fixed_value};
  if (conf->delay) err = sp_delay_new(conf->delay, conf->seed, &server->delay, error);
  if (!err && conf->fail) err = sp_fail_plan_new(conf->fail, conf->seed, &server->fail, error);
  if (!err && gathers(conf) && has_timer(server)) {
    err =
        sp_fail(error, SP_ERR_USAGE,
                "delay: where requests are gathered, it is the time of a run; write serial:%s", conf->delay);
  }
  if (err || !conf->delay_log) return err;
  server->delay_log_path = sp_copy_text(conf->delay_log);
  server->delay_log = fopen(conf->delay_log, "we");
  return server->delay_log ? SP_OK : sp_files_fail_write(conf->delay_log, errno, error);
}

// Who predicts: every serving thread, and the one that answers late, or those that run what was gathered.
static void add_workers(struct sp_server *server, const struct sp_server_conf *conf) {
  size_t n_more = gathers(conf) ? server->n_threads : has_timer(server) ? 1 : 0;
  server->n_workers = server->n_threads + n_more;
  server->workers = sp_alloc(server->n_workers * sizeof *server->workers);
  for (size_t i = 0; i < server->n_workers; i++) server->workers[i].i = i;
}

static enum sp_err load_models(struct sp_server *server, const struct sp_server_env *env,
                               struct sp_error *error) {
  struct sp_models *models = NULL;
  enum sp_err err = sp_told_init(&server->told, env, server->n_workers, error);
  if (!err) err = sp_models_load(&server->told, env, &models, error);
  if (err) return err;
  sp_current_init(&server->current, server->n_threads, models);
  server->has_version = sp_alloc(server->told.n_sources * sizeof *server->has_version);
  sp_health_refresh(server);
  return SP_OK;
}

static enum sp_err start_threads(struct sp_server *server, struct sp_error *error) {
  server->threads = sp_alloc(server->n_threads * sizeof *server->threads);
  enum sp_err err = SP_OK;
  for (unsigned i = 0; !err && i < server->n_threads; i++) {
    char name[16];
    snprintf(name, sizeof name, "sp-serve-%u", i);
    server->threads[i].server = server;
    server->threads[i].i = i;
    err = sp_thread_start(&server->threads[i].thread, name, NULL, serve, &server->threads[i], error);
  }
  return err;
}

static enum sp_err start_helpers(struct sp_server *server, const struct sp_server_conf *conf,
                                 struct sp_error *error) {
  if (has_timer(server)) return sp_timer_new(sp_predict_due, server, &server->timer, error);
  if (!gathers(conf)) return SP_OK;
  return sp_batcher_new(conf->batch_delay_ns, server->n_threads, sp_predict_batch, server, &server->batcher,
                        error);
}

static void versions_changed(void *context) {
  sp_health_refresh(context);
}

static enum sp_err start_reload(struct sp_server *server, const struct sp_server_conf *conf,
                                struct sp_error *error) {
  if (conf->reload_ns <= 0 || conf->stub != SP_STUB_NONE) return SP_OK;
  const struct sp_reload_env env = {.told = &server->told,
                                    .current = &server->current,
                                    .period_ns = conf->reload_ns,
                                    .changed = versions_changed,
                                    .context = server};
  return sp_reload_new(&env, &server->reload, error);
}

static enum sp_err listen_for(struct sp_server *server, const struct sp_server_env *env,
                              struct sp_error *error) {
  const struct sp_server_conf *conf = env->conf;
  const struct sp_listener_security security = {
      .cert = conf->tls_cert, .key = conf->tls_key, .client_ca = conf->tls_client_ca, .token = conf->token};
  return sp_listener_new(env->address, (unsigned)server->n_threads, methods,
                         sizeof methods / sizeof methods[0], &security, server, &server->listener, error);
}

enum sp_err sp_server_start(const struct sp_server_env *env, struct sp_server **made,
                            struct sp_error *error) {
  enum sp_err err = check_conf(env->conf, error);
  if (err) return err;
  struct sp_server *server = sp_alloc(sizeof *server);
  server->n_threads = (size_t)env->conf->threads;
  err = open_stub(server, env->conf, error);
  if (!err) err = open_events(server, env, error);
  if (!err) {
    add_workers(server, env->conf);
    err = load_models(server, env, error);
  }
  if (!err) err = start_helpers(server, env->conf, error);
  if (!err) err = listen_for(server, env, error);
  if (!err) err = start_threads(server, error);
  if (!err) err = start_reload(server, env->conf, error);
  if (err) {
    bool was_graceful;
    sp_server_stop(server, 0, &was_graceful, NULL);
    return err;
  }
  server->counts = env->counts;
  *made = server;
  return SP_OK;
}

const char *sp_server_address(const struct sp_server *server) {
  return sp_listener_address(server->listener);
}

static bool stop_serving(struct sp_server *server, int64_t grace_ns) {
  if (!server->listener) return true;
  bool was_graceful = sp_listener_drain(server->listener, grace_ns);
  if (!was_graceful) {
    sp_listener_cancel(server->listener);
    // A cancelled call still wants its reply before it goes away, and those put off have it lying in timer and batches.
    if (server->timer) sp_timer_hurry(server->timer);
    if (server->batcher) sp_batcher_hurry(server->batcher);
  }
  sp_listener_end(server->listener);
  for (size_t i = 0; server->threads && i < server->n_threads; i++)
    sp_thread_join(&server->threads[i].thread);
  sp_listener_free(server->listener);
  return was_graceful;
}

static enum sp_err close_delay_log(struct sp_server *server, struct sp_error *error) {
  if (!server->delay_log) return SP_OK;
  int failed = fflush(server->delay_log) != 0 || ferror(server->delay_log) ? errno : 0;
  if (fclose(server->delay_log) != 0 && !failed) failed = errno;
  return failed ? sp_files_fail_write(server->delay_log_path, failed, error) : SP_OK;
}

// No thread predicts any more.
static void end_workers(struct sp_server *server) {
  struct sp_server_counts sum = {0};
  for (size_t i = 0; i < server->n_workers; i++) {
    sum.n_predictions += server->workers[i].counts.n_predictions;
    sum.n_requests += server->workers[i].counts.n_requests;
    free(server->workers[i].room.bytes);
  }
  if (server->counts) *server->counts = sum;
  free(server->workers);
}

enum sp_err sp_server_stop(struct sp_server *server, int64_t grace_ns, bool *was_graceful,
                           struct sp_error *error) {
  atomic_store(&server->is_ending, true);
  sp_reload_free(server->reload);
  if (server->listener) sp_health_refresh(server); // whoever watches hears it before the stream ends
  *was_graceful = stop_serving(server, grace_ns);
  sp_timer_free(server->timer);
  sp_batcher_free(server->batcher);
  enum sp_err err = close_delay_log(server, error);
  end_workers(server);
  sp_current_done(&server->current);
  free(server->has_version);
  sp_told_done(&server->told);
  sp_delay_free(server->delay);
  sp_fail_plan_free(server->fail);
  sp_events_free(server->events);
  free(server->threads);
  free(server->delay_log_path);
  free(server);
  return err;
}
