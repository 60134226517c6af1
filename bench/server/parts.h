// What the files of the server share: one struct, and the handlers of its methods.
#ifndef SP_SERVER_PARTS_H
#define SP_SERVER_PARTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "os/thread.h"
#include "rpc/listener.h"
#include "server/batch.h"
#include "server/current.h"
#include "server/delay.h"
#include "server/events.h"
#include "server/fail.h"
#include "server/reload.h"
#include "server/server.h"
#include "server/stub.h"
#include "server/timer.h"
#include "server/which.h"

struct
    sp_worker { // whoever predicts: a serving thread, the timer's, the batcher's; has a bench in every version
  size_t i;
  struct sp_reply_room room;
  struct sp_server_counts counts; // its own
};

struct sp_server {
  struct sp_stub_told stub;
  struct sp_told told;
  struct sp_current current; // the serving threads are its readers
  struct sp_reload *reload;  // NULL: nothing is looked at again
  struct sp_delay *delay;
  struct sp_fail_plan *fail;
  struct sp_events *events;   // where failures or delays are told by them; NULL: nobody asks
  struct sp_timer *timer;     // where delays are, and not serial
  struct sp_batcher *batcher; // where requests are gathered
  struct sp_listener *listener;
  size_t n_threads;
  struct serving {
    struct sp_server *server;
    struct sp_thread thread;
    unsigned i;
  } * threads;
  size_t n_workers; // the serving threads, then the timer's or the batcher's
  struct sp_worker *workers;
  _Atomic uint64_t n_calls, n_runs; // predictions begun; gathered runs begun
  _Atomic bool is_ending;
  _Atomic bool *has_version;       // of each of told.sources, as the health service tells it
  struct sp_server_counts *counts; // the user's; NULL: not wanted
  char *delay_log_path;
  FILE *delay_log; // written by any thread, whole lines
};

// Predictions: TensorFlow Serving's Predict, KServe's ModelInfer.
void sp_predict_handle(void *context, unsigned thread_i, struct sp_incoming *call, struct sp_bytes request);
void sp_infer_handle(void *context, unsigned thread_i, struct sp_incoming *call, struct sp_bytes request);
// The timer's: a delayed call is due. `item` is the struct that a handler gave it.
void sp_predict_due(void *context, void *item);
// The batcher's.
void sp_predict_batch(void *context, size_t runner_i, struct sp_batch *batch);

// What it says of itself. TensorFlow Serving's:
void sp_status_handle(void *context, unsigned thread_i, struct sp_incoming *call, struct sp_bytes request);
void sp_metadata_handle(void *context, unsigned thread_i, struct sp_incoming *call, struct sp_bytes request);
// KServe's:
void sp_server_live_handle(void *context, unsigned thread_i, struct sp_incoming *call,
                           struct sp_bytes request);
void sp_server_ready_handle(void *context, unsigned thread_i, struct sp_incoming *call,
                            struct sp_bytes request);
void sp_server_metadata_handle(void *context, unsigned thread_i, struct sp_incoming *call,
                               struct sp_bytes request);
void sp_model_ready_handle(void *context, unsigned thread_i, struct sp_incoming *call,
                           struct sp_bytes request);
void sp_model_metadata_handle(void *context, unsigned thread_i, struct sp_incoming *call,
                              struct sp_bytes request);
// gRPC's health service: Check, and what Watch tells.
void sp_health_handle(void *context, unsigned thread_i, struct sp_incoming *call, struct sp_bytes request);
size_t sp_health_look(void *context, struct sp_bytes request, uint8_t *to);
// Models have come or gone, or the server is ending: notes it, and tells whoever watches. The thread that replaces the served
// set, or while that does not run.
void sp_health_refresh(struct sp_server *server);

// For these: NULL after refusing the call.
const struct sp_served *sp_admin_find(const struct sp_models *models, const struct sp_asked *asked,
                                      struct sp_incoming *call);
// A reply with notes about server and model: a stub or another model must not pass for the one that a user means.
void sp_admin_reply_noted(const struct sp_server *server, const struct sp_served *served,
                          struct sp_incoming *call, struct sp_bytes reply);
// The versions served of a model, rising; free().
uint64_t *sp_admin_versions(const struct sp_models *models, const char *name, size_t *n);

#endif
