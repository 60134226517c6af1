// The direct transport: no broker. One bounded FIFO shared by all workers towards the application, one ring of replies
// back, all in the driver's process. The pacer sheds when the FIFO is full; it never waits.
#ifndef SP_STREAM_DIRECT_H
#define SP_STREAM_DIRECT_H

#include "base/gate.h"
#include "stream/stream.h"

struct sp_direct;

// fifo_events: capacity of the FIFO; value_bound: bytes of the longest answer value. *stream borrows the result.
struct sp_direct *sp_direct_new(size_t fifo_events, size_t value_bound, enum sp_wait wait,
                                struct sp_stream *stream);
void sp_direct_free(struct sp_direct *direct); // after every thread has left

// Most replies that ever waited for the collector, and how many fit: the driver's own queue (DESIGN §3.7). Collector thread.
size_t sp_direct_replies_peak(const struct sp_direct *direct);
size_t sp_direct_replies_room(const struct sp_direct *direct);

#endif
