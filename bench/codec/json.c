// JSON scanning, as RFC 8259 has it.
#include "codec/json.h"

#include <stdlib.h>

#include "codec/utf8.h"

struct scan {
  const uint8_t *at, *end;
  const struct sp_json_pointer *pointers;
  struct sp_json *found;
  const char *why;
};

// ---- pointers

static int64_t index_of(const char *text, size_t n) {
  if (n == 0 || n > 9 || (text[0] == '0' && n > 1)) return -1;
  int64_t index = 0;
  for (size_t i = 0; i < n; i++) {
    if (text[i] < '0' || text[i] > '9') return -1;
    index = index * 10 + (text[i] - '0');
  }
  return index;
}

enum sp_err sp_json_pointer_init(struct sp_json_pointer *pointer, const char *text, const char *key,
                                 struct sp_error *error) {
  *pointer = (struct sp_json_pointer){0};
  if (!text || !*text) return SP_OK;
  if (*text != '/')
    return sp_fail(error, SP_ERR_USAGE, "%s: \"%s\" is no JSON pointer; write /%s", key, text, text);
  for (const char *at = text; *at; at++) {
    if (*at == '~' && at[1] != '0' && at[1] != '1') {
      return sp_fail(error, SP_ERR_USAGE, "%s: \"%s\" is no JSON pointer; write ~0 for ~", key, text);
    }
    pointer->n_tokens += *at == '/';
  }
  pointer->tokens = sp_alloc(pointer->n_tokens * sizeof *pointer->tokens);
  pointer->text = sp_copy_text(text);
  char *in = pointer->text, *out = in;
  for (size_t i = 0; i < pointer->n_tokens; i++) {
    char *name = out;
    for (in++; *in && *in != '/'; in++) { // both escapes are two characters for one
      if (*in == '~') {
        *out++ = *++in == '0' ? '~' : '/';
      } else {
        *out++ = *in;
      }
    }
    size_t n = (size_t)(out - name);
    pointer->tokens[i] = (struct sp_json_token){sp_bytes_of(name, n), index_of(name, n)};
  }
  return SP_OK;
}

void sp_json_pointer_done(struct sp_json_pointer *pointer) {
  free(pointer->tokens);
  free(pointer->text);
  *pointer = (struct sp_json_pointer){0};
}

// ---- checking

static bool wrong(struct scan *s, const char *why) {
  s->why = why;
  return false;
}

static bool unexpected(struct scan *s) {
  return wrong(s, s->at >= s->end ? "not JSON: ends too early" : "not JSON: a character out of place");
}

static void skip_space(struct scan *s) {
  while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t')) s->at++;
}

static bool check_hex(const uint8_t *at, const uint8_t *end, uint32_t *value) {
  if (end - at < 4) return false;
  *value = 0;
  for (int i = 0; i < 4; i++) {
    uint8_t c = at[i], lower = c | 0x20;
    uint32_t digit = c >= '0' && c <= '9'           ? (uint32_t)(c - '0')
                     : lower >= 'a' && lower <= 'f' ? (uint32_t)(lower - 'a' + 10)
                                                    : 16;
    if (digit == 16) return false;
    *value = *value << 4 | digit;
  }
  return true;
}

// At the backslash.
static bool check_escape(struct scan *s) {
  if (s->end - s->at < 2) return wrong(s, "not JSON: ends too early");
  uint8_t c = s->at[1];
  if (c != 'u') {
    if (!c || !strchr("\"\\/bfnrt", c)) return wrong(s, "not JSON: an unknown escape");
    s->at += 2;
    return true;
  }
  uint32_t unit, low;
  if (!check_hex(s->at + 2, s->end, &unit)) return wrong(s, "not JSON: an unknown escape");
  s->at += 6;
  if (unit < 0xd800 || unit > 0xdfff) return true;
  bool paired = unit < 0xdc00 && s->end - s->at >= 6 && s->at[0] == '\\' && s->at[1] == 'u' &&
                check_hex(s->at + 2, s->end, &low) && low >= 0xdc00 && low <= 0xdfff;
  if (!paired) return wrong(s, "not Unicode: half a surrogate pair");
  s->at += 6;
  return true;
}

// At the opening quote; leaves at behind the closing one.
static bool check_string(struct scan *s, bool *escaped) {
  *escaped = false;
  s->at++;
  for (;;) {
    const uint8_t *at = s->at, *end = s->end;
    while (at < end && *at >= 0x20 && *at < 0x80 && *at != '"' && *at != '\\') at++;
    s->at = at;
    if (at >= end) return unexpected(s);
    if (*at == '"') {
      s->at++;
      return true;
    }
    if (*at == '\\') {
      *escaped = true;
      if (!check_escape(s)) return false;
    } else if (*at < 0x20) {
      return wrong(s, "not JSON: a control character in a string");
    } else {
      uint32_t point;
      size_t n = sp_utf8_decode(at, end, &point);
      if (!n) return wrong(s, "not UTF-8");
      s->at += n;
    }
  }
}

static bool check_digits(struct scan *s) {
  const uint8_t *start = s->at;
  while (s->at < s->end && *s->at >= '0' && *s->at <= '9') s->at++;
  return s->at > start;
}

static bool check_number(struct scan *s) {
  if (*s->at == '-') s->at++;
  if (s->at < s->end && *s->at == '0') {
    s->at++;
  } else if (!check_digits(s)) {
    return unexpected(s);
  }
  if (s->at < s->end && *s->at == '.') {
    s->at++;
    if (!check_digits(s)) return unexpected(s);
  }
  if (s->at < s->end && (*s->at | 0x20) == 'e') {
    s->at++;
    if (s->at < s->end && (*s->at == '+' || *s->at == '-')) s->at++;
    if (!check_digits(s)) return unexpected(s);
  }
  return true;
}

static bool check_word(struct scan *s, const char *word) {
  size_t n = strlen(word);
  if ((size_t)(s->end - s->at) < n || memcmp(s->at, word, n) != 0) return unexpected(s);
  s->at += n;
  return true;
}

static bool key_is(struct sp_json key, bool escaped, struct sp_bytes name) {
  if (!escaped) return (size_t)(key.end - key.at) == name.n + 2 && memcmp(key.at + 1, name.data, name.n) == 0;
  uint8_t text[256];
  size_t n = sp_json_text(key, text, sizeof text);
  return n == name.n && memcmp(text, name.data, n) == 0;
}

// Those of the `active` pointers whose token at `depth` is this key or index. What they found under an equal key before
// is void.
static uint32_t descend(struct scan *s, uint32_t active, size_t depth, struct sp_json key, bool escaped,
                        int64_t index) {
  uint32_t next = 0;
  for (uint32_t left = active; left; left &= left - 1) {
    int i = __builtin_ctz(left);
    const struct sp_json_token *token = &s->pointers[i].tokens[depth];
    if (key.at ? !key_is(key, escaped, token->name) : token->index != index) continue;
    s->found[i] = (struct sp_json){NULL, NULL};
    next |= UINT32_C(1) << i;
  }
  return next;
}

static bool check_value(struct scan *s, size_t depth, uint32_t active);

static bool check_members(struct scan *s, size_t depth, uint32_t active) {
  s->at++;
  skip_space(s);
  if (s->at < s->end && *s->at == '}') {
    s->at++;
    return true;
  }
  for (;;) {
    skip_space(s);
    if (s->at >= s->end || *s->at != '"') return unexpected(s);
    struct sp_json key = {s->at, NULL};
    bool escaped;
    if (!check_string(s, &escaped)) return false;
    key.end = s->at;
    skip_space(s);
    if (s->at >= s->end || *s->at != ':') return unexpected(s);
    s->at++;
    uint32_t next = active ? descend(s, active, depth, key, escaped, -1) : 0;
    if (!check_value(s, depth + 1, next)) return false;
    if (s->at >= s->end || (*s->at != ',' && *s->at != '}')) return unexpected(s);
    if (*s->at++ == '}') return true;
  }
}

static bool check_items(struct scan *s, size_t depth, uint32_t active) {
  s->at++;
  skip_space(s);
  if (s->at < s->end && *s->at == ']') {
    s->at++;
    return true;
  }
  for (int64_t i = 0;; i++) {
    uint32_t next = active ? descend(s, active, depth, (struct sp_json){NULL, NULL}, false, i) : 0;
    if (!check_value(s, depth + 1, next)) return false;
    if (s->at >= s->end || (*s->at != ',' && *s->at != ']')) return unexpected(s);
    if (*s->at++ == ']') return true;
  }
}

// One value with the space around it. `active`: pointers that agree with the way here.
static bool check_value(struct scan *s, size_t depth, uint32_t active) {
  if (depth > SP_JSON_DEPTH_MAX) return wrong(s, "not readable: JSON nested more than 128 deep");
  skip_space(s);
  if (s->at >= s->end) return unexpected(s);
  const uint8_t *start = s->at;
  uint32_t here = 0;
  for (uint32_t left = active; left; left &= left - 1) {
    int i = __builtin_ctz(left);
    if (s->pointers[i].n_tokens == depth) here |= UINT32_C(1) << i;
  }
  bool escaped, fine;
  switch (*start) {
  case '{': fine = check_members(s, depth, active & ~here); break;
  case '[': fine = check_items(s, depth, active & ~here); break;
  case '"': fine = check_string(s, &escaped); break;
  case 't': fine = check_word(s, "true"); break;
  case 'f': fine = check_word(s, "false"); break;
  case 'n': fine = check_word(s, "null"); break;
  default: fine = check_number(s); break;
  }
  if (!fine) return false;
  for (; here; here &= here - 1) s->found[__builtin_ctz(here)] = (struct sp_json){start, s->at};
  skip_space(s);
  return true;
}

const char *sp_json_find(struct sp_bytes document, const struct sp_json_pointer *pointers, size_t n_pointers,
                         struct sp_json *found) {
  SP_ASSERT(n_pointers < SP_JSON_POINTERS_MAX);
  struct scan s = {document.data, document.data + document.n, pointers, found, NULL};
  for (size_t i = 0; i < n_pointers; i++) found[i] = (struct sp_json){NULL, NULL};
  if (check_value(&s, 0, (UINT32_C(1) << n_pointers) - 1) && s.at < s.end)
    s.why = "not JSON: more than one value";
  return s.why;
}

// ---- strings that were checked

static uint32_t hex(const uint8_t *at) {
  uint32_t value = 0;
  check_hex(at, at + 4, &value);
  return value;
}

// The code point at *at of a checked string, which moves on.
static uint32_t next_point(const uint8_t **at, const uint8_t *end) {
  uint32_t point = **at;
  if (point != '\\') {
    *at += sp_utf8_decode(*at, end, &point);
    return point;
  }
  uint8_t c = (*at)[1];
  *at += 2;
  switch (c) {
  case 'b': return '\b';
  case 'f': return '\f';
  case 'n': return '\n';
  case 'r': return '\r';
  case 't': return '\t';
  case 'u': break;
  default: return c;
  }
  point = hex(*at);
  *at += 4;
  if (point < 0xd800 || point > 0xdfff) return point;
  uint32_t low = hex(*at + 2);
  *at += 6;
  return 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
}

size_t sp_json_points(struct sp_json string, uint32_t *out) {
  const uint8_t *at = string.at + 1, *end = string.end - 1;
  uint32_t *start = out;
  while (at < end) {
    while (at < end && *at < 0x80 && *at != '\\') *out++ = *at++;
    if (at < end) *out++ = next_point(&at, end);
  }
  return (size_t)(out - start);
}

size_t sp_json_text(struct sp_json string, uint8_t *out, size_t n) {
  const uint8_t *at = string.at + 1, *end = string.end - 1;
  size_t length = 0;
  while (at < end) {
    uint8_t one[4];
    size_t n_one = sp_utf8_encode(next_point(&at, end), one);
    if (length + n_one > n) return SIZE_MAX;
    memcpy(out + length, one, n_one);
    length += n_one;
  }
  return length;
}
