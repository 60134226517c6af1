// Borrowed bytes: a pointer and a length, owned by somebody else.
#ifndef SP_BASE_BYTES_H
#define SP_BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct sp_bytes {
  const uint8_t *data; // NULL: absent (a message without key, a tombstone), which is not the same as empty
  size_t n;
};

static inline struct sp_bytes sp_bytes_of(const void *data, size_t n) {
  return (struct sp_bytes){(const uint8_t *)data, n};
}
static inline struct sp_bytes sp_bytes_of_text(const char *text) {
  return sp_bytes_of(text, strlen(text));
}
static inline int sp_bytes_equal(struct sp_bytes a, struct sp_bytes b) {
  return a.n == b.n && (!a.data) == (!b.data) && (a.n == 0 || memcmp(a.data, b.data, a.n) == 0);
}

#endif
