// A connection to a server on the gRPC C core, and single blocking calls on it for what is not measured.
// gRPC types appear here: only files of rpc/ include this.
#ifndef SP_RPC_CHANNEL_H
#define SP_RPC_CHANNEL_H

#include <grpc/grpc.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "rpc/link.h"

// Free with grpc_channel_destroy. Nothing is connected yet. link: NULL for plaintext. Arguments (why: channel.c): a connection
// of its own, no proxy, no retries, quick reconnects.
grpc_channel *sp_channel_new(const char *address, const struct sp_link *link);

// SP_ERR_USAGE unless the address is HOST:PORT, [IPV6]:PORT or unix:PATH; `key` is named in the message.
enum sp_err sp_address_check(const char *key, const char *address, struct sp_error *error);

// Waits until all are ready; SP_ERR_ENVIRONMENT at timeout_ns, with the likely cause and its remedy for the first that is not.
enum sp_err sp_channels_connect(grpc_channel *const *channels, size_t n_channels, const char *address,
                                const struct sp_link *link, int64_t timeout_ns, struct sp_error *error);

#define SP_UNARY_NOTES_MAX 8

struct sp_unary {
  int code;       // gRPC status
  char text[400]; // its message, printable
  uint8_t *reply; // free(); NULL unless code is 0
  size_t n_reply;
  size_t n_notes;
  struct {
    char key[24], value[64];   // cut, printable
  } notes[SP_UNARY_NOTES_MAX]; // the first that begin with "sp-" in trailing metadata, whatever the status
};
// One call, with link's metadata (NULL: none); blocks until its end, at most timeout_ns.
void sp_channel_call(grpc_channel *channel, const struct sp_link *link, const char *method,
                     struct sp_bytes request, int64_t timeout_ns, struct sp_unary *unary);
// The value of a note; "" where there is none.
const char *sp_unary_note(const struct sp_unary *unary, const char *key);

// gRPC's time of an instant of sp_now_ns.
gpr_timespec sp_grpc_time(int64_t monotonic_ns);
// A slice as text: cut, bytes that are not printable replaced by '?'; returns text.
char *sp_slice_text(grpc_slice slice, char *text, size_t n);
// All bytes of a message in one piece: *bytes is the message's own where it has one slice, otherwise a copy in *copy, which
// is unreferenced by the caller (it is empty where not needed).
struct sp_bytes sp_message_bytes(grpc_byte_buffer *message, grpc_slice *copy);

#endif
