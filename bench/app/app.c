// The application loop: take, decode, submit; and when a prediction is there: encode, answer.
#include "app/app.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/order.h"
#include "base/gate.h"
#include "base/ring.h"
#include "os/thread.h"

#define ORDERED_MIN 1024 // events that may wait for others of their key

// An event that could not be decoded, where its answer must wait for those of the rows before it.
struct refusal {
  size_t before_row;
  struct sp_delivery event;
  struct sp_reason reason;
};

// A request and the events it carries; the path's request points here through `user`.
struct job {
  struct sp_app *app;
  struct sp_request *request;
  struct sp_delivery *rows; // batch of them; row i of the request is rows[i]
  // Where the order of keys is kept; batch of each.
  struct sp_ordered **held;
  size_t n_held;
  struct refusal *refusals;
  size_t n_refusals;
};

struct worker {
  struct sp_app *app;
  unsigned worker_i;
  size_t n_jobs;
  struct job *jobs;
  struct sp_ring free_jobs; // struct job *; pushed by whoever finishes one, popped by the worker
  struct sp_gate free_gate;
  struct sp_scratch *scratch;
  struct sp_delivery *taken;   // batch of them
  struct sp_thread thread;     // takes, decodes, submits
  struct sp_thread reaper;     // asynchronous paths: takes completions, encodes, answers
  atomic_bool submits_no_more; // its thread has ended
  atomic_bool has_reaped_all;  // and its reaper
};

struct sp_app {
  struct sp_app_env env;
  struct sp_stream stream;
  struct sp_decoder *decoder;
  struct sp_encoder *encoder;
  struct sp_path *path;
  struct sp_ordering *order; // NULL: answers may overtake each other
  struct sp_thread intake;
  bool has_intake; // false: a test steps the workers itself
  size_t batch;
  unsigned n_workers;
  struct worker *workers;
  atomic_bool is_stopping;
};

static void fill_reply(struct sp_reply *reply, const struct sp_delivery *event) {
  reply->id = event->id;
  reply->token = event->token;
  reply->intended_ns = event->intended_ns;
  reply->sent_ns = event->sent_ns;
  reply->held_ns = event->held_ns;
  reply->taken_ns = event->taken_ns;
  reply->dispatched_ns = reply->answered_ns = 0;
  reply->server_ns = -1;
  reply->outcome = SP_OUTCOME_NONE;
  reply->code = 0;
  reply->text[0] = 0;
  reply->value_bytes = 0;
}

static void put_back(struct job *job) {
  struct worker *worker = &job->app->workers[job->request->worker_i];
  struct job **cell = sp_ring_claim(&worker->free_jobs);
  SP_ASSERT(cell != NULL); // the ring holds every job of the worker
  *cell = job;
  sp_ring_commit(cell);
  sp_gate_wake(&worker->free_gate, 1);
}

static void answer_row(struct sp_app *app, const struct job *job, size_t row) {
  const struct sp_request *request = job->request;
  struct sp_reply *reply = sp_stream_reply_claim(&app->stream);
  if (!reply) return; // the stream was closed: the driver has stopped counting
  fill_reply(reply, &job->rows[row]);
  reply->dispatched_ns = request->dispatched_ns;
  reply->answered_ns = request->answered_ns;
  reply->server_ns = request->server_ns;
  reply->outcome = request->outcome;
  if (request->outcome != SP_OUTCOME_NONE) {
    reply->code = request->code;
    snprintf(reply->text, sizeof reply->text, "%s", request->text);
  } else if (app->encoder) {
    reply->value_bytes = sp_encode(app->encoder, request->output, row, reply->value);
  }
  reply->encoded_ns = sp_clock_now(app->env.clock);
  sp_stream_reply_commit(&app->stream, reply);
}

static void answer_malformed(struct sp_app *app, const struct sp_delivery *event,
                             const struct sp_reason *reason) {
  struct sp_reply *reply = sp_stream_reply_claim(&app->stream);
  if (!reply) return;
  fill_reply(reply, event);
  reply->outcome = SP_OUTCOME_MALFORMED;
  snprintf(reply->text, sizeof reply->text, "%s", reason->text);
  reply->dispatched_ns = reply->answered_ns = reply->encoded_ns = sp_clock_now(app->env.clock);
  sp_stream_reply_commit(&app->stream, reply);
}

// Those from `at` on that stand before this row; returns the first that does not.
static size_t answer_refusals(struct job *job, size_t at, size_t row) {
  for (; at < job->n_refusals && job->refusals[at].before_row <= row; at++)
    answer_malformed(job->app, &job->refusals[at].event, &job->refusals[at].reason);
  return at;
}

static void finish(struct job *job) {
  struct sp_app *app = job->app;
  size_t at = 0;
  for (size_t row = 0; row < job->request->n_rows; row++) {
    at = answer_refusals(job, at, row);
    answer_row(app, job, row);
  }
  answer_refusals(job, at, job->request->n_rows);
  if (app->order) sp_order_finish(app->order, job->held, job->n_held);
  put_back(job);
}

static void on_done(struct sp_request *request, void *context) {
  (void)context;
  finish(request->user);
}

static void refuse(struct job *job, const struct sp_delivery *event, size_t before_row,
                   const struct sp_reason *reason) {
  if (job->app->order)
    job->refusals[job->n_refusals++] = (struct refusal){before_row, *event, *reason};
  else
    answer_malformed(job->app, event, reason);
}

// Rows that decode stand densely in the request; the others are answered without it.
static void decode_rows(struct worker *worker, struct job *job, size_t n) {
  struct sp_app *app = worker->app;
  size_t n_rows = 0;
  job->n_refusals = 0;
  for (size_t i = 0; i < n; i++) {
    struct sp_reason reason;
    enum sp_outcome outcome = SP_OUTCOME_NONE;
    if (app->decoder) {
      outcome = sp_decode(app->decoder, worker->scratch, worker->taken[i].value, job->request->inputs, n_rows,
                          &reason);
    }
    if (outcome == SP_OUTCOME_NONE)
      job->rows[n_rows++] = worker->taken[i];
    else
      refuse(job, &worker->taken[i], n_rows, &reason);
  }
  job->request->n_rows = n_rows;
}

static struct job *take_free_job(struct worker *worker, int64_t deadline_ns) {
  for (;;) {
    uint32_t seen = sp_gate_look(&worker->free_gate);
    struct job **cell = sp_ring_take(&worker->free_jobs);
    if (cell) {
      struct job *job = *cell;
      sp_ring_release(&worker->free_jobs, cell);
      return job;
    }
    if (deadline_ns <= 0 || sp_now_ns() >= deadline_ns) return NULL;
    sp_gate_wait(&worker->free_gate, seen, (enum sp_wait)worker->app->env.conf->wait, deadline_ns);
  }
}

static size_t take_events(struct worker *worker, struct job *job, int64_t deadline_ns) {
  struct sp_app *app = worker->app;
  job->n_held = 0;
  if (!app->order) return sp_stream_take(&app->stream, worker->taken, app->batch, deadline_ns);
  if (!app->has_intake) sp_order_intake(app->order, &app->stream, 0); // stepped by a test
  job->n_held = sp_order_take(app->order, job->held, app->batch, deadline_ns);
  for (size_t i = 0; i < job->n_held; i++) worker->taken[i] = job->held[i]->delivery;
  return job->n_held;
}

size_t sp_app_worker_step(struct sp_app *app, unsigned worker_i, int64_t deadline_ns) {
  struct worker *worker = &app->workers[worker_i];
  struct job *job = take_free_job(worker, deadline_ns);
  if (!job) return 0;
  size_t n = take_events(worker, job, deadline_ns);
  if (!n) {
    put_back(job);
    return 0;
  }
  int64_t taken_ns = sp_clock_now(app->env.clock);
  for (size_t i = 0; i < n; i++) worker->taken[i].taken_ns = taken_ns;
  decode_rows(worker, job, n);
  if (job->request->n_rows)
    sp_path_submit(app->path, job->request);
  else
    finish(job);
  return n;
}

size_t sp_app_reap_step(struct sp_app *app, unsigned worker_i, int64_t deadline_ns) {
  return sp_path_reap(app->path, worker_i, deadline_ns);
}

static bool is_stopping(struct sp_app *app) {
  return atomic_load_explicit(&app->is_stopping, memory_order_acquire);
}

static void take_in(void *context) {
  struct sp_app *app = context;
  while (!is_stopping(app)) sp_order_intake(app->order, &app->stream, sp_now_ns() + SP_NS_PER_S);
}

static void work(void *context) {
  struct worker *worker = context;
  while (!is_stopping(worker->app)) {
    sp_app_worker_step(worker->app, worker->worker_i, sp_now_ns() + SP_NS_PER_S);
  }
}

// Every request is back when the ring of free ones is full again. Before the worker has ended this says nothing: it may be
// about to submit one more.
static bool all_jobs_are_free(struct worker *worker) {
  return atomic_load_explicit(&worker->submits_no_more, memory_order_acquire) &&
         sp_ring_length(&worker->free_jobs) == worker->n_jobs;
}

static void reap(void *context) {
  struct worker *worker = context;
  while (!all_jobs_are_free(worker)) {
    sp_path_reap(worker->app->path, worker->worker_i, sp_now_ns() + SP_NS_PER_S);
  }
  atomic_store_explicit(&worker->has_reaped_all, true, memory_order_release);
}

// A wake finds nobody while the reaper is between looking and waiting, so it is repeated.
static void end_reaper(struct worker *worker) {
  while (worker->reaper.is_started && !atomic_load_explicit(&worker->has_reaped_all, memory_order_acquire)) {
    sp_path_wake(worker->app->path, worker->worker_i);
    nanosleep(&(struct timespec){.tv_nsec = SP_NS_PER_MS}, NULL);
  }
  sp_thread_join(&worker->reaper);
}

static enum sp_err open_path(struct sp_app *app, struct sp_error *error) {
  struct sp_path_env *env = &app->env.path_env;
  env->clock = app->env.clock;
  env->inputs = app->decoder ? sp_decoder_tensors(app->decoder, &env->n_inputs) : NULL;
  env->output = app->env.output ? app->env.output->tensor : NULL;
  env->max_rows = app->batch;
  env->n_workers = app->n_workers;
  env->n_requests_per_worker = (app->env.in_flight + app->n_workers - 1) / app->n_workers;
  env->done = on_done;
  env->context = app;
  enum sp_err err = app->env.path_ops ? sp_path_open_ops(app->env.path_ops, env, &app->path, error)
                                      : sp_path_open(app->env.path, env, &app->path, error);
  if (err || !app->env.output) return err;
  return sp_encoder_new(app->env.output, sp_path_output(app->path), &app->encoder, error);
}

// The bound is on all workers together; each needs one request to work at all.
static size_t share_of_in_flight(const struct sp_app *app, unsigned worker_i) {
  size_t share = app->env.in_flight / app->n_workers + (worker_i < app->env.in_flight % app->n_workers);
  return share ? share : 1;
}

// One worker that answers one event after the other keeps every order anyway.
static bool may_overtake(const struct sp_app *app) {
  return app->n_workers > 1 || app->batch > 1 || sp_path_is_async(app->path);
}

// As many events again as can be under way: those behind a key that is met often do not keep others from the workers.
static void open_order(struct sp_app *app) {
  const struct sp_app_conf *conf = app->env.conf;
  if (conf->order != SP_ORDER_KEY || !may_overtake(app)) return;
  size_t n_jobs = app->n_workers;
  if (sp_path_is_async(app->path) && app->env.in_flight > n_jobs) n_jobs = app->env.in_flight;
  app->order = sp_order_new(ORDERED_MIN + 2 * n_jobs * app->batch, (enum sp_wait)conf->wait);
}

static enum sp_err prepare_worker(struct sp_app *app, unsigned worker_i, struct sp_error *error) {
  struct worker *worker = &app->workers[worker_i];
  worker->app = app;
  worker->worker_i = worker_i;
  worker->scratch = sp_scratch_new();
  worker->taken = sp_alloc(app->batch * sizeof *worker->taken);
  size_t n_jobs = sp_path_is_async(app->path) ? share_of_in_flight(app, worker_i) : 1;
  worker->jobs = sp_alloc(n_jobs * sizeof *worker->jobs);
  sp_ring_init(&worker->free_jobs, n_jobs, sizeof(struct job *));
  for (size_t i = 0; i < n_jobs; i++) {
    struct job *job = &worker->jobs[i];
    job->app = app;
    job->rows = sp_alloc(app->batch * sizeof *job->rows);
    if (app->order) {
      job->held = sp_alloc(app->batch * sizeof(struct sp_ordered *));
      job->refusals = sp_alloc(app->batch * sizeof *job->refusals);
    }
    worker->n_jobs++;
    enum sp_err err = sp_request_new(app->path, worker_i, &job->request, error);
    if (err) return err;
    job->request->user = job;
    put_back(job);
  }
  return SP_OK;
}

enum sp_err sp_app_new(const struct sp_app_env *env, struct sp_app **result, struct sp_error *error) {
  struct sp_app *app = sp_alloc(sizeof *app);
  app->env = *env;
  app->batch = env->conf->batch;
  app->n_workers = (unsigned)env->conf->threads;
  app->workers = sp_alloc(app->n_workers * sizeof *app->workers);
  enum sp_err err = env->input ? sp_decoder_new(env->input, &app->decoder, error) : SP_OK;
  if (!err) err = open_path(app, error);
  if (!err) open_order(app);
  for (unsigned i = 0; i < app->n_workers && !err; i++) err = prepare_worker(app, i, error);
  if (err) {
    sp_app_free(app);
    return err;
  }
  *result = app;
  return SP_OK;
}

static void free_worker(struct sp_app *app, struct worker *worker) {
  for (size_t i = 0; i < worker->n_jobs; i++) {
    if (worker->jobs[i].request) sp_request_free(app->path, worker->jobs[i].request);
    free(worker->jobs[i].rows);
    free(worker->jobs[i].held);
    free(worker->jobs[i].refusals);
  }
  if (worker->jobs) sp_ring_done(&worker->free_jobs);
  free(worker->jobs);
  free(worker->taken);
  sp_scratch_free(worker->scratch);
}

void sp_app_free(struct sp_app *app) {
  if (!app) return;
  for (unsigned i = 0; i < app->n_workers; i++) free_worker(app, &app->workers[i]);
  free(app->workers);
  sp_order_free(app->order);
  sp_path_close(app->path);
  sp_encoder_free(app->encoder);
  sp_decoder_free(app->decoder);
  free(app);
}

const struct sp_encoder *sp_app_encoder(const struct sp_app *app) {
  return app->encoder;
}
const char *sp_app_library(const struct sp_app *app) {
  return sp_path_library(app->path);
}
const struct sp_rpc_server_facts *sp_app_server_facts(const struct sp_app *app) {
  return sp_path_server_facts(app->path);
}
size_t sp_app_value_bound(const struct sp_app *app) {
  return app->encoder ? sp_encoder_bound(app->encoder) : 0;
}
void sp_app_set_stream(struct sp_app *app, const struct sp_stream *stream) {
  app->stream = *stream;
}

enum sp_err sp_app_start(struct sp_app *app, const struct sp_cpus *cpus, struct sp_error *error) {
  enum sp_err err = SP_OK;
  app->has_intake = app->order != NULL; // before any worker looks, and for good
  if (app->order) err = sp_thread_start(&app->intake, "sp-intake", cpus, take_in, app, error);
  for (unsigned i = 0; i < app->n_workers && !err; i++) {
    struct worker *worker = &app->workers[i];
    if (sp_path_is_async(app->path))
      err = sp_thread_start(&worker->reaper, "sp-reaper", cpus, reap, worker, error);
    if (!err) err = sp_thread_start(&worker->thread, "sp-worker", cpus, work, worker, error);
  }
  if (err) sp_app_stop(app);
  return err;
}

void sp_app_stop(struct sp_app *app) {
  atomic_store_explicit(&app->is_stopping, true, memory_order_release);
  if (app->order) sp_order_close(app->order);
  sp_thread_join(&app->intake);
  for (unsigned i = 0; i < app->n_workers; i++) {
    sp_gate_wake(&app->workers[i].free_gate, INT32_MAX);
    sp_thread_join(&app->workers[i].thread);
    atomic_store_explicit(&app->workers[i].submits_no_more, true, memory_order_release);
    end_reaper(&app->workers[i]);
  }
}

int64_t sp_app_cpu_ns(struct sp_app *app) {
  int64_t cpu_ns = sp_thread_cpu_ns(&app->intake);
  for (unsigned i = 0; i < app->n_workers; i++) {
    cpu_ns += sp_thread_cpu_ns(&app->workers[i].thread) + sp_thread_cpu_ns(&app->workers[i].reaper);
  }
  return cpu_ns;
}
