// The server's half of gRPC: accepts calls of a few methods on N threads, each with a completion queue of its own, and answers
// every other method with UNIMPLEMENTED at once. Knows nothing of models; server/ stands on it.
#ifndef SP_RPC_LISTENER_H
#define SP_RPC_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

struct sp_listener;
struct sp_incoming; // one call, from its arrival until its reply is handed over

// Called on the thread that took the call, which serves nothing else meanwhile. `request` is valid until the reply. Exactly
// one of sp_incoming_reply and sp_incoming_fail must follow: here, or later on any one thread.
typedef void (*sp_incoming_handler)(void *context, unsigned thread_i, struct sp_incoming *call,
                                    struct sp_bytes request);

// A server-streaming method that tells how something stands: writes the message that answers `request` now to `to` and returns
// its length; SIZE_MAX where the request cannot be read (INVALID_ARGUMENT). Called when a call comes and after each
// sp_listener_changed; what differs from the message before is sent. The stream stays open until its caller leaves or the
// listener drains (UNAVAILABLE). On any thread, with a lock of the listener held: quick, and without any call to the listener.
#define SP_STREAM_MESSAGE_BYTES_MAX 256
typedef size_t (*sp_stream_look)(void *context, struct sp_bytes request, uint8_t *to);

struct sp_listener_method {
  const char *path;            // "/package.Service/Method", static
  size_t n_waiting;            // calls that may be taken at once on one thread, beyond them gRPC queues
  sp_incoming_handler handler; // one answer; NULL: a stream
  sp_stream_look look;         // of a stream
};

// Who may call. Files are PEM; messages name tls_cert, tls_key, tls_client_ca and token, as users write them.
struct sp_listener_security {
  const char *cert, *key; // TLS, both; NULL: plaintext
  const char *client_ca;  // callers must show a certificate that one of these signed; NULL: need not
  const char
      *token; // every call must carry `authorization: Bearer TOKEN`, or is UNAUTHENTICATED; NULL: need not
};

// Binds and starts listening; calls are taken once sp_listener_serve runs. address: "127.0.0.1:0", "[::1]:8500",
// "unix:/path". security: NULL for none; strings are copied. SP_ERR_ENVIRONMENT if the port or path is taken or may not be
// used, a file cannot be read, or certificate and key do not fit; SP_ERR_USAGE if it is no address, or for half a pair.
// methods[] is copied, the paths are not.
enum sp_err sp_listener_new(const char *address, unsigned n_threads, const struct sp_listener_method *methods,
                            size_t n_methods, const struct sp_listener_security *security, void *context,
                            struct sp_listener **listener, struct sp_error *error);
// What streams tell may be another than before: they look again. Any thread, until sp_listener_end.
void sp_listener_changed(struct sp_listener *listener);
// With the port that was given for 0; owned by the listener.
const char *sp_listener_address(const struct sp_listener *listener);
// Takes and answers calls as thread thread_i (0..n_threads-1, each once) until sp_listener_end.
void sp_listener_serve(struct sp_listener *listener, unsigned thread_i);

// The end, on a thread that serves nothing: drain, cancel if it did not, end, join the serving threads, free.
// Takes no more calls, ends the streams, and waits for those under way; false if some are left after grace_ns.
bool sp_listener_drain(struct sp_listener *listener, int64_t grace_ns);
void sp_listener_cancel(struct sp_listener *listener); // what is under way; handlers still reply
// Waits until the last call is answered (after a drain), then makes sp_listener_serve return.
void sp_listener_end(struct sp_listener *listener);
void sp_listener_free(struct sp_listener *listener); // NULL is allowed; also right after _new

int64_t sp_incoming_received_ns(const struct sp_incoming *call);     // taken from the queue, CLOCK_MONOTONIC
struct sp_bytes sp_incoming_request(const struct sp_incoming *call); // the bytes that the handler got

// Hands the answer to gRPC (copied) with the time since it was received in trailing metadata `sp-server-ns`, which it
// returns. `call` is gone afterwards.
int64_t sp_incoming_reply(struct sp_incoming *call, struct sp_bytes reply);
// The same with notes in trailing metadata beside the time: at most SP_INCOMING_NOTES_MAX, copied; keys in lower case, values
// printable.
#define SP_INCOMING_NOTES_MAX 4
struct sp_incoming_note {
  const char *key, *value;
};
int64_t sp_incoming_reply_noted(struct sp_incoming *call, struct sp_bytes reply,
                                const struct sp_incoming_note *notes, size_t n_notes);
// The same with a status (library.h) and a message instead of an answer.
int64_t sp_incoming_fail(struct sp_incoming *call, int status, const char *text);

#endif
