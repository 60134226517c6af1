// The client over gRPC: channels, a completion queue per worker, reusable calls.
//
// One call is one batch of six operations and one completion. What varies is written into a slice of its own (some 200
// bytes copied): gRPC may hold a request after the call has ended, for it may still be in a half-written frame, so lending
// it the call's own buffers would let a reused call change bytes under way.
#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/slice.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "rpc/channel.h"
#include "rpc/library.h"
#include "rpc/ops.h"
#include "rpc/protocol.h"
#include "rpc/tfs.h"

static const struct sp_protocol *const protocols[] = {&sp_protocol_tfs, &sp_protocol_kserve};
#define N_PROTOCOLS (sizeof protocols / sizeof protocols[0])

#define SERVER_NS_KEY  "sp-server-ns"
#define N_CHANNELS_MAX 256
#define N_OPS          6
#define N_REAPED_MAX   256 // a reap returns now and then, however fast calls end

// What a completion is about: each tag points at one of these.
enum kind { KIND_CALL, KIND_WATCH, KIND_WAKE };

struct watch { // keeps a channel's reconnecting alive on a polled queue
  enum kind kind;
  grpc_channel *channel;
};

struct queue {
  grpc_completion_queue *completions;
  size_t next_channel_i; // issuing thread
};

struct client {
  const struct sp_protocol *protocol;
  char *address;
  struct sp_link link;
  // A channel for each call, with the method by name, since a registered one belongs to its channel. Those below then serve
  // to describe the model and to wake.
  bool is_per_call;
  grpc_slice method;
  size_t n_channels;
  grpc_channel **channels;
  void **methods; // per channel: the registered method
  struct watch *watches;
  size_t n_queues;
  struct queue *queues;
  enum kind wake; // KIND_WAKE: its address is the tag
  struct sp_rpc_server_facts server;
  int64_t deadline_ns;
  size_t n_inputs, max_rows;
  struct sp_tensor_spec inputs[SP_TENSORS_MAX], output;
  size_t n_spec;
  uint8_t spec[SP_PROTOCOL_SPEC_BYTES]; // start of every request
  struct call *calls;                   // all of them, linked
};

struct call {
  enum kind kind; // first: the call is its own tag
  struct client *client;
  struct queue *queue;
  void *user;
  struct call *previous, *next;
  struct sp_tensor inputs[SP_TENSORS_MAX], *input_list[SP_TENSORS_MAX], output;
  size_t n_heads[SP_TENSORS_MAX];
  uint8_t heads[SP_TENSORS_MAX][SP_PROTOCOL_HEAD_BYTES]; // for heads_rows rows
  size_t heads_rows, n_request, n_rows;
  // Stored last by the issuing thread, loaded first by the completing one: gRPC orders the two as well, but where no
  // sanitizer sees it.
  _Atomic bool is_issued;
  grpc_call *call;       // NULL: not under way
  grpc_channel *channel; // its own, while under way; NULL: shared
  grpc_op ops[N_OPS];
  grpc_byte_buffer *request, *reply;
  grpc_metadata_array initial, trailing;
  grpc_status_code status;
  grpc_slice details;
  struct sp_rpc_result result;
};

// --- Making and freeing the client ---

static enum sp_err choose_protocol(const char *name, const struct sp_protocol **protocol,
                                   struct sp_error *error) {
  for (size_t i = 0; i < N_PROTOCOLS; i++) {
    *protocol = protocols[i];
    if (strcmp(name, protocols[i]->name) == 0) return SP_OK;
  }
  return sp_fail(error, SP_ERR_USAGE, "protocol: \"%s\" is none over gRPC", name);
}

static void watch_start(struct client *client, struct watch *watch) {
  // With try_to_connect, so that a channel that went idle when its server left comes back without any call.
  grpc_connectivity_state state = grpc_channel_check_connectivity_state(watch->channel, 1);
  if (state == GRPC_CHANNEL_SHUTDOWN) return;
  grpc_channel_watch_connectivity_state(watch->channel, state, gpr_inf_future(GPR_CLOCK_MONOTONIC),
                                        client->queues[0].completions, watch);
}

static void open_channels(struct client *client, const struct sp_rpc_env *env) {
  client->n_channels = env->conf->channels ? (size_t)env->conf->channels : 1;
  client->channels = sp_alloc(client->n_channels * sizeof(grpc_channel *));
  client->methods = sp_alloc(client->n_channels * sizeof(void *));
  client->watches = sp_alloc(client->n_channels * sizeof *client->watches);
  for (size_t i = 0; i < client->n_channels; i++) {
    client->channels[i] = sp_channel_new(env->address, &client->link);
    client->methods[i] =
        grpc_channel_register_call(client->channels[i], client->protocol->predict, NULL, NULL);
    client->watches[i] = (struct watch){KIND_WATCH, client->channels[i]};
  }
}

static void open_queues(struct client *client, size_t n_queues) {
  client->queues = sp_alloc(n_queues * sizeof *client->queues);
  client->n_queues = n_queues;
  for (size_t i = 0; i < n_queues; i++) {
    client->queues[i].completions = grpc_completion_queue_create_for_next(NULL);
    client->queues[i].next_channel_i = i;
  }
}

static void call_destroy(struct call *call) {
  for (size_t i = 0; i < call->client->n_inputs; i++) sp_tensor_done(&call->inputs[i]);
  sp_tensor_done(&call->output);
  grpc_metadata_array_destroy(&call->initial);
  grpc_metadata_array_destroy(&call->trailing);
  free(call);
}

static void call_release(struct call *call) {
  grpc_byte_buffer_destroy(call->request);
  grpc_byte_buffer_destroy(call->reply);
  call->request = call->reply = NULL;
  grpc_slice_unref(call->details);
  call->details = grpc_empty_slice();
  grpc_call_unref(call->call);
  call->call = NULL;
  if (call->channel) grpc_channel_destroy(call->channel);
  call->channel = NULL;
  atomic_store_explicit(&call->is_issued, false, memory_order_relaxed);
}

static void close_queue(grpc_completion_queue *completions) {
  grpc_completion_queue_shutdown(completions);
  for (;;) {
    grpc_event event = grpc_completion_queue_next(completions, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    if (event.type == GRPC_QUEUE_SHUTDOWN) break;
    if (*(const enum kind *)event.tag == KIND_CALL) call_release(event.tag);
  }
  grpc_completion_queue_destroy(completions);
}

static void client_free(void *of) {
  struct client *client = of;
  for (struct call *call = client->calls; call; call = call->next) {
    if (call->call) grpc_call_cancel(call->call, NULL);
  }
  // Destroying a channel ends the watch on it.
  for (size_t i = 0; i < client->n_channels; i++) grpc_channel_destroy(client->channels[i]);
  for (size_t i = 0; i < client->n_queues; i++) close_queue(client->queues[i].completions);
  for (struct call *call = client->calls, *next; call; call = next) {
    next = call->next;
    call_destroy(call);
  }
  free(client->queues);
  free(client->watches);
  free(client->methods);
  free(client->channels);
  grpc_slice_unref(client->method);
  sp_link_done(&client->link);
  free(client->address);
  free(client);
  sp_grpc_end();
}

static enum sp_err check_env(const struct sp_rpc_env *env, const struct sp_protocol *protocol,
                             struct sp_error *error) {
  enum sp_err err = sp_address_check("server", env->address, error);
  if (err) return err;
  if (env->conf->channels > N_CHANNELS_MAX) {
    return sp_fail(error, SP_ERR_USAGE, "channels: %llu; a client opens %d at most",
                   (unsigned long long)env->conf->channels, N_CHANNELS_MAX);
  }
  if (env->conf->channels > 1 && env->conf->link.channel == SP_RPC_CHANNEL_PER_CALL) {
    return sp_fail(error, SP_ERR_USAGE, "channels: %llu with rpc.channel per-call; leave one of the two out",
                   (unsigned long long)env->conf->channels);
  }
  if (strlen(env->model_name) >= SP_TFS_MODEL_NAME_BYTES) {
    return sp_fail(error, SP_ERR_USAGE, "model.name: has more than %d bytes", SP_TFS_MODEL_NAME_BYTES - 1);
  }
  return protocol->check(env, error);
}

static struct client *client_alloc(const struct sp_rpc_env *env, const struct sp_protocol *protocol) {
  struct client *client = sp_alloc(sizeof *client);
  client->protocol = protocol;
  client->address = sp_copy_text(env->address);
  client->is_per_call = env->conf->link.channel == SP_RPC_CHANNEL_PER_CALL;
  client->method = grpc_slice_from_static_string(protocol->predict);
  client->wake = KIND_WAKE;
  client->deadline_ns = env->conf->deadline_ns;
  client->max_rows = env->max_rows;
  client->n_inputs = env->n_inputs;
  memcpy(client->inputs, env->inputs, env->n_inputs * sizeof *env->inputs);
  return client;
}

static enum sp_err reach(struct client *client, const struct sp_rpc_env *env, struct sp_error *error) {
  enum sp_err err = sp_link_init(&client->link, &env->conf->link, error);
  if (err) return err;
  open_channels(client, env);
  open_queues(client, env->n_queues);
  err = sp_channels_connect(client->channels, client->n_channels, env->address, &client->link,
                            env->conf->connect_timeout_ns, error);
  if (err) return err;
  const struct sp_peer peer = {env, client->channels[0], &client->link};
  return client->protocol->describe(&peer, &client->server, &client->output, error);
}

static enum sp_err client_new(const struct sp_rpc_env *env, void **made, struct sp_tensor_spec *output,
                              struct sp_error *error) {
  const struct sp_protocol *protocol;
  enum sp_err err = choose_protocol(env->conf->protocol, &protocol, error);
  if (!err) err = check_env(env, protocol, error);
  if (err) return err;
  sp_grpc_start();
  struct client *client = client_alloc(env, protocol);
  err = reach(client, env, error);
  if (err) {
    client_free(client);
    return err;
  }
  client->n_spec = protocol->write_spec(env, client->output.name, client->spec);
  SP_ASSERT(client->n_spec <= sizeof client->spec);
  for (size_t i = 0; i < client->n_channels && !client->is_per_call; i++)
    watch_start(client, &client->watches[i]);
  *output = client->output;
  *made = client;
  return SP_OK;
}

static const struct sp_rpc_server_facts *client_server(const void *of) {
  const struct client *client = of;
  return &client->server;
}

// --- Calls ---

// The batch, whose pointers lead back into the call: only the request changes from call to call.
static void prepare_ops(struct call *call) {
  grpc_op *ops = call->ops;
  ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
  ops[0].data.send_initial_metadata.count = call->client->link.n_metadata;
  ops[0].data.send_initial_metadata.metadata = call->client->link.metadata;
  ops[1].op = GRPC_OP_SEND_MESSAGE;
  ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
  ops[3].op = GRPC_OP_RECV_INITIAL_METADATA;
  ops[3].data.recv_initial_metadata.recv_initial_metadata = &call->initial;
  ops[4].op = GRPC_OP_RECV_MESSAGE;
  ops[4].data.recv_message.recv_message = &call->reply;
  ops[5].op = GRPC_OP_RECV_STATUS_ON_CLIENT;
  ops[5].data.recv_status_on_client.trailing_metadata = &call->trailing;
  ops[5].data.recv_status_on_client.status = &call->status;
  ops[5].data.recv_status_on_client.status_details = &call->details;
}

static void *call_new(void *of, unsigned queue_i, struct sp_tensor ***inputs, const struct sp_tensor **output,
                      void *user) {
  struct client *client = of;
  SP_ASSERT(queue_i < client->n_queues);
  struct call *call = sp_alloc(sizeof *call);
  call->kind = KIND_CALL;
  call->client = client;
  call->queue = &client->queues[queue_i];
  call->user = user;
  for (size_t i = 0; i < client->n_inputs; i++) {
    sp_tensor_init(&call->inputs[i], &client->inputs[i], client->max_rows);
    call->input_list[i] = &call->inputs[i];
  }
  sp_tensor_init(&call->output, &client->output, client->max_rows);
  call->details = grpc_empty_slice();
  grpc_metadata_array_init(&call->initial);
  grpc_metadata_array_init(&call->trailing);
  prepare_ops(call);
  call->next = client->calls;
  if (call->next) call->next->previous = call;
  client->calls = call;
  *inputs = call->input_list;
  *output = &call->output;
  return call;
}

static void call_free(void *of) {
  struct call *call = of;
  SP_ASSERT(!call->call);
  if (call->next) call->next->previous = call->previous;
  if (call->previous)
    call->previous->next = call->next;
  else
    call->client->calls = call->next;
  call_destroy(call);
}

static size_t rows_bytes(const struct sp_tensor *tensor, size_t n_rows) {
  return n_rows * tensor->row_elements * sp_dtype_bytes(tensor->spec.dtype);
}

// Heads depend on the number of rows only, which rarely changes.
static void prepare_heads(struct call *call, size_t n_rows) {
  const struct client *client = call->client;
  call->heads_rows = n_rows;
  call->n_request = client->n_spec;
  for (size_t i = 0; i < client->n_inputs; i++) {
    call->n_heads[i] = client->protocol->write_input_head(&client->inputs[i], n_rows, call->heads[i]);
    SP_ASSERT(call->n_heads[i] <= sizeof call->heads[i]);
    call->n_request += call->n_heads[i] + rows_bytes(&call->inputs[i], n_rows);
  }
}

static grpc_byte_buffer *request_of(struct call *call, size_t n_rows) {
  if (call->heads_rows != n_rows) prepare_heads(call, n_rows);
  const struct client *client = call->client;
  grpc_slice slice = grpc_slice_malloc(call->n_request);
  uint8_t *at = GRPC_SLICE_START_PTR(slice);
  memcpy(at, client->spec, client->n_spec);
  at += client->n_spec;
  for (size_t i = 0; i < client->n_inputs; i++) {
    memcpy(at, call->heads[i], call->n_heads[i]);
    at += call->n_heads[i];
    size_t n = rows_bytes(&call->inputs[i], n_rows);
    memcpy(at, call->inputs[i].data, n);
    at += n;
  }
  grpc_byte_buffer *request = grpc_raw_byte_buffer_create(&slice, 1);
  grpc_slice_unref(slice);
  return request;
}

static grpc_call *call_on_shared(const struct call *call, gpr_timespec deadline) {
  struct client *client = call->client;
  size_t i = call->queue->next_channel_i++ % client->n_channels;
  return grpc_channel_create_registered_call(client->channels[i], NULL, GRPC_PROPAGATE_DEFAULTS,
                                             call->queue->completions, client->methods[i], deadline, NULL);
}

static grpc_call *call_on_own(struct call *call, gpr_timespec deadline) {
  struct client *client = call->client;
  call->channel = sp_channel_new(client->address, &client->link);
  return grpc_channel_create_call(call->channel, NULL, GRPC_PROPAGATE_DEFAULTS, call->queue->completions,
                                  client->method, NULL, deadline, NULL);
}

static void call_start(void *which, size_t n_rows) {
  struct call *call = which;
  struct client *client = call->client;
  SP_ASSERT(!call->call && n_rows > 0 && n_rows <= client->max_rows);
  call->request = request_of(call, n_rows);
  call->ops[1].data.send_message.send_message = call->request;
  call->n_rows = n_rows;
  call->result.issued_ns = sp_now_ns();
  gpr_timespec deadline = sp_grpc_time(call->result.issued_ns + client->deadline_ns);
  // Can fail for misuse only; whatever the network does comes as a status.
  grpc_call *of = client->is_per_call ? call_on_own(call, deadline) : call_on_shared(call, deadline);
  call->call = of;
  atomic_store_explicit(&call->is_issued, true, memory_order_release);
  grpc_call_error started = grpc_call_start_batch(of, call->ops, N_OPS, call, NULL);
  SP_ASSERT(started == GRPC_CALL_OK);
}

// --- Completions ---

static int64_t server_ns_of(const grpc_metadata_array *trailing) {
  for (size_t i = 0; i < trailing->count; i++) {
    const grpc_metadata *entry = &trailing->metadata[i];
    size_t n = GRPC_SLICE_LENGTH(entry->value);
    if (GRPC_SLICE_LENGTH(entry->key) != sizeof SERVER_NS_KEY - 1 || n == 0 || n > 18) continue;
    if (memcmp(GRPC_SLICE_START_PTR(entry->key), SERVER_NS_KEY, sizeof SERVER_NS_KEY - 1) != 0) continue;
    int64_t ns = 0;
    for (size_t j = 0; j < n; j++) {
      uint8_t digit = GRPC_SLICE_START_PTR(entry->value)[j];
      if (digit < '0' || digit > '9') return -1;
      ns = ns * 10 + (digit - '0');
    }
    return ns;
  }
  return -1;
}

static void read_answer(struct call *call) {
  struct sp_rpc_result *result = &call->result;
  if (!call->reply) {
    result->outcome = SP_OUTCOME_MALFORMED;
    snprintf(result->text, sizeof result->text, "reply: OK without a message");
    return;
  }
  grpc_slice copy;
  struct sp_bytes bytes = sp_message_bytes(call->reply, &copy);
  if (!call->client->protocol->read_reply(bytes, &call->output, call->n_rows, result->text,
                                          sizeof result->text)) {
    result->outcome = SP_OUTCOME_MALFORMED;
  }
  grpc_slice_unref(copy);
}

// Everything of gRPC's is given back before `done`, which may start the call again.
static void finish(struct call *call, sp_rpc_done done, void *context) {
  SP_ASSERT(atomic_load_explicit(&call->is_issued, memory_order_acquire));
  struct sp_rpc_result *result = &call->result;
  result->answered_ns = sp_now_ns();
  result->code = (int)call->status;
  result->outcome = sp_status_outcome(result->code);
  result->server_ns = server_ns_of(&call->trailing);
  result->text[0] = 0;
  if (call->status == GRPC_STATUS_OK)
    read_answer(call);
  else
    sp_slice_text(call->details, result->text, sizeof result->text);
  call_release(call);
  done(call->user, result, context);
}

static size_t client_reap(void *of, unsigned queue_i, int64_t deadline_ns, sp_rpc_done done, void *context) {
  struct client *client = of;
  SP_ASSERT(queue_i < client->n_queues);
  gpr_timespec until = sp_grpc_time(deadline_ns), at_once = sp_grpc_time(0);
  bool is_waked = false;
  size_t n = 0;
  while (n < N_REAPED_MAX) {
    grpc_event event = grpc_completion_queue_next(client->queues[queue_i].completions,
                                                  n || is_waked ? at_once : until, NULL);
    if (event.type != GRPC_OP_COMPLETE) break;
    switch (*(const enum kind *)event.tag) {
    case KIND_CALL:
      finish(event.tag, done, context);
      n++;
      break;
    case KIND_WATCH: watch_start(client, event.tag); break;
    case KIND_WAKE: is_waked = true; break;
    }
  }
  return n;
}

static void client_wake(void *of, unsigned queue_i) {
  struct client *client = of;
  SP_ASSERT(queue_i < client->n_queues);
  // A watch whose deadline has passed completes at once: the C core has no plainer event.
  grpc_channel_watch_connectivity_state(client->channels[0],
                                        grpc_channel_check_connectivity_state(client->channels[0], 0),
                                        sp_grpc_time(0), client->queues[queue_i].completions, &client->wake);
}

const struct sp_rpc_ops sp_rpc_grpc_ops = {
    .client_new = client_new,
    .client_free = client_free,
    .server = client_server,
    .call_new = call_new,
    .call_free = call_free,
    .call_start = call_start,
    .reap = client_reap,
    .wake = client_wake,
    .library = sp_grpc_library,
};
