// Buffers of one decoding thread.
#include "codec/scratch.h"

#include <stdlib.h>

#include "base/err.h"
#include "codec/codec.h"

struct sp_scratch *sp_scratch_new(void) {
  return sp_alloc(sizeof(struct sp_scratch));
}

void sp_scratch_free(struct sp_scratch *scratch) {
  if (!scratch) return;
  free(scratch->bytes);
  free(scratch->points[0]);
  free(scratch->points[1]);
  free(scratch->words);
  free(scratch);
}

// Doubles, so that a slow growth of events does not allocate at each.
static void *grown(void *old, size_t *room, size_t n, size_t element_bytes) {
  if (n <= *room) return old;
  size_t wanted = *room * 2 > n ? *room * 2 : n;
  free(old);
  *room = wanted < 256 ? 256 : wanted;
  return sp_alloc(*room * element_bytes);
}

uint8_t *sp_scratch_bytes(struct sp_scratch *scratch, size_t n) {
  return scratch->bytes = grown(scratch->bytes, &scratch->room_bytes, n, 1);
}

uint32_t *sp_scratch_points(struct sp_scratch *scratch, int which, size_t n) {
  return scratch->points[which] =
             grown(scratch->points[which], &scratch->room_points[which], n, sizeof(uint32_t));
}

struct sp_bytes *sp_scratch_words(struct sp_scratch *scratch, size_t n) {
  return scratch->words = grown(scratch->words, &scratch->room_words, n, sizeof(struct sp_bytes));
}
