// Calls to a model server, whatever the protocol: asynchronous, bounded by the caller, a deadline on each. One client per
// process; one completion queue per worker.
#ifndef SP_RPC_RPC_H
#define SP_RPC_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/outcome.h"
#include "base/tensor.h"
#include "rpc/conf.h"

struct sp_rpc_client;
struct sp_rpc_call; // one reusable call slot: request buffers prepared once

// What a finished call tells.
struct sp_rpc_result {
  enum sp_outcome
      outcome; // NONE: outputs are filled; deadline, unavailable, rejected, error; malformed: unreadable reply
  int code;    // gRPC status code (HTTP status for REST)
  char text[120];      // status message, printable
  int64_t issued_ns;   // just before the call was started
  int64_t answered_ns; // just after the completion was taken from the queue
  int64_t server_ns;   // from trailing metadata `sp-server-ns`; -1 if the server says nothing
};

// What a server says of itself when it is asked about the model; a text is empty where it does not tell.
struct sp_rpc_server_facts {
  char software[64];                       // "servepath 0.1.0"
  char stub[16];                           // "recorded", "fixed", "echo": no model answers
  char model_digest[SP_DIGEST_TEXT_BYTES]; // of the file that it loaded
};

// The i-th protocol that a client can speak ("tfs"); NULL beyond the last.
const char *sp_rpc_protocol_nth(size_t i);

struct sp_rpc_env {
  const struct sp_rpc_conf *conf;
  const char *address; // "127.0.0.1:41234" or "unix:/path"
  const char *model_name;
  uint64_t model_version;              // 0: the server's default
  const char *version_label;           // asked for in place of the number; NULL: none
  const struct sp_tensor_spec *inputs; // what will be sent, shape[0] = 1
  size_t n_inputs;
  const char *output; // NULL: the only one
  size_t max_rows;
  unsigned n_queues; // one per worker
};

// Connects every channel (a connection each) and waits (conf->connect_timeout) until ready; asks for the model's status and
// metadata where the protocol has them and compares tensors. SP_ERR_ENVIRONMENT `cannot reach model server HOST:PORT (…); …`
// when absent, not speaking the protocol, with TLS on one end only or a certificate that is not trusted; when it lets only
// those call who say who they are; model or version unknown. SP_ERR_USAGE when tensors differ, protocol or address is none,
// or keys of conf->link do not go together, or a label is given where the protocol has none. A server without metadata
// (UNIMPLEMENTED) is asked for one prediction of zeros instead. *output gets the answer's tensor, shape[0] = 1. gRPC starts
// here, and not before. A connection that breaks later is made again by itself for as long as some queue is reaped.
enum sp_err sp_rpc_client_new(const struct sp_rpc_env *env, struct sp_rpc_client **client,
                              struct sp_tensor_spec *output, struct sp_error *error);
// Cancels what is under way, waits for it, and frees the calls that are left too. No other thread may be in a call to the
// client. NULL is allowed.
void sp_rpc_client_free(struct sp_rpc_client *client);
// Asked once, while connecting; owned by the client.
const struct sp_rpc_server_facts *sp_rpc_client_server(const struct sp_rpc_client *client);
const char *sp_rpc_client_library(const struct sp_rpc_client *client); // "grpc core 29.0.0", "libcurl 7.88.1"

// inputs: n_inputs tensors of max_rows rows, owned by the call, to be filled; output: readable from a result with outcome
// NONE until the next start. user may be NULL and comes back with each result. Not while other threads make or free calls.
struct sp_rpc_call *sp_rpc_call_new(struct sp_rpc_client *client, unsigned queue_i,
                                    struct sp_tensor ***inputs, const struct sp_tensor **output, void *user);
void sp_rpc_call_free(struct sp_rpc_call *call); // not while it is under way; NULL is allowed
// Issues the call for the first n_rows rows. The queue's issuing thread. A failure to start comes as a completion.
void sp_rpc_call_start(struct sp_rpc_call *call, size_t n_rows);

typedef void (*sp_rpc_done)(void *user, const struct sp_rpc_result *result, void *context);
// Waits until deadline_ns (CLOCK_MONOTONIC; in the past: does not wait) for a completion of this queue, hands it and
// others that are ready (256 at most) to done, and returns how many; 0 at the deadline or after sp_rpc_wake. `done` may start the call
// again. The queue's completion thread: only while it is here do calls of this queue make progress.
size_t sp_rpc_reap(struct sp_rpc_client *client, unsigned queue_i, int64_t deadline_ns, sp_rpc_done done,
                   void *context);
// Makes a reap under way, or the next one, return. Any thread; allocates, so not for the hot path.
void sp_rpc_wake(struct sp_rpc_client *client, unsigned queue_i);

#endif
