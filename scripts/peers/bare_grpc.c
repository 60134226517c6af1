// A bare pair on the gRPC C core: the least code that serves and calls one unary method, with the payload, deadline and
// trailing metadata of `servepath run` on fraud. Its rate is the yardstick for ours (bound: at least 0.8 of it).
//
//   bare_grpc server ADDRESS                            prints {"ready":true,"address":"127.0.0.1:41234"}; ends on SIGTERM
//   bare_grpc client ADDRESS IN_FLIGHT SECONDS          prints {"calls_per_s":…,"p50_us":…,"p99_us":…,"cpu_us_per_call":…}
//
// Either half also works against ours: the bytes are those of TensorFlow Serving's Predict.
//   cc -O2 -o bare_grpc scripts/peers/bare_grpc.c -lgrpc -lgpr
#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define METHOD      "/tensorflow.serving.PredictionService/Predict"
#define N_SLOTS     128
#define DEADLINE_S  5
#define N_LATENCIES (1 << 22)

// PredictRequest{model_spec{name: "fraud"}, output_filter: "score",
//                inputs{"transaction": float32 [1, 30], tensor_content of 120 bytes}}.
static const uint8_t request_head[] = {
    0x0a, 7,    0x0a, 5,    'f', 'r',  'a', 'u',  'd',                                     // model_spec
    0x1a, 5,    's',  'c',  'o', 'r',  'e',                                                // output_filter
    0x12, 0x96, 1,    0x0a, 11,  't',  'r', 'a',  'n', 's', 'a', 'c',  't', 'i', 'o', 'n', // inputs: key
    0x12, 0x86, 1,    0x08, 1,   0x12, 8,   0x12, 2,   8,   1,   0x12, 2,   8,   30, // value: dtype, shape
    0x22, 120,
};
#define REQUEST_BYTES (sizeof request_head + 120)
// PredictResponse{outputs{"score": float32 [1, 1], float_val [0.5]}, model_spec{name: "fraud", version 1}}.
static const uint8_t reply_bytes[] = {
    0x0a, 27,   0x0a, 5,    's', 'c',  'o', 'r', 'e', 0x12, 18,   0x08, 1,    0x12,
    8,    0x12, 2,    8,    1,   0x12, 2,   8,   1,   0x2a, 4,    0,    0,    0,
    0x3f, 0x12, 11,   0x0a, 5,   'f',  'r', 'a', 'u', 'd',  0x12, 2,    0x08, 1,
};

static int64_t now_ns(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static grpc_byte_buffer *message_of(const void *head, size_t n_head, size_t n) {
  grpc_slice slice = grpc_slice_malloc(n);
  memset(GRPC_SLICE_START_PTR(slice), 0, n);
  memcpy(GRPC_SLICE_START_PTR(slice), head, n_head);
  grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&slice, 1);
  grpc_slice_unref(slice);
  return message;
}

// --- Server: one thread, one completion queue ---

struct served {
  grpc_call *call;
  grpc_metadata_array metadata;
  gpr_timespec deadline;
  grpc_byte_buffer *request, *reply;
  int cancelled, is_reply, is_unknown;
  int64_t received_ns;
  grpc_call_details details;
};
static grpc_server *server;
static grpc_completion_queue *server_queue;
static void *server_method;
static _Atomic int server_ends;

static void server_listen(struct served *slot) {
  slot->is_reply = 0;
  if (slot->is_unknown) {
    grpc_call_details_init(&slot->details);
    grpc_server_request_call(server, &slot->call, &slot->details, &slot->metadata, server_queue, server_queue,
                             slot);
  } else {
    grpc_server_request_registered_call(server, server_method, &slot->call, &slot->deadline, &slot->metadata,
                                        &slot->request, server_queue, server_queue, slot);
  }
}

static void server_reply(struct served *slot) {
  char text[24];
  snprintf(text, sizeof text, "%lld", (long long)(now_ns(CLOCK_MONOTONIC) - slot->received_ns));
  grpc_metadata trailer = {.key = grpc_slice_from_static_string("sp-server-ns"),
                           .value = grpc_slice_from_copied_string(text)};
  grpc_op ops[4];
  memset(ops, 0, sizeof ops);
  size_t n = 0;
  ops[n++].op = GRPC_OP_SEND_INITIAL_METADATA;
  if (!slot->is_unknown) {
    slot->reply = message_of(reply_bytes, sizeof reply_bytes, sizeof reply_bytes);
    ops[n].op = GRPC_OP_SEND_MESSAGE;
    ops[n++].data.send_message.send_message = slot->reply;
  }
  ops[n].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
  ops[n].data.send_status_from_server.status = slot->is_unknown ? GRPC_STATUS_UNIMPLEMENTED : GRPC_STATUS_OK;
  ops[n].data.send_status_from_server.trailing_metadata_count = 1;
  ops[n++].data.send_status_from_server.trailing_metadata = &trailer;
  ops[n].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
  ops[n++].data.recv_close_on_server.cancelled = &slot->cancelled;
  slot->is_reply = 1;
  grpc_call_start_batch(slot->call, ops, n, slot, NULL);
}

static void server_turn(struct served *slot, int success) {
  if (!slot->is_reply) {
    if (!success) return;
    slot->received_ns = now_ns(CLOCK_MONOTONIC);
    server_reply(slot);
    return;
  }
  if (slot->request) grpc_byte_buffer_destroy(slot->request);
  if (slot->reply) grpc_byte_buffer_destroy(slot->reply);
  slot->request = slot->reply = NULL;
  if (slot->is_unknown) grpc_call_details_destroy(&slot->details);
  grpc_call_unref(slot->call);
  server_listen(slot);
}

static void on_term(int signal) {
  (void)signal;
  atomic_store(&server_ends, 1);
}

static int serve(const char *address) {
  grpc_arg arg = {.type = GRPC_ARG_INTEGER, .key = GRPC_ARG_ALLOW_REUSEPORT, .value.integer = 0};
  grpc_channel_args args = {1, &arg};
  server = grpc_server_create(&args, NULL);
  server_queue = grpc_completion_queue_create_for_next(NULL);
  grpc_server_register_completion_queue(server, server_queue, NULL);
  server_method =
      grpc_server_register_method(server, METHOD, NULL, GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER, 0);
  grpc_server_credentials *credentials = grpc_insecure_server_credentials_create();
  int port = grpc_server_add_http2_port(server, address, credentials);
  grpc_server_credentials_release(credentials);
  if (!port) return fprintf(stderr, "bare_grpc: cannot listen on %s\n", address), 3;
  grpc_server_start(server);
  static struct served slots[N_SLOTS + 1];
  for (size_t i = 0; i <= N_SLOTS; i++) {
    slots[i].is_unknown = i == N_SLOTS;
    grpc_metadata_array_init(&slots[i].metadata);
    server_listen(&slots[i]);
  }
  if (strncmp(address, "unix:", 5) == 0)
    printf("{\"ready\":true,\"address\":\"%s\"}\n", address);
  else
    printf("{\"ready\":true,\"address\":\"127.0.0.1:%d\"}\n", port);
  fflush(stdout);
  while (!atomic_load(&server_ends)) {
    grpc_event event = grpc_completion_queue_next(
        server_queue, gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(200, GPR_TIMESPAN)),
        NULL);
    if (event.type == GRPC_OP_COMPLETE) server_turn(event.tag, event.success);
  }
  return 0;
}

// --- Client: one thread, one completion queue, IN_FLIGHT calls ---

struct called {
  grpc_call *call;
  grpc_byte_buffer *request, *reply;
  grpc_metadata_array initial, trailing;
  grpc_status_code status;
  grpc_slice details;
  int64_t issued_ns;
};
static grpc_channel *channel;
static grpc_completion_queue *client_queue;
static void *client_method;

static void call_start(struct called *slot) {
  gpr_timespec deadline =
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(DEADLINE_S, GPR_TIMESPAN));
  slot->issued_ns = now_ns(CLOCK_MONOTONIC);
  slot->request = message_of(request_head, sizeof request_head, REQUEST_BYTES);
  slot->call = grpc_channel_create_registered_call(channel, NULL, GRPC_PROPAGATE_DEFAULTS, client_queue,
                                                   client_method, deadline, NULL);
  grpc_op ops[6];
  memset(ops, 0, sizeof ops);
  ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
  ops[1].op = GRPC_OP_SEND_MESSAGE;
  ops[1].data.send_message.send_message = slot->request;
  ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
  ops[3].op = GRPC_OP_RECV_INITIAL_METADATA;
  ops[3].data.recv_initial_metadata.recv_initial_metadata = &slot->initial;
  ops[4].op = GRPC_OP_RECV_MESSAGE;
  ops[4].data.recv_message.recv_message = &slot->reply;
  ops[5].op = GRPC_OP_RECV_STATUS_ON_CLIENT;
  ops[5].data.recv_status_on_client.trailing_metadata = &slot->trailing;
  ops[5].data.recv_status_on_client.status = &slot->status;
  ops[5].data.recv_status_on_client.status_details = &slot->details;
  if (grpc_call_start_batch(slot->call, ops, 6, slot, NULL) != GRPC_CALL_OK) abort();
}

static void call_end(struct called *slot) {
  if (slot->status != GRPC_STATUS_OK) {
    char *text = grpc_slice_to_c_string(slot->details);
    fprintf(stderr, "bare_grpc: call failed with status %d: %s\n", slot->status, text);
    exit(1);
  }
  grpc_slice_unref(slot->details);
  grpc_byte_buffer_destroy(slot->request);
  grpc_byte_buffer_destroy(slot->reply);
  grpc_call_unref(slot->call);
}

static int compare(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? -1 : x > y;
}

static int client(const char *address, size_t in_flight, double seconds) {
  grpc_arg arg = {.type = GRPC_ARG_INTEGER, .key = GRPC_ARG_ENABLE_HTTP_PROXY, .value.integer = 0};
  grpc_channel_args args = {1, &arg};
  grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
  channel = grpc_channel_create(address, credentials, &args);
  grpc_channel_credentials_release(credentials);
  client_queue = grpc_completion_queue_create_for_next(NULL);
  client_method = grpc_channel_register_call(channel, METHOD, NULL, NULL);
  struct called *slots = calloc(in_flight, sizeof *slots);
  uint32_t *latencies = calloc(N_LATENCIES, sizeof *latencies);
  if (!slots || !latencies) abort();
  // One call first: the connection is part of no figure.
  call_start(&slots[0]);
  grpc_completion_queue_next(client_queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
  call_end(&slots[0]);
  int64_t start_ns = now_ns(CLOCK_MONOTONIC), cpu_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID);
  int64_t end_ns = start_ns + (int64_t)(seconds * 1e9), done_ns = start_ns;
  size_t n = 0, n_open = 0;
  for (; n_open < in_flight; n_open++) call_start(&slots[n_open]);
  while (n_open) {
    grpc_event event = grpc_completion_queue_next(client_queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    struct called *slot = event.tag;
    done_ns = now_ns(CLOCK_MONOTONIC);
    latencies[n++ % N_LATENCIES] = (uint32_t)(done_ns - slot->issued_ns);
    call_end(slot);
    if (done_ns < end_ns)
      call_start(slot);
    else
      n_open--;
  }
  size_t kept = n < N_LATENCIES ? n : N_LATENCIES;
  qsort(latencies, kept, sizeof *latencies, compare);
  uint32_t p50_ns = latencies[kept / 2], p99_ns = latencies[kept * 99 / 100];
  printf("{\"calls\":%zu,\"calls_per_s\":%.0f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"cpu_us_per_call\":%.2f}\n", n,
         (double)n * 1e9 / (double)(done_ns - start_ns), p50_ns / 1e3, p99_ns / 1e3,
         (double)(now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns) / 1e3 / (double)n);
  return 0;
}

int main(int argc, char **argv) {
  grpc_init();
  if (argc == 3 && strcmp(argv[1], "server") == 0) {
    signal(SIGTERM, on_term);
    return serve(argv[2]);
  }
  if (argc == 5 && strcmp(argv[1], "client") == 0) {
    long in_flight = atol(argv[3]);
    double seconds = atof(argv[4]);
    if (in_flight > 0 && in_flight <= N_SLOTS && seconds > 0)
      return client(argv[2], (size_t)in_flight, seconds);
  }
  fprintf(stderr, "usage: bare_grpc server ADDRESS | bare_grpc client ADDRESS IN_FLIGHT(1..%d) SECONDS\n",
          N_SLOTS);
  return 64;
}
