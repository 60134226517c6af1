// Server-streaming calls that tell how something stands, and again whenever that changes: grpc.health.v1.Health/Watch. The part
// of a listener that holds them open; gRPC's types appear here: only files of rpc/ include this.
#ifndef SP_RPC_STREAMS_H
#define SP_RPC_STREAMS_H

#include <grpc/grpc.h>

#include "rpc/listener.h"

// What a completion of a listener is about: each tag points at one of these, the first member of its struct.
enum sp_listener_tag { SP_TAG_CALL, SP_TAG_STREAM };

struct sp_streams;
struct sp_stream_event;

struct sp_streams *sp_streams_new(void *context);
void sp_streams_free(struct sp_streams *streams); // none is open any more; NULL is allowed

// Takes `call` over, with the request that came with it (copied): its completions come to the queue that it is bound to, with a
// struct sp_stream_event as tag, for sp_streams_handle.
void sp_streams_take(struct sp_streams *streams, grpc_call *call, sp_stream_look look,
                     struct sp_bytes request);
// True if that was the last of its stream, which is gone. On the thread that took the call.
bool sp_streams_handle(struct sp_stream_event *event, bool success);
void sp_streams_changed(struct sp_streams *streams); // any thread
// Ends those that are open, and those taken from now on at once. Any thread.
void sp_streams_end(struct sp_streams *streams);

#endif
