// What the files of the server share: one struct, and the handlers of its methods.
#ifndef SP_SERVER_PARTS_H
#define SP_SERVER_PARTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "os/thread.h"
#include "rpc/listener.h"
#include "server/delay.h"
#include "server/fail.h"
#include "server/models.h"
#include "server/server.h"
#include "server/timer.h"

struct sp_worker { // one per serving thread, and one for the timer's
  unsigned i;
  size_t n_room;
  uint8_t *reply; // scratch, grows to the largest
};

struct sp_server {
  int stub;
  double fixed_value;
  struct sp_models models; // immutable while serving
  struct sp_delay *delay;
  struct sp_fail_plan *fail;
  struct sp_timer *timer; // where delays are, and not serial
  struct sp_listener *listener;
  size_t n_threads;
  struct serving {
    struct sp_server *server;
    struct sp_thread thread;
    unsigned i;
  } * threads;
  struct sp_worker *workers; // n_threads + 1
  _Atomic uint64_t n_calls;  // predictions begun
  _Atomic bool is_ending;
  char *delay_log_path;
  FILE *delay_log; // written by any thread, whole lines
};

void sp_predict_handle(void *context, unsigned thread_i, struct sp_incoming *call, struct sp_bytes request);
// The timer's: a delayed call is due. `item` is the struct that sp_predict_handle gave it.
void sp_predict_due(void *context, void *item);
void sp_status_handle(void *context, unsigned thread_i, struct sp_incoming *call, struct sp_bytes request);
void sp_metadata_handle(void *context, unsigned thread_i, struct sp_incoming *call, struct sp_bytes request);
void sp_health_handle(void *context, unsigned thread_i, struct sp_incoming *call, struct sp_bytes request);

#endif
