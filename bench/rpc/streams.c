// Open streams. Each has at most one message under way, so that a caller who does not read holds up nobody but himself, and is
// told the latest, not everything in between. One lock guards them all: nothing here is on a prediction's way.
#include "rpc/streams.h"

#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define N_STREAMS_MAX     1024
#define REQUEST_BYTES_MAX 1024

enum what { IS_SENT, IS_CLOSED, IS_ENDED };

struct stream;
struct sp_stream_event {
  enum sp_listener_tag tag; // first
  struct stream *stream;
  enum what what;
};

struct stream {
  struct sp_streams *streams;
  struct stream *previous, *next;
  grpc_call *call;
  sp_stream_look look;
  struct sp_stream_event sent, closed, ended; // tags
  unsigned n_pending;                         // completions still to come; the stream goes with the last
  bool has_begun, is_sending, has_ended;      // has_ended: nothing is sent any more
  int status;                                 // to end with; -1: none yet
  const char *text;
  int was_cancelled;
  grpc_byte_buffer *message;
  size_t n_last, n_request;
  uint8_t last[SP_STREAM_MESSAGE_BYTES_MAX], request[REQUEST_BYTES_MAX];
};

struct sp_streams {
  void *context;
  pthread_mutex_t lock;
  struct stream *first;
  size_t n;
  bool is_ending;
};

struct sp_streams *sp_streams_new(void *context) {
  struct sp_streams *streams = sp_alloc(sizeof *streams);
  streams->context = context;
  pthread_mutex_init(&streams->lock, NULL);
  return streams;
}

void sp_streams_free(struct sp_streams *streams) {
  if (!streams) return;
  SP_ASSERT(!streams->first);
  pthread_mutex_destroy(&streams->lock);
  free(streams);
}

// --- With the lock held ---

static void start(struct stream *stream, const grpc_op *ops, size_t n_ops, struct sp_stream_event *tag) {
  stream->n_pending++;
  grpc_call_error err = grpc_call_start_batch(stream->call, ops, n_ops, tag, NULL);
  SP_ASSERT(err == GRPC_CALL_OK);
}

static void send_status(struct stream *stream) {
  stream->has_ended = true;
  grpc_slice text = grpc_slice_from_static_string(stream->text);
  grpc_op ops[2];
  memset(ops, 0, sizeof ops);
  size_t n = 0;
  if (!stream->has_begun) ops[n++].op = GRPC_OP_SEND_INITIAL_METADATA;
  ops[n].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
  ops[n].data.send_status_from_server.status = (grpc_status_code)stream->status;
  ops[n++].data.send_status_from_server.status_details = &text;
  start(stream, ops, n, &stream->ended);
}

static void send_message(struct stream *stream) {
  grpc_slice slice = grpc_slice_from_copied_buffer((const char *)stream->last, stream->n_last);
  stream->message = grpc_raw_byte_buffer_create(&slice, 1);
  grpc_slice_unref(slice);
  grpc_op ops[2];
  memset(ops, 0, sizeof ops);
  size_t n = 0;
  if (!stream->has_begun) ops[n++].op = GRPC_OP_SEND_INITIAL_METADATA;
  ops[n].op = GRPC_OP_SEND_MESSAGE;
  ops[n++].data.send_message.send_message = stream->message;
  stream->has_begun = stream->is_sending = true;
  start(stream, ops, n, &stream->sent);
}

static void step(struct stream *stream) {
  if (stream->is_sending || stream->has_ended) return;
  uint8_t now[SP_STREAM_MESSAGE_BYTES_MAX];
  size_t n = 0;
  if (stream->status < 0) {
    n = stream->look(stream->streams->context, sp_bytes_of(stream->request, stream->n_request), now);
    if (n == SIZE_MAX) {
      stream->status = GRPC_STATUS_INVALID_ARGUMENT;
      stream->text = "the message cannot be read";
    }
  }
  if (stream->status >= 0) {
    send_status(stream);
    return;
  }
  SP_ASSERT(n <= sizeof now);
  if (stream->has_begun && n == stream->n_last && memcmp(now, stream->last, n) == 0) return;
  memcpy(stream->last, now, n);
  stream->n_last = n;
  send_message(stream);
}

static void end(struct stream *stream, int status, const char *text) {
  if (stream->status >= 0) return;
  stream->status = status;
  stream->text = text;
}

static void end_with_server(struct stream *stream) {
  end(stream, GRPC_STATUS_UNAVAILABLE, "the server ends");
}

// --- From outside ---

void sp_streams_take(struct sp_streams *streams, grpc_call *call, sp_stream_look look,
                     struct sp_bytes request) {
  struct stream *stream = sp_alloc(sizeof *stream);
  *stream = (struct stream){.streams = streams, .call = call, .look = look, .status = -1};
  stream->sent = (struct sp_stream_event){SP_TAG_STREAM, stream, IS_SENT};
  stream->closed = (struct sp_stream_event){SP_TAG_STREAM, stream, IS_CLOSED};
  stream->ended = (struct sp_stream_event){SP_TAG_STREAM, stream, IS_ENDED};
  pthread_mutex_lock(&streams->lock);
  stream->next = streams->first;
  if (stream->next) stream->next->previous = stream;
  streams->first = stream;
  streams->n++;
  if (request.n > sizeof stream->request)
    end(stream, GRPC_STATUS_INVALID_ARGUMENT, "the message is too long");
  else if (request.n)
    memcpy(stream->request, request.data, stream->n_request = request.n);
  if (streams->n > N_STREAMS_MAX) end(stream, GRPC_STATUS_RESOURCE_EXHAUSTED, "too many streams are open");
  if (streams->is_ending) end_with_server(stream);
  const grpc_op closed = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER,
                          .data.recv_close_on_server = {&stream->was_cancelled}};
  start(stream, &closed, 1, &stream->closed);
  step(stream);
  pthread_mutex_unlock(&streams->lock);
}

static void forget(struct stream *stream) {
  struct sp_streams *streams = stream->streams;
  if (stream->next) stream->next->previous = stream->previous;
  if (stream->previous)
    stream->previous->next = stream->next;
  else
    streams->first = stream->next;
  streams->n--;
  grpc_call_unref(stream->call);
  free(stream);
}

bool sp_streams_handle(struct sp_stream_event *event, bool success) {
  struct stream *stream = event->stream;
  struct sp_streams *streams = stream->streams;
  pthread_mutex_lock(&streams->lock);
  stream->n_pending--;
  switch (event->what) {
  case IS_SENT:
    grpc_byte_buffer_destroy(stream->message);
    stream->message = NULL;
    stream->is_sending = false;
    if (!success) stream->has_ended = true; // the caller is gone, and IS_CLOSED comes
    break;
  case IS_CLOSED: stream->has_ended = true; break;
  case IS_ENDED: break;
  }
  step(stream);
  bool is_last = !stream->n_pending;
  if (is_last) forget(stream);
  pthread_mutex_unlock(&streams->lock);
  return is_last;
}

void sp_streams_changed(struct sp_streams *streams) {
  pthread_mutex_lock(&streams->lock);
  for (struct stream *stream = streams->first; stream; stream = stream->next) step(stream);
  pthread_mutex_unlock(&streams->lock);
}

void sp_streams_end(struct sp_streams *streams) {
  pthread_mutex_lock(&streams->lock);
  streams->is_ending = true;
  for (struct stream *stream = streams->first; stream; stream = stream->next) {
    end_with_server(stream);
    step(stream);
  }
  pthread_mutex_unlock(&streams->lock);
}
