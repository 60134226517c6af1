// The ring of bytes and the ring of due times.
#include "fault/flow.h"

#include <stdlib.h>

#include "base/err.h"

void sp_flow_done(struct sp_flow *flow) {
  free(flow->bytes);
  free(flow->marks);
  *flow = (struct sp_flow){0};
}

static struct sp_flow_mark *mark_at(const struct sp_flow *flow, uint64_t i) {
  return &flow->marks[(flow->first_mark + i) % SP_FLOW_MARKS];
}

size_t sp_flow_room(struct sp_flow *flow, uint8_t **to) {
  if (!flow->bytes) {
    flow->bytes = sp_alloc(SP_FLOW_BYTES);
    flow->marks = sp_alloc(SP_FLOW_MARKS * sizeof *flow->marks);
  }
  size_t n_free = SP_FLOW_BYTES - (size_t)(flow->n_in - flow->n_out),
         at = (size_t)(flow->n_in % SP_FLOW_BYTES);
  if (flow->n_marks == SP_FLOW_MARKS) return 0;
  *to = flow->bytes + at;
  return n_free < SP_FLOW_BYTES - at ? n_free : SP_FLOW_BYTES - at;
}

void sp_flow_put(struct sp_flow *flow, size_t n, int64_t due_ns) {
  SP_ASSERT(flow->n_marks < SP_FLOW_MARKS && flow->n_in + n - flow->n_out <= SP_FLOW_BYTES);
  if (flow->n_marks > 0) {
    const struct sp_flow_mark *last = mark_at(flow, flow->n_marks - 1);
    if (due_ns < last->due_ns) due_ns = last->due_ns;
  }
  flow->n_in += n;
  *mark_at(flow, flow->n_marks++) = (struct sp_flow_mark){flow->n_in, due_ns};
}

void sp_flow_end(struct sp_flow *flow, int64_t due_ns) {
  flow->has_ended = true;
  flow->end_due_ns = due_ns;
}

size_t sp_flow_due(const struct sp_flow *flow, int64_t now_ns, const uint8_t **from) {
  uint64_t end = flow->n_out;
  for (uint64_t i = 0; i < flow->n_marks && mark_at(flow, i)->due_ns <= now_ns; i++)
    end = mark_at(flow, i)->end;
  if (end == flow->n_out) return 0;
  size_t at = (size_t)(flow->n_out % SP_FLOW_BYTES), n = (size_t)(end - flow->n_out);
  *from = flow->bytes + at;
  return n < SP_FLOW_BYTES - at ? n : SP_FLOW_BYTES - at;
}

void sp_flow_take(struct sp_flow *flow, size_t n) {
  flow->n_out += n;
  SP_ASSERT(flow->n_out <= flow->n_in);
  while (flow->n_marks > 0 && mark_at(flow, 0)->end <= flow->n_out) {
    flow->first_mark = (flow->first_mark + 1) % SP_FLOW_MARKS;
    flow->n_marks--;
  }
}

bool sp_flow_is_over(const struct sp_flow *flow, int64_t now_ns) {
  return flow->has_ended && flow->n_out == flow->n_in && flow->end_due_ns <= now_ns;
}

int64_t sp_flow_next_ns(const struct sp_flow *flow) {
  if (flow->n_marks > 0) return mark_at(flow, 0)->due_ns;
  return flow->has_ended ? flow->end_due_ns : INT64_MAX;
}
