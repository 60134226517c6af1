// A scanner that checks and skips values, and what stands on it.
#include "import/json.h"

#include <stdlib.h>

struct scan {
  const uint8_t *at, *end;
};

static void skip_space(struct scan *scan) {
  while (scan->at < scan->end &&
         (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' || *scan->at == '\r'))
    scan->at++;
}

static bool skip_byte(struct scan *scan, uint8_t byte) {
  if (scan->at == scan->end || *scan->at != byte) return false;
  scan->at++;
  return true;
}

static bool skip_word(struct scan *scan, const char *word) {
  for (; *word; word++) {
    if (!skip_byte(scan, (uint8_t)*word)) return false;
  }
  return true;
}

static bool skip_digits(struct scan *scan) {
  const uint8_t *start = scan->at;
  while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9') scan->at++;
  return scan->at > start;
}

static bool skip_number(struct scan *scan) {
  skip_byte(scan, '-');
  if (!skip_byte(scan, '0') && !skip_digits(scan)) return false;
  if (skip_byte(scan, '.') && !skip_digits(scan)) return false;
  if (skip_byte(scan, 'e') || skip_byte(scan, 'E')) {
    if (!skip_byte(scan, '+')) skip_byte(scan, '-');
    return skip_digits(scan);
  }
  return true;
}

static int hex_value(uint8_t byte) {
  if (byte >= '0' && byte <= '9') return byte - '0';
  byte |= 0x20;
  return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

static bool skip_string(struct scan *scan) {
  static const char escapes[] = "\"\\/bfnrtu";
  if (!skip_byte(scan, '"')) return false;
  while (scan->at < scan->end && *scan->at != '"') {
    if (*scan->at < 0x20) return false;
    if (*scan->at++ != '\\') continue;
    if (scan->at == scan->end || !memchr(escapes, *scan->at, sizeof escapes - 1)) return false;
    if (*scan->at++ != 'u') continue;
    for (int i = 0; i < 4; i++, scan->at++) {
      if (scan->at == scan->end || hex_value(*scan->at) < 0) return false;
    }
  }
  return skip_byte(scan, '"');
}

static bool skip_value(struct scan *scan, int depth, enum sp_span_kind *kind);

// The members of an array or object behind its opening bracket, with the closing one.
static bool skip_members(struct scan *scan, int depth, bool is_object) {
  const uint8_t close = is_object ? '}' : ']';
  skip_space(scan);
  if (skip_byte(scan, close)) return true;
  for (;;) {
    enum sp_span_kind kind;
    skip_space(scan);
    if (is_object) {
      if (!skip_string(scan)) return false;
      skip_space(scan);
      if (!skip_byte(scan, ':')) return false;
      skip_space(scan);
    }
    if (!skip_value(scan, depth, &kind)) return false;
    skip_space(scan);
    if (skip_byte(scan, close)) return true;
    if (!skip_byte(scan, ',')) return false;
  }
}

static bool skip_value(struct scan *scan, int depth, enum sp_span_kind *kind) {
  if (scan->at == scan->end || depth > SP_SPAN_DEPTH_MAX) return false;
  switch (*scan->at) {
  case 'n': *kind = SP_SPAN_NULL; return skip_word(scan, "null");
  case 't': *kind = SP_SPAN_BOOL; return skip_word(scan, "true");
  case 'f': *kind = SP_SPAN_BOOL; return skip_word(scan, "false");
  case '"': *kind = SP_SPAN_STRING; return skip_string(scan);
  case '[':
  case '{':
    *kind = *scan->at == '{' ? SP_SPAN_OBJECT : SP_SPAN_ARRAY;
    scan->at++;
    return skip_members(scan, depth + 1, *kind == SP_SPAN_OBJECT);
  default: *kind = SP_SPAN_NUMBER; return skip_number(scan);
  }
}

bool sp_span_read(struct sp_bytes document, struct sp_span *value, size_t *error_at) {
  struct scan scan = {document.data, document.data + document.n};
  skip_space(&scan);
  const uint8_t *start = scan.at;
  bool read = skip_value(&scan, 0, &value->kind);
  value->bytes = sp_bytes_of(start, (size_t)(scan.at - start));
  if (read) skip_space(&scan);
  *error_at = (size_t)(scan.at - document.data);
  return read && scan.at == scan.end;
}

struct sp_span_walk sp_span_walk_of(struct sp_span value) {
  const uint8_t *at = value.bytes.data, *end = at + value.bytes.n;
  bool has_members = value.kind == SP_SPAN_OBJECT || value.kind == SP_SPAN_ARRAY;
  return (struct sp_span_walk){has_members ? at + 1 : end, end, value.kind == SP_SPAN_OBJECT};
}

bool sp_span_walk_next(struct sp_span_walk *walk, struct sp_span *name, struct sp_span *member) {
  struct scan scan = {walk->at, walk->end};
  skip_space(&scan);
  skip_byte(&scan, ',');
  skip_space(&scan);
  if (scan.at == scan.end || *scan.at == ']' || *scan.at == '}') return false;
  if (walk->is_object) {
    const uint8_t *start = scan.at;
    skip_string(&scan);
    if (name) *name = (struct sp_span){SP_SPAN_STRING, sp_bytes_of(start, (size_t)(scan.at - start))};
    skip_space(&scan);
    skip_byte(&scan, ':');
    skip_space(&scan);
  }
  const uint8_t *start = scan.at;
  bool read = skip_value(&scan, 0, &member->kind);
  member->bytes = sp_bytes_of(start, (size_t)(scan.at - start));
  walk->at = scan.at;
  return read;
}

bool sp_span_is_pointer(const char *text) {
  if (strlen(text) >= SP_SPAN_POINTER_BYTES || (*text && *text != '/')) return false;
  for (const char *at = text; (at = strchr(at, '~')); at++) {
    if (at[1] != '0' && at[1] != '1') return false;
  }
  return true;
}

// The reference token at *pointer ("/a~1b/c" gives "a/b") into token; moves *pointer behind it.
static struct sp_bytes next_token(const char **pointer, uint8_t token[SP_SPAN_POINTER_BYTES]) {
  size_t n = 0;
  const char *at = *pointer + 1;
  for (; *at && *at != '/'; at++) {
    if (*at == '~') {
      at++;
      token[n++] = *at == '0' ? '~' : '/';
    } else {
      token[n++] = (uint8_t)*at;
    }
  }
  *pointer = at;
  return sp_bytes_of(token, n);
}

static bool is_named(struct sp_span name, struct sp_bytes token) {
  uint8_t text[6 * SP_SPAN_POINTER_BYTES + 2];
  // An escape takes at most six bytes to say one.
  if (name.bytes.n - 2 > 6 * token.n) return false;
  return sp_bytes_equal(sp_bytes_of(text, sp_span_unescape(name, text)), token);
}

static bool find_member(struct sp_span value, struct sp_bytes token, struct sp_span *found) {
  struct sp_span_walk walk = sp_span_walk_of(value);
  struct sp_span name, member;
  bool is_found = false;
  size_t wanted = SIZE_MAX;
  if (!walk.is_object && token.n > 0 && token.n < 10 && (token.n == 1 || token.data[0] != '0')) {
    wanted = 0;
    for (size_t i = 0; i < token.n; i++) {
      if (token.data[i] < '0' || token.data[i] > '9') return false;
      wanted = 10 * wanted + (size_t)(token.data[i] - '0');
    }
  }
  for (size_t i = 0; sp_span_walk_next(&walk, &name, &member); i++) {
    if (walk.is_object ? !is_named(name, token) : i != wanted) continue;
    *found = member;
    is_found = true;
  }
  return is_found;
}

bool sp_span_find(struct sp_span value, const char *pointer, struct sp_span *found) {
  uint8_t token[SP_SPAN_POINTER_BYTES];
  *found = value;
  while (*pointer) {
    struct sp_bytes name = next_token(&pointer, token);
    if (!find_member(*found, name, found)) return false;
  }
  return true;
}

static uint32_t read_hex4(const uint8_t *at) {
  uint32_t code = 0;
  for (int i = 0; i < 4; i++) code = code << 4 | (uint32_t)hex_value(at[i]);
  return code;
}

static size_t put_utf8(uint32_t code, uint8_t *out) {
  if (code < 0x80) {
    out[0] = (uint8_t)code;
    return 1;
  }
  size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (size_t i = n; i-- > 1; code >>= 6) out[i] = (uint8_t)(0x80 | (code & 0x3f));
  out[0] = (uint8_t)((0xf00U >> n & 0xff) | code);
  return n;
}

// The code point of the escape whose digits start at *at; takes the second half of a surrogate pair with it.
static uint32_t read_escape(const uint8_t **at, const uint8_t *end) {
  uint32_t code = read_hex4(*at);
  *at += 4;
  if (code < 0xd800 || code > 0xdfff) return code;
  if (code > 0xdbff || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u') return 0xfffd;
  uint32_t low = read_hex4(*at + 2);
  if (low < 0xdc00 || low > 0xdfff) return 0xfffd;
  *at += 6;
  return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
}

size_t sp_span_unescape(struct sp_span string, uint8_t *out) {
  const uint8_t *at = string.bytes.data + 1, *end = string.bytes.data + string.bytes.n - 1;
  size_t n = 0;
  while (at < end) {
    if (*at != '\\') {
      out[n++] = *at++;
      continue;
    }
    uint8_t letter = at[1];
    at += 2;
    static const char letters[] = "bfnrt", bytes[] = "\b\f\n\r\t";
    const char *found = memchr(letters, letter, sizeof letters - 1);
    if (letter == 'u') {
      n += put_utf8(read_escape(&at, end), out + n);
    } else {
      out[n++] = found ? (uint8_t)bytes[found - letters] : letter;
    }
  }
  return n;
}
