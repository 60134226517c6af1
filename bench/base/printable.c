// Foreign bytes made fit to be shown.
#include "base/printable.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

// The bytes of the UTF-8 character at `at` (1 to 4) and its code; 0: none.
static size_t read_utf8(const uint8_t *at, size_t n, uint32_t *code) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  size_t length = *at < 0x80 ? 1 : *at < 0xc2 ? 0 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : *at < 0xf5 ? 4 : 0;
  if (length == 0 || length > n) return 0;
  *code = length == 1 ? *at : *at & (0xffU >> (length + 1));
  for (size_t i = 1; i < length; i++) {
    if ((at[i] & 0xc0) != 0x80) return 0;
    *code = *code << 6 | (at[i] & 0x3fU);
  }
  return *code < least[length] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000) ? 0 : length;
}

// Characters that a terminal obeys, or that turn or hide the text around them.
static bool is_shown(uint32_t code) {
  if (code < 0x20 || (code >= 0x7f && code < 0xa0) || code == '\\') return false;
  return !(code == 0xad || code == 0x61c || (code >= 0x200b && code <= 0x200f) ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) || code == 0xfeff ||
           (code >= 0xe0000 && code <= 0xe0fff));
}

static size_t escape(uint8_t byte, char out[5]) {
  static const char escapes[] = "\n\r\t\\", letters[] = "nrt\\";
  const char *found = byte ? strchr(escapes, byte) : NULL;
  return (size_t)(found ? snprintf(out, 5, "\\%c", letters[found - escapes])
                        : snprintf(out, 5, "\\x%02x", byte));
}

char *sp_printable(const void *bytes, size_t n, size_t max_bytes) {
  const uint8_t *at = bytes, *end = at + n;
  // Nothing grows to more than four times its size.
  size_t room = n < max_bytes ? n : max_bytes;
  char *text = sp_alloc(4 * room + sizeof "…");
  size_t n_text = 0;
  while (at < end) {
    uint32_t code = 0;
    size_t length = read_utf8(at, (size_t)(end - at), &code);
    char part[5];
    size_t n_part = length;
    bool is_as_it_is = length > 0 && is_shown(code);
    if (!is_as_it_is) n_part = escape(*at, part);
    if (n_text + n_part > max_bytes) {
      memcpy(text + n_text, "…", sizeof "…");
      return text;
    }
    memcpy(text + n_text, is_as_it_is ? (const char *)at : part, n_part);
    n_text += n_part;
    at += is_as_it_is ? length : 1;
  }
  text[n_text] = '\0';
  return text;
}

char *sp_printable_text(const char *text) {
  return sp_printable(text, strlen(text), SIZE_MAX);
}
