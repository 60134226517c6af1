// What one thread decodes with: buffers that grow to the longest event.
#ifndef SP_CODEC_SCRATCH_H
#define SP_CODEC_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct sp_scratch {
  uint8_t *bytes; // a field or text being rewritten
  size_t room_bytes;
  uint32_t *points[2]; // code points, and the same after a step that makes them more
  size_t room_points[2];
  struct sp_bytes *words;
  size_t room_words;
};

// At least n elements; what was there is not kept. Allocates only to grow.
uint8_t *sp_scratch_bytes(struct sp_scratch *scratch, size_t n);
uint32_t *sp_scratch_points(struct sp_scratch *scratch, int which, size_t n);
struct sp_bytes *sp_scratch_words(struct sp_scratch *scratch, size_t n);

#endif
