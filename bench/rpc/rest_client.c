// The client over HTTP: a libcurl multi per queue, reusable calls, a connection for each call under way.
//
// libcurl is not for several threads at once, so a started call waits in its queue's list until the completion thread takes
// it: whatever moves bytes runs inside reap.
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "rpc/ops.h"
#include "rpc/rest.h"
#include "rpc/rest_scan.h"

static const struct sp_rest_protocol *const protocols[] = {&sp_rest_tfs, &sp_rest_kserve};
#define N_PROTOCOLS (sizeof protocols / sizeof protocols[0])

#define SERVER_NS_HEADER "sp-server-ns:"
// Whole seconds, so that one unused for 4 s is not used again. A server may close it at any time, and a request that meets the
// close on its way is unavailable: whether it was predicted nobody knows, so it is not sent again. Servers of Python and
// Node close after 5 s unless told otherwise.
#define IDLE_MOST_S           3L
#define N_REAPED_MAX          256 // a reap returns now and then, however fast calls end
#define REPLY_BYTES_MIN       ((size_t)1 << 20)
#define REPLY_BYTES_A_ELEMENT 64 // a double has 25 with its comma; some servers indent

struct rest_call;

struct queue {
  CURLM *multi;
  // Pushed by issuing threads (and by `done`), taken whole by the completion thread; newest first.
  _Atomic(struct rest_call *) started;
  _Atomic bool is_asleep; // the completion thread waits, or is about to: a push must wake it
  _Atomic bool is_waked;
  size_t n_calls;
};

struct client {
  const struct sp_rest_protocol *protocol;
  struct sp_rest_link *link;
  bool is_per_call; // a new connection for each
  int64_t deadline_ns;
  size_t n_inputs, max_rows, body_bound, reply_bound;
  struct sp_tensor_spec inputs[SP_TENSORS_MAX], output;
  struct sp_rpc_server_facts server;
  char *predict_path;
  size_t n_queues;
  struct queue *queues;
  struct rest_call *calls; // all of them, linked
};

struct rest_call {
  struct client *client;
  struct queue *queue;
  void *user;
  struct rest_call *previous, *next; // in client->calls
  struct rest_call *next_started;
  struct sp_tensor inputs[SP_TENSORS_MAX], *input_list[SP_TENSORS_MAX], output;
  CURL *easy;
  bool is_under_way, is_in_multi;
  size_t n_rows, n_body, n_reply, reply_room;
  uint8_t *body, *reply;
  unsigned n_sent; // times that the request went out
  bool is_oversized;
  struct sp_rpc_result result;
};

// --- What libcurl calls, on the completion thread ---

static size_t take_reply(char *bytes, size_t one, size_t n, void *context) {
  (void)one;
  struct rest_call *call = context;
  if (n > call->client->reply_bound - call->n_reply) {
    call->is_oversized = true;
    return 0;
  }
  if (call->n_reply + n > call->reply_room) {
    call->reply_room = 2 * (call->n_reply + n);
    call->reply = sp_realloc(call->reply, call->reply_room);
  }
  memcpy(call->reply + call->n_reply, bytes, n);
  call->n_reply += n;
  return n;
}

static size_t take_header(char *bytes, size_t one, size_t n, void *context) {
  (void)one;
  struct rest_call *call = context;
  const size_t n_name = sizeof SERVER_NS_HEADER - 1;
  if (n <= n_name || (bytes[0] | 0x20) != 's' || strncasecmp(bytes, SERVER_NS_HEADER, n_name) != 0) return n;
  int64_t ns = 0;
  size_t i = n_name, n_digits = 0;
  while (i < n && bytes[i] == ' ') i++;
  for (; i < n && bytes[i] >= '0' && bytes[i] <= '9' && n_digits < 18; i++, n_digits++) {
    ns = ns * 10 + (bytes[i] - '0');
  }
  if (n_digits) call->result.server_ns = ns;
  return n;
}

// Before each sending. Where a kept connection turns out to be closed, libcurl would send the request once more by itself:
// the server may have predicted the first time, and a failure would be hidden.
static int before_sending(void *context, char *peer_ip, char *local_ip, int peer_port, int local_port) {
  (void)peer_ip;
  (void)local_ip;
  (void)peer_port;
  (void)local_port;
  struct rest_call *call = context;
  return call->n_sent++ ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

// --- Making and freeing the client ---

static enum sp_err choose_protocol(const char *name, const struct sp_rest_protocol **protocol,
                                   struct sp_error *error) {
  for (size_t i = 0; i < N_PROTOCOLS; i++) {
    *protocol = protocols[i];
    if (strcmp(name, protocols[i]->name) == 0) return SP_OK;
  }
  return sp_fail(error, SP_ERR_USAGE, "protocol: \"%s\" is none over HTTP", name);
}

static size_t reply_bound(const struct sp_tensor_spec *output, size_t n_rows) {
  size_t n = (sp_tensor_row_elements(output) + 1) * n_rows * REPLY_BYTES_A_ELEMENT;
  return n > REPLY_BYTES_MIN ? n : REPLY_BYTES_MIN;
}

static void rest_client_free(void *of) {
  struct client *client = of;
  if (!client) return;
  for (struct rest_call *call = client->calls, *next; call; call = next) {
    next = call->next;
    if (call->is_in_multi) curl_multi_remove_handle(call->queue->multi, call->easy);
    curl_easy_cleanup(call->easy);
    for (size_t i = 0; i < client->n_inputs; i++) sp_tensor_done(&call->inputs[i]);
    sp_tensor_done(&call->output);
    free(call->body);
    free(call->reply);
    free(call);
  }
  for (size_t i = 0; i < client->n_queues; i++) curl_multi_cleanup(client->queues[i].multi);
  sp_rest_link_free(client->link);
  free(client->queues);
  free(client->predict_path);
  free(client);
}

static enum sp_err open_link(struct client *client, struct sp_rpc_env *env, struct sp_error *error) {
  enum sp_err err = choose_protocol(env->conf->protocol, &client->protocol, error);
  if (!err && env->conf->channels > 1) {
    err =
        sp_fail(error, SP_ERR_USAGE,
                "channels: %llu; over HTTP/1.1 each call under way has a connection of its own; leave it out",
                (unsigned long long)env->conf->channels);
  }
  if (!err) err = sp_rest_link_new(env, &client->link, error);
  if (!err) err = sp_rest_agree(client->protocol, env, client->link, &client->server, &client->output, error);
  return err;
}

static enum sp_err rest_client_new(const struct sp_rpc_env *env, void **made, struct sp_tensor_spec *output,
                                   struct sp_error *error) {
  SP_ASSERT(env->n_inputs > 0 && env->n_inputs <= SP_TENSORS_MAX && env->max_rows > 0 && env->n_queues > 0);
  struct client *client = sp_alloc(sizeof *client);
  struct sp_rpc_env agreed = *env;
  enum sp_err err = open_link(client, &agreed, error);
  if (err) {
    rest_client_free(client);
    return err;
  }
  client->is_per_call = env->conf->link.channel == SP_RPC_CHANNEL_PER_CALL;
  client->deadline_ns = env->conf->deadline_ns;
  client->max_rows = env->max_rows;
  client->n_inputs = env->n_inputs;
  memcpy(client->inputs, env->inputs, env->n_inputs * sizeof *env->inputs);
  client->predict_path = client->protocol->predict_path(&agreed);
  client->body_bound =
      client->protocol->body_bound(env->inputs, env->n_inputs, client->output.name, env->max_rows);
  client->reply_bound = reply_bound(&client->output, env->max_rows);
  client->n_queues = env->n_queues;
  client->queues = sp_alloc(env->n_queues * sizeof *client->queues);
  for (size_t i = 0; i < client->n_queues; i++) {
    client->queues[i].multi = curl_multi_init();
    SP_ASSERT(client->queues[i].multi);
  }
  *output = client->output;
  *made = client;
  return SP_OK;
}

static const struct sp_rpc_server_facts *rest_server(const void *client) {
  return &((const struct client *)client)->server;
}

// --- Calls ---

static CURL *easy_of(struct rest_call *call) {
  CURL *easy = sp_rest_handle_new(call->client->link, call->client->predict_path);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_reply);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_sending);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
  curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, IDLE_MOST_S);
  if (call->client->is_per_call) {
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
  }
  return easy;
}

// Kept connections: as many as calls may be under way.
static void count_call(struct queue *queue, bool is_one_more) {
  queue->n_calls += is_one_more ? 1 : SIZE_MAX;
  curl_multi_setopt(queue->multi, CURLMOPT_MAXCONNECTS, (long)(queue->n_calls ? queue->n_calls : 1));
}

static void *rest_call_new(void *of, unsigned queue_i, struct sp_tensor ***inputs,
                           const struct sp_tensor **output, void *user) {
  struct client *client = of;
  SP_ASSERT(queue_i < client->n_queues);
  struct rest_call *call = sp_alloc(sizeof *call);
  call->client = client;
  call->queue = &client->queues[queue_i];
  call->user = user;
  for (size_t i = 0; i < client->n_inputs; i++) {
    sp_tensor_init(&call->inputs[i], &client->inputs[i], client->max_rows);
    call->input_list[i] = &call->inputs[i];
  }
  sp_tensor_init(&call->output, &client->output, client->max_rows);
  call->body = sp_alloc(client->body_bound);
  call->easy = easy_of(call);
  count_call(call->queue, true);
  call->next = client->calls;
  if (call->next) call->next->previous = call;
  client->calls = call;
  *inputs = call->input_list;
  *output = &call->output;
  return call;
}

static void rest_call_free(void *of) {
  struct rest_call *call = of;
  if (!call) return;
  SP_ASSERT(!call->is_under_way);
  if (call->next) call->next->previous = call->previous;
  if (call->previous)
    call->previous->next = call->next;
  else
    call->client->calls = call->next;
  count_call(call->queue, false);
  curl_easy_cleanup(call->easy);
  for (size_t i = 0; i < call->client->n_inputs; i++) sp_tensor_done(&call->inputs[i]);
  sp_tensor_done(&call->output);
  free(call->body);
  free(call->reply);
  free(call);
}

static void wake_sleeper(struct queue *queue) {
  if (atomic_exchange_explicit(&queue->is_asleep, false, memory_order_seq_cst))
    curl_multi_wakeup(queue->multi);
}

static void rest_call_start(void *of, size_t n_rows) {
  struct rest_call *call = of;
  struct client *client = call->client;
  SP_ASSERT(!call->is_under_way && n_rows > 0 && n_rows <= client->max_rows);
  call->is_under_way = true;
  call->n_rows = n_rows;
  call->n_body =
      client->protocol->write_body(call->inputs, client->n_inputs, client->output.name, n_rows, call->body);
  SP_ASSERT(call->n_body <= client->body_bound);
  call->result.issued_ns = sp_now_ns();
  struct queue *queue = call->queue;
  call->next_started = atomic_load_explicit(&queue->started, memory_order_relaxed);
  while (!atomic_compare_exchange_weak_explicit(&queue->started, &call->next_started, call,
                                                memory_order_seq_cst, memory_order_relaxed)) {
  }
  if (atomic_load_explicit(&queue->is_asleep, memory_order_seq_cst)) wake_sleeper(queue);
}

static void rest_wake(void *of, unsigned queue_i) {
  struct client *client = of;
  SP_ASSERT(queue_i < client->n_queues);
  atomic_store_explicit(&client->queues[queue_i].is_waked, true, memory_order_seq_cst);
  wake_sleeper(&client->queues[queue_i]);
}

// --- Completions ---

// libcurl counts whole milliseconds; the time that the call has waited in the list is part of its deadline.
static long deadline_ms(const struct rest_call *call) {
  int64_t left_ns = call->result.issued_ns + call->client->deadline_ns - sp_now_ns();
  int64_t ms = left_ns <= 0 ? 1 : (left_ns + SP_NS_PER_MS - 1) / SP_NS_PER_MS;
  return ms < INT32_MAX ? (long)ms : INT32_MAX;
}

static void send_started(struct queue *queue) {
  struct rest_call *newest = atomic_exchange_explicit(&queue->started, NULL, memory_order_acquire);
  struct rest_call *oldest = NULL;
  while (newest) {
    struct rest_call *next = newest->next_started;
    newest->next_started = oldest;
    oldest = newest;
    newest = next;
  }
  for (struct rest_call *call = oldest; call; call = call->next_started) {
    call->n_sent = 0;
    call->n_reply = 0;
    call->is_oversized = false;
    call->result.server_ns = -1;
    curl_easy_setopt(call->easy, CURLOPT_TIMEOUT_MS, deadline_ms(call));
    curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->n_body);
    curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, call->body);
    CURLMcode added = curl_multi_add_handle(queue->multi, call->easy);
    SP_ASSERT(added == CURLM_OK);
    call->is_in_multi = true;
  }
}

// The texts are fixed ones, so that equal failures are counted together.
static void judge(struct rest_call *call, CURLcode ended) {
  struct sp_rpc_result *result = &call->result;
  long status = 0;
  curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
  result->code = (int)status;
  result->text[0] = 0;
  struct sp_bytes reply = sp_bytes_of(call->reply, call->n_reply);
  bool is_answer = ended == CURLE_OK || call->is_oversized;
  result->outcome = is_answer ? sp_rest_status_outcome(result->code) : sp_rest_transfer_outcome(ended);
  if (!is_answer) {
    const char *why = ended == CURLE_ABORTED_BY_CALLBACK ? "the server closed the connection unanswered"
                                                         : curl_easy_strerror(ended);
    snprintf(result->text, sizeof result->text, "%s", why);
  } else if (result->outcome != SP_OUTCOME_NONE) {
    sp_rest_error_text(reply, result->text, sizeof result->text);
    if (!result->text[0]) snprintf(result->text, sizeof result->text, "HTTP %d", result->code);
  } else if (call->is_oversized) {
    result->outcome = SP_OUTCOME_MALFORMED;
    snprintf(result->text, sizeof result->text, "reply: more than %zu bytes", call->client->reply_bound);
  } else if (!call->client->protocol->read_reply(reply, &call->output, call->n_rows, result->text,
                                                 sizeof result->text)) {
    result->outcome = SP_OUTCOME_MALFORMED;
  }
}

static size_t finish_some(struct queue *queue, size_t n_max, sp_rpc_done done, void *context) {
  size_t n = 0;
  int n_left;
  const CURLMsg *message;
  while (n < n_max && (message = curl_multi_info_read(queue->multi, &n_left))) {
    SP_ASSERT(message->msg == CURLMSG_DONE);
    CURLcode ended = message->data.result; // gone once the handle is taken out
    struct rest_call *call = NULL;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
    call->result.answered_ns = sp_now_ns();
    curl_multi_remove_handle(queue->multi, call->easy);
    call->is_in_multi = false;
    judge(call, ended);
    call->is_under_way = false;
    n++;
    done(call->user, &call->result, context);
  }
  return n;
}

static bool has_news(struct queue *queue) {
  return atomic_load_explicit(&queue->started, memory_order_seq_cst) ||
         atomic_load_explicit(&queue->is_waked, memory_order_seq_cst);
}

static void sleep_until(struct queue *queue, int64_t deadline_ns) {
  atomic_store_explicit(&queue->is_asleep, true, memory_order_seq_cst);
  if (!has_news(queue)) {
    int64_t left_ns = deadline_ns == INT64_MAX ? SP_NS_PER_S * 60 : deadline_ns - sp_now_ns();
    int64_t ms = left_ns <= 0 ? 0 : (left_ns + SP_NS_PER_MS - 1) / SP_NS_PER_MS;
    curl_multi_poll(queue->multi, NULL, 0, ms < 60000 ? (int)ms : 60000, NULL);
  }
  atomic_store_explicit(&queue->is_asleep, false, memory_order_seq_cst);
}

static size_t rest_reap(void *of, unsigned queue_i, int64_t deadline_ns, sp_rpc_done done, void *context) {
  struct client *client = of;
  SP_ASSERT(queue_i < client->n_queues);
  struct queue *queue = &client->queues[queue_i];
  for (;;) {
    int n_running;
    send_started(queue);
    curl_multi_perform(queue->multi, &n_running);
    size_t n = finish_some(queue, N_REAPED_MAX, done, context);
    bool is_waked = atomic_exchange_explicit(&queue->is_waked, false, memory_order_seq_cst);
    if (n || is_waked || sp_now_ns() >= deadline_ns) return n;
    sleep_until(queue, deadline_ns);
  }
}

const struct sp_rpc_ops sp_rpc_rest_ops = {
    .client_new = rest_client_new,
    .client_free = rest_client_free,
    .server = rest_server,
    .call_new = rest_call_new,
    .call_free = rest_call_free,
    .call_start = rest_call_start,
    .reap = rest_reap,
    .wake = rest_wake,
    .library = sp_rest_library,
};
