// Bytes on their way in one direction: kept in order, given out when they are due, bounded. Pure: the caller tells the time.
#ifndef SP_FAULT_FLOW_H
#define SP_FAULT_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SP_FLOW_BYTES ((size_t)1 << 20) // held at most
#define SP_FLOW_MARKS 1024              // pieces of different due times held at most

struct sp_flow {
  uint8_t *bytes;       // a ring, allocated by the first bytes
  uint64_t n_in, n_out; // ever
  struct sp_flow_mark {
    uint64_t end; // of the piece, as n_in was behind it
    int64_t due_ns;
  } * marks; // a ring
  uint64_t first_mark, n_marks;
  bool has_ended;     // the sender will send no more
  int64_t end_due_ns; // when that may be told
};

void sp_flow_done(struct sp_flow *flow); // frees what it holds, not the struct; zeroed is a new flow

// Where the next bytes may be put, in one stretch; 0: none fit now.
size_t sp_flow_room(struct sp_flow *flow, uint8_t **to);
// n bytes were put there; they are due at due_ns, or when those before them are, if that is later.
void sp_flow_put(struct sp_flow *flow, size_t n, int64_t due_ns);
void sp_flow_end(struct sp_flow *flow, int64_t due_ns);

// The next bytes that are due at now_ns, in one stretch; 0: none.
size_t sp_flow_due(const struct sp_flow *flow, int64_t now_ns, const uint8_t **from);
void sp_flow_take(struct sp_flow *flow, size_t n);
// All was given out, the sender has ended, and that is due.
bool sp_flow_is_over(const struct sp_flow *flow, int64_t now_ns);
// When something is due next, INT64_MAX if nothing waits. May lie in the past.
int64_t sp_flow_next_ns(const struct sp_flow *flow);

#endif
