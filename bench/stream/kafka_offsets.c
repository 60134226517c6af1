// A partition's events in the order in which they were read, and how far they are finished.
#include "stream/kafka_offsets.h"

#include <stddef.h>

static int state_of(const struct sp_offsets_item *item) {
  return atomic_load_explicit(&item->state, memory_order_acquire);
}

void sp_offsets_give(struct sp_offsets *offsets) {
  uint32_t n_given = offsets->n_given + 1;
  *offsets = (struct sp_offsets){.finished = -1, .committed = -1, .n_given = n_given, .is_ours = true};
}

void sp_offsets_admit(struct sp_offsets *offsets, struct sp_offsets_item *item, int64_t offset) {
  item->next = NULL;
  item->offset = offset;
  atomic_store_explicit(&item->state, SP_OFFSETS_WAITING, memory_order_release);
  if (offsets->last)
    offsets->last->next = item;
  else
    offsets->first = item;
  offsets->last = item;
}

// Cuts off the longest prefix of items in one of two states.
static struct sp_offsets_item *cut_prefix(struct sp_offsets *offsets, int state, int other_state) {
  struct sp_offsets_item *prefix = offsets->first, *end = NULL;
  for (struct sp_offsets_item *item = prefix; item; item = item->next) {
    int is = state_of(item);
    if (is != state && is != other_state) break;
    if (is == SP_OFFSETS_REFUSED) offsets->is_stuck = true;
    if (!offsets->is_stuck) offsets->finished = item->offset + 1;
    end = item;
  }
  if (!end) return NULL;
  offsets->first = end->next;
  if (!offsets->first) offsets->last = NULL;
  end->next = NULL;
  return prefix;
}

struct sp_offsets_item *sp_offsets_advance(struct sp_offsets *offsets) {
  return cut_prefix(offsets, SP_OFFSETS_FINISHED, SP_OFFSETS_REFUSED);
}

struct sp_offsets_item *sp_offsets_take(struct sp_offsets *offsets) {
  return cut_prefix(offsets, SP_OFFSETS_ANSWERED, SP_OFFSETS_ANSWERED);
}

bool sp_offsets_all_answered(const struct sp_offsets *offsets) {
  for (const struct sp_offsets_item *item = offsets->first; item; item = item->next) {
    int state = state_of(item);
    if (state == SP_OFFSETS_WAITING || state == SP_OFFSETS_TAKEN) return false;
  }
  return true;
}

// True: nobody else has it, and nobody will look at it again.
static bool forget_item(struct sp_offsets_item *item, bool holds_answers) {
  for (;;) {
    int state = state_of(item);
    bool is_held = state == SP_OFFSETS_WAITING || state == SP_OFFSETS_TAKEN ||
                   (state == SP_OFFSETS_ANSWERED && holds_answers);
    if (sp_offsets_move(item, state, SP_OFFSETS_FORGOTTEN)) return !is_held;
  }
}

// Forgets a chain; returns those of it that are free.
static struct sp_offsets_item *forget_chain(struct sp_offsets_item *item, bool holds_answers) {
  struct sp_offsets_item *free_items = NULL;
  for (struct sp_offsets_item *next; item; item = next) {
    next = item->next; // its holder may reuse the item as soon as it is forgotten
    if (!forget_item(item, holds_answers)) continue;
    item->next = free_items;
    free_items = item;
  }
  return free_items;
}

// A worker may be about to take an event while another has taken a later one: behind the first that is forgotten nothing may
// count, or the prefix would close over it.
struct sp_offsets_item *sp_offsets_forget_waiting(struct sp_offsets *offsets, bool holds_answers) {
  struct sp_offsets_item *before = NULL, *item = offsets->first;
  struct sp_offsets_item *next = NULL;
  for (; item; before = item, item = item->next) {
    next = item->next;
    if (sp_offsets_move(item, SP_OFFSETS_WAITING, SP_OFFSETS_FORGOTTEN)) break;
  }
  if (!item) return NULL;
  if (before)
    before->next = NULL;
  else
    offsets->first = NULL;
  offsets->last = before;
  return forget_chain(next, holds_answers);
}

struct sp_offsets_item *sp_offsets_forget(struct sp_offsets *offsets, bool holds_answers) {
  struct sp_offsets_item *items = offsets->first;
  offsets->first = offsets->last = NULL;
  offsets->is_ours = false;
  return forget_chain(items, holds_answers);
}
