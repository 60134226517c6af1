// The server's half of gRPC.
//
// A call costs two completions: one that brings it with its request (registered methods read the message themselves), one
// when the whole answer is out. Slots (struct sp_incoming) belong to one thread, which alone takes and gives them back; only
// the reply may come from elsewhere. A stream leaves its slot at once (streams.h).
#include "rpc/listener.h"

#include <errno.h>
#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "rpc/channel.h"
#include "rpc/library.h"
#include "rpc/streams.h"
#include "rpc/tls.h"

#define SERVER_NS_KEY     "sp-server-ns"
#define N_WAITING_UNKNOWN 4

struct method {
  struct sp_listener_method told;
  void *registered; // NULL: every method that is not
};

struct thread {
  struct sp_listener *listener;
  unsigned i;
  grpc_completion_queue *completions;
  struct sp_incoming *idle; // linked
  _Atomic uint64_t n_open;  // calls taken and not finished; written by this thread alone
};

struct sp_listener {
  grpc_server *server;
  char address[160];
  void *context;
  size_t n_methods; // the unknown one last
  struct method *methods;
  unsigned n_threads;
  struct thread *threads;
  grpc_completion_queue *end_queue; // where the end of the shutdown comes
  bool is_draining, is_down;
  struct sp_streams *streams;
  size_t n_bearer;
  char *bearer; // "Bearer TOKEN", that every call must say; NULL: need not
};

struct sp_incoming {
  enum sp_listener_tag tag; // first: SP_TAG_CALL
  struct sp_incoming *next; // idle
  struct thread *thread;
  const struct method *method;
  grpc_call *call; // NULL: waiting for one
  // The next completion is that of the reply. Stored last by whichever thread replies, loaded first by the serving one: gRPC
  // orders the two as well, but where no sanitizer sees it.
  _Atomic bool is_answered;
  gpr_timespec deadline;
  grpc_metadata_array metadata;
  grpc_call_details details; // unknown methods
  grpc_byte_buffer *message, *reply;
  grpc_slice copy; // of a request in several slices
  struct sp_bytes request;
  int64_t received_ns;
  int was_cancelled;
};

// --- Addresses ---

static enum sp_err fail_bind(const char *address, int error_number, struct sp_error *error) {
  return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot listen on %s (%s); choose another --address, %s", address,
                 strerror(error_number),
                 strncmp(address, "unix:", 5) == 0 ? "or remove what is there" : "or port 0 for a free one");
}

// gRPC tells only that binding failed; asking the system again tells why. 0: it does not fail now.
static int bind_errno(const char *address) {
  char host[128];
  const char *colon = strrchr(address, ':');
  bool has_brackets = address[0] == '[';
  snprintf(host, sizeof host, "%.*s", (int)(colon - address) - 2 * has_brackets, address + has_brackets);
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
  if (getaddrinfo(host, colon + 1, &hints, &found) != 0) return EADDRNOTAVAIL;
  int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  int error_number = bind(fd, found->ai_addr, found->ai_addrlen) == 0 ? 0 : errno;
  close(fd);
  freeaddrinfo(found);
  return error_number;
}

// gRPC unlinks a socket file before binding, be it in use or no socket at all: only one that nobody listens on may go.
static int unix_errno(const char *path) {
  struct stat there;
  if (lstat(path, &there) != 0) return errno == ENOENT ? 0 : errno;
  if (!S_ISSOCK(there.st_mode)) return EEXIST;
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  strcpy(name.sun_path, path); // its length was checked
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int error_number = connect(fd, (struct sockaddr *)&name, sizeof name) == 0 ? 0 : errno;
  close(fd);
  if (error_number != ECONNREFUSED) return error_number ? error_number : EADDRINUSE;
  return unlink(path) == 0 ? 0 : errno;
}

// gRPC refuses a pair of certificate and key that do not fit by not binding.
static enum sp_err fail_port(const char *address, const struct sp_listener_security *security,
                             struct sp_error *error) {
  bool is_unix = strncmp(address, "unix:", 5) == 0, has_tls = security && security->cert;
  int error_number = is_unix ? (has_tls ? 0 : EACCES) : bind_errno(address);
  if (error_number || !has_tls) return fail_bind(address, error_number ? error_number : EADDRINUSE, error);
  return sp_fail(error, SP_ERR_ENVIRONMENT,
                 "tls_cert, tls_key: %s and %s are no certificate and its key; give a pair%s", security->cert,
                 security->key,
                 security->client_ca ? ", and certificates that can be read as tls_client_ca" : "");
}

static enum sp_err bind_address(struct sp_listener *listener, const char *address,
                                const struct sp_listener_security *security, struct sp_error *error) {
  enum sp_err err = sp_address_check("--address", address, error);
  if (err) return err;
  bool is_unix = strncmp(address, "unix:", 5) == 0;
  int error_number = is_unix ? unix_errno(address + 5) : 0;
  if (error_number) return fail_bind(address, error_number, error);
  grpc_server_credentials *credentials;
  err = sp_tls_server(security, &credentials, error);
  if (err) return err;
  int port = grpc_server_add_http2_port(listener->server, address, credentials);
  grpc_server_credentials_release(credentials);
  if (!port) return fail_port(address, security, error);
  if (is_unix)
    snprintf(listener->address, sizeof listener->address, "%s", address);
  else
    snprintf(listener->address, sizeof listener->address, "%.*s:%d", (int)(strrchr(address, ':') - address),
             address, port);
  return SP_OK;
}

// --- Taking calls ---

static struct sp_incoming *slot_of(struct thread *thread) {
  struct sp_incoming *slot = thread->idle;
  if (slot) {
    thread->idle = slot->next;
    return slot;
  }
  slot = sp_alloc(sizeof *slot); // until there are as many as ever were under way at once
  slot->tag = SP_TAG_CALL;
  slot->thread = thread;
  slot->copy = grpc_empty_slice();
  grpc_metadata_array_init(&slot->metadata);
  return slot;
}

static void slot_give_back(struct sp_incoming *slot) {
  slot->next = slot->thread->idle;
  slot->thread->idle = slot;
}

static void wait_for_call(struct thread *thread, const struct method *method) {
  struct sp_incoming *slot = slot_of(thread);
  slot->method = method;
  atomic_store_explicit(&slot->is_answered, false, memory_order_relaxed);
  grpc_server *server = thread->listener->server;
  grpc_call_error err;
  if (method->registered) {
    err = grpc_server_request_registered_call(server, method->registered, &slot->call, &slot->deadline,
                                              &slot->metadata, &slot->message, thread->completions,
                                              thread->completions, slot);
  } else {
    grpc_call_details_init(&slot->details);
    err = grpc_server_request_call(server, &slot->call, &slot->details, &slot->metadata, thread->completions,
                                   thread->completions, slot);
  }
  if (err == GRPC_CALL_OK) return;
  SP_ASSERT(err == GRPC_CALL_ERROR_COMPLETION_QUEUE_SHUTDOWN); // a call ended just before the listener did
  slot_give_back(slot);
}

static void add_open(struct thread *thread, uint64_t n) {
  uint64_t now = atomic_load_explicit(&thread->n_open, memory_order_relaxed) + n;
  atomic_store_explicit(&thread->n_open, now, memory_order_release);
}

// Takes as long for every token of one length, so that none can be guessed byte by byte.
static bool may_call(const struct sp_listener *listener, const grpc_metadata_array *metadata) {
  static const char key[] = "authorization";
  if (!listener->bearer) return true;
  for (size_t i = 0; i < metadata->count; i++) {
    const grpc_metadata *entry = &metadata->metadata[i];
    if (grpc_slice_str_cmp(entry->key, key) != 0 || GRPC_SLICE_LENGTH(entry->value) != listener->n_bearer)
      continue;
    uint8_t differs = 0;
    for (size_t j = 0; j < listener->n_bearer; j++)
      differs |= (uint8_t)(GRPC_SLICE_START_PTR(entry->value)[j] ^ (uint8_t)listener->bearer[j]);
    return !differs;
  }
  return false;
}

// Everything that came with a call is given back, but the call itself.
static void slot_empty(struct sp_incoming *slot) {
  grpc_byte_buffer_destroy(slot->message);
  grpc_byte_buffer_destroy(slot->reply);
  slot->message = slot->reply = NULL;
  grpc_slice_unref(slot->copy);
  slot->copy = grpc_empty_slice();
  if (!slot->method->registered) grpc_call_details_destroy(&slot->details);
  slot->metadata.count = 0;
  slot->call = NULL;
}

static void take(struct sp_incoming *slot) {
  struct thread *thread = slot->thread;
  slot->received_ns = sp_now_ns();
  add_open(thread, 1);
  wait_for_call(thread, slot->method);
  if (!may_call(thread->listener, &slot->metadata)) {
    sp_incoming_fail(slot, GRPC_STATUS_UNAUTHENTICATED, "the bearer token is missing, or another one");
    return;
  }
  if (!slot->method->registered) {
    char path[128], text[192];
    sp_slice_text(slot->details.method, path, sizeof path);
    snprintf(text, sizeof text, "method %s is not served", path);
    sp_incoming_fail(slot, GRPC_STATUS_UNIMPLEMENTED, text);
    return;
  }
  if (!slot->message) { // the caller left, or closed its half without a message
    sp_incoming_fail(slot, GRPC_STATUS_INVALID_ARGUMENT, "no message came");
    return;
  }
  slot->request = sp_message_bytes(slot->message, &slot->copy);
  const struct sp_listener_method *told = &slot->method->told;
  if (told->handler) {
    told->handler(thread->listener->context, thread->i, slot, slot->request);
  } else {
    sp_streams_take(thread->listener->streams, slot->call, told->look, slot->request);
    slot_empty(slot);
    slot_give_back(slot);
  }
}

static void finish(struct sp_incoming *slot) {
  grpc_call *call = slot->call;
  slot_empty(slot);
  grpc_call_unref(call);
  struct thread *thread = slot->thread;
  slot_give_back(slot);
  add_open(thread, UINT64_MAX);
}

void sp_listener_serve(struct sp_listener *listener, unsigned thread_i) {
  SP_ASSERT(thread_i < listener->n_threads);
  struct thread *thread = &listener->threads[thread_i];
  for (size_t m = 0; m < listener->n_methods; m++) {
    for (size_t i = 0; i < listener->methods[m].told.n_waiting; i++)
      wait_for_call(thread, &listener->methods[m]);
  }
  for (;;) {
    grpc_event event =
        grpc_completion_queue_next(thread->completions, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    if (event.type == GRPC_QUEUE_SHUTDOWN) return;
    if (*(const enum sp_listener_tag *)event.tag == SP_TAG_STREAM) {
      if (sp_streams_handle(event.tag, event.success)) add_open(thread, UINT64_MAX);
      continue;
    }
    struct sp_incoming *slot = event.tag;
    if (atomic_load_explicit(&slot->is_answered, memory_order_acquire))
      finish(slot);
    else if (event.success)
      take(slot);
    else
      slot_give_back(slot); // no call comes any more
  }
}

// --- Replies ---

struct notes {
  const struct sp_incoming_note *items;
  size_t n;
};

static int64_t answer(struct sp_incoming *call, grpc_byte_buffer *reply, int status, const char *text,
                      struct notes notes) {
  int64_t server_ns = sp_now_ns() - call->received_ns;
  char digits[24];
  int n_digits = snprintf(digits, sizeof digits, "%lld", (long long)server_ns);
  grpc_metadata trailing[1 + SP_INCOMING_NOTES_MAX];
  trailing[0] = (grpc_metadata){.key = grpc_slice_from_static_string(SERVER_NS_KEY),
                                .value = grpc_slice_from_copied_buffer(digits, (size_t)n_digits)};
  for (size_t i = 0; i < notes.n; i++) {
    trailing[1 + i] = (grpc_metadata){.key = grpc_slice_from_copied_string(notes.items[i].key),
                                      .value = grpc_slice_from_copied_string(notes.items[i].value)};
  }
  grpc_slice details = text ? grpc_slice_from_copied_string(text) : grpc_empty_slice();
  call->reply = reply;
  grpc_op ops[4];
  memset(ops, 0, sizeof ops);
  size_t n = 0;
  ops[n++].op = GRPC_OP_SEND_INITIAL_METADATA;
  if (reply) {
    ops[n].op = GRPC_OP_SEND_MESSAGE;
    ops[n++].data.send_message.send_message = reply;
  }
  ops[n].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
  ops[n].data.send_status_from_server.status = (grpc_status_code)status;
  ops[n].data.send_status_from_server.status_details = text ? &details : NULL;
  ops[n].data.send_status_from_server.trailing_metadata_count = 1 + notes.n;
  ops[n++].data.send_status_from_server.trailing_metadata = trailing;
  ops[n].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
  ops[n++].data.recv_close_on_server.cancelled = &call->was_cancelled;
  grpc_call *of = call->call;
  atomic_store_explicit(&call->is_answered, true, memory_order_release);
  grpc_call_error err = grpc_call_start_batch(of, ops, n, call, NULL);
  SP_ASSERT(err == GRPC_CALL_OK);
  // From here on the call may be another one already.
  for (size_t i = 0; i <= notes.n; i++) {
    grpc_slice_unref(trailing[i].key);
    grpc_slice_unref(trailing[i].value);
  }
  grpc_slice_unref(details);
  return server_ns;
}

int64_t sp_incoming_reply_noted(struct sp_incoming *call, struct sp_bytes reply,
                                const struct sp_incoming_note *notes, size_t n_notes) {
  SP_ASSERT(n_notes <= SP_INCOMING_NOTES_MAX);
  grpc_slice slice = grpc_slice_from_copied_buffer((const char *)reply.data, reply.n);
  grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&slice, 1);
  grpc_slice_unref(slice);
  return answer(call, message, GRPC_STATUS_OK, NULL, (struct notes){notes, n_notes});
}

int64_t sp_incoming_reply(struct sp_incoming *call, struct sp_bytes reply) {
  return sp_incoming_reply_noted(call, reply, NULL, 0);
}

int64_t sp_incoming_fail(struct sp_incoming *call, int status, const char *text) {
  SP_ASSERT(status != GRPC_STATUS_OK);
  return answer(call, NULL, status, text, (struct notes){0});
}

int64_t sp_incoming_received_ns(const struct sp_incoming *call) {
  return call->received_ns;
}
struct sp_bytes sp_incoming_request(const struct sp_incoming *call) {
  return call->request;
}

// --- Beginning and end ---

static grpc_server *server_new(void) {
  grpc_arg list[] = {
      // Otherwise binding a port that another server holds succeeds, and the two share its connections.
      {.type = GRPC_ARG_INTEGER, .key = GRPC_ARG_ALLOW_REUSEPORT, .value.integer = 0},
      // Statistics for a debugging service that is not there.
      {.type = GRPC_ARG_INTEGER, .key = GRPC_ARG_ENABLE_CHANNELZ, .value.integer = 0},
      {.type = GRPC_ARG_INTEGER,
       .key = GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
       .value.integer = SP_RPC_MESSAGE_BYTES_MAX},
      {.type = GRPC_ARG_INTEGER,
       .key = GRPC_ARG_MAX_SEND_MESSAGE_LENGTH,
       .value.integer = SP_RPC_MESSAGE_BYTES_MAX},
  };
  grpc_channel_args args = {sizeof list / sizeof list[0], list};
  return grpc_server_create(&args, NULL);
}

static void add_methods(struct sp_listener *listener, const struct sp_listener_method *methods,
                        size_t n_methods) {
  listener->methods = sp_alloc((n_methods + 1) * sizeof *listener->methods);
  for (size_t i = 0; i < n_methods; i++) {
    SP_ASSERT(!methods[i].handler != !methods[i].look);
    listener->methods[i].told = methods[i];
    listener->methods[i].registered = grpc_server_register_method(
        listener->server, methods[i].path, NULL, GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER, 0);
    SP_ASSERT(listener->methods[i].registered); // no path twice
  }
  // Without a waiting call for the rest, an unknown method would hang until its deadline.
  listener->methods[n_methods].told.n_waiting = N_WAITING_UNKNOWN;
  listener->n_methods = n_methods + 1;
}

static void add_threads(struct sp_listener *listener, unsigned n_threads) {
  listener->threads = sp_alloc(n_threads * sizeof *listener->threads);
  listener->n_threads = n_threads;
  for (unsigned i = 0; i < n_threads; i++) {
    listener->threads[i] = (struct thread){.listener = listener, .i = i};
    listener->threads[i].completions = grpc_completion_queue_create_for_next(NULL);
    grpc_server_register_completion_queue(listener->server, listener->threads[i].completions, NULL);
  }
}

enum sp_err sp_listener_new(const char *address, unsigned n_threads, const struct sp_listener_method *methods,
                            size_t n_methods, const struct sp_listener_security *security, void *context,
                            struct sp_listener **made, struct sp_error *error) {
  SP_ASSERT(n_threads > 0);
  sp_grpc_start();
  struct sp_listener *listener = sp_alloc(sizeof *listener);
  listener->context = context;
  listener->streams = sp_streams_new(context);
  if (security && security->token) {
    listener->bearer = sp_format("Bearer %s", security->token);
    listener->n_bearer = strlen(listener->bearer);
  }
  listener->server = server_new();
  listener->end_queue = grpc_completion_queue_create_for_next(NULL);
  add_threads(listener, n_threads);
  add_methods(listener, methods, n_methods);
  enum sp_err err = bind_address(listener, address, security, error);
  if (err) {
    sp_listener_free(listener);
    return err;
  }
  grpc_server_start(listener->server);
  *made = listener;
  return SP_OK;
}

void sp_listener_changed(struct sp_listener *listener) {
  sp_streams_changed(listener->streams);
}

const char *sp_listener_address(const struct sp_listener *listener) {
  return listener->address;
}

// gRPC's shutdown is over once the connections are gone, and a caller may leave before its answer is there: the calls that
// handlers still hold are counted here. Looks once a millisecond, as nothing but the end of a process waits for it.
static bool wait_idle(struct sp_listener *listener, int64_t deadline_ns) {
  for (;;) {
    uint64_t n_open = 0;
    for (unsigned i = 0; i < listener->n_threads; i++) {
      n_open += atomic_load_explicit(&listener->threads[i].n_open, memory_order_acquire);
    }
    if (!n_open) return true;
    if (sp_now_ns() >= deadline_ns) return false;
    nanosleep(&(struct timespec){.tv_nsec = SP_NS_PER_MS}, NULL);
  }
}

bool sp_listener_drain(struct sp_listener *listener, int64_t grace_ns) {
  SP_ASSERT(!listener->is_draining);
  listener->is_draining = true;
  int64_t deadline_ns = sp_now_ns() + grace_ns;
  sp_streams_end(listener->streams); // one that is open would hold up the drain for ever
  grpc_server_shutdown_and_notify(listener->server, listener->end_queue, NULL);
  grpc_event event = grpc_completion_queue_next(listener->end_queue, sp_grpc_time(deadline_ns), NULL);
  listener->is_down = event.type == GRPC_OP_COMPLETE;
  return listener->is_down && wait_idle(listener, deadline_ns);
}

void sp_listener_cancel(struct sp_listener *listener) {
  grpc_server_cancel_all_calls(listener->server);
}

void sp_listener_end(struct sp_listener *listener) {
  SP_ASSERT(listener->is_draining);
  if (!listener->is_down) {
    grpc_completion_queue_next(listener->end_queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    listener->is_down = true;
  }
  wait_idle(listener, INT64_MAX);
  for (unsigned i = 0; i < listener->n_threads; i++)
    grpc_completion_queue_shutdown(listener->threads[i].completions);
}

static void thread_done(struct thread *thread) {
  // Nobody serves any more: what is still to come is counted out here.
  while (grpc_completion_queue_next(thread->completions, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).type !=
         GRPC_QUEUE_SHUTDOWN) {
  }
  grpc_completion_queue_destroy(thread->completions);
  while (thread->idle) {
    struct sp_incoming *slot = thread->idle;
    thread->idle = slot->next;
    grpc_metadata_array_destroy(&slot->metadata);
    free(slot);
  }
}

void sp_listener_free(struct sp_listener *listener) {
  if (!listener) return;
  if (!listener->is_draining) { // nobody ever served
    sp_listener_drain(listener, 0);
    sp_listener_end(listener);
  }
  for (unsigned i = 0; i < listener->n_threads; i++) thread_done(&listener->threads[i]);
  grpc_server_destroy(listener->server);
  grpc_completion_queue_shutdown(listener->end_queue);
  while (grpc_completion_queue_next(listener->end_queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).type !=
         GRPC_QUEUE_SHUTDOWN) {
  }
  grpc_completion_queue_destroy(listener->end_queue);
  if (strncmp(listener->address, "unix:", 5) == 0) unlink(listener->address + 5);
  sp_streams_free(listener->streams);
  free(listener->bearer);
  free(listener->threads);
  free(listener->methods);
  free(listener);
  sp_grpc_end();
}
