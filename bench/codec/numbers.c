// Numbers in JSON. The value was checked before: what is looked at here is only which of its parts are numbers.
#include "codec/numbers.h"

#include "codec/element.h"

struct into {
  int also;
  enum sp_dtype dtype;
  void *data;
  size_t room;
  size_t n;
};

static const char not_a_number[] = "not a number";

static const char *store(struct into *into, double value) {
  int64_t sink;
  bool is_in = into->n < into->room;
  bool fits = sp_element_store(into->dtype, is_in ? into->data : &sink, is_in ? into->n : 0, value);
  into->n++;
  return fits ? NULL : "a number that the element type cannot hold";
}

// Leaves *at behind the number.
static const char *scan(struct into *into, const uint8_t **at, const uint8_t *end) {
  int64_t sink;
  bool is_in = into->n < into->room, fits = true;
  size_t n = sp_element_scan(into->dtype, *at, end, is_in ? into->data : &sink, is_in ? into->n : 0, &fits);
  if (!n) return not_a_number;
  into->n++;
  *at += n;
  return fits ? NULL : "a number that the element type cannot hold";
}

static bool is_word(const uint8_t *at, const uint8_t *end, const char *word) {
  size_t n = strlen(word);
  return (size_t)(end - at) >= n && memcmp(at, word, n) == 0;
}

// At the opening quote.
static const char *quoted(struct into *into, const uint8_t **at, const uint8_t *end) {
  if (!(into->also & SP_NUMBERS_STRINGS)) return not_a_number;
  static const struct {
    const char *text;
    double value;
  } words[] = {{"\"NaN\"", NAN}, {"\"Infinity\"", INFINITY}, {"\"-Infinity\"", -INFINITY}};
  for (size_t i = 0; i < 3; i++) {
    if (!is_word(*at, end, words[i].text)) continue;
    *at += strlen(words[i].text);
    return store(into, words[i].value);
  }
  ++*at;
  const char *why = scan(into, at, end);
  if (why) return why;
  if (**at != '"') return not_a_number;
  ++*at;
  return NULL;
}

static const char *word(struct into *into, const uint8_t **at, const uint8_t *end) {
  bool is_bool = into->dtype == SP_DTYPE_BOOL || (into->also & SP_NUMBERS_BOOLS);
  if (is_bool && is_word(*at, end, "true")) {
    *at += 4;
    return store(into, 1);
  }
  if (is_bool && is_word(*at, end, "false")) {
    *at += 5;
    return store(into, 0);
  }
  if ((into->also & SP_NUMBERS_NULL) && is_word(*at, end, "null")) {
    *at += 4;
    return store(into, NAN);
  }
  return not_a_number;
}

const char *sp_numbers_read(struct sp_json value, int also, enum sp_dtype dtype, void *data, size_t room,
                            size_t *n) {
  struct into into = {also, dtype, data, room, 0};
  const char *why = NULL;
  for (const uint8_t *at = value.at; !why && at < value.end;) {
    switch (*at) {
    case ' ':
    case '\t':
    case '\n':
    case '\r':
    case ',':
    case '[':
    case ']': at++; break;
    case '"': why = quoted(&into, &at, value.end); break;
    case 't':
    case 'f':
    case 'n': why = word(&into, &at, value.end); break;
    default: why = scan(&into, &at, value.end); break; // an object's brace is no number either
    }
  }
  *n = into.n;
  return why;
}

static int sextet(uint8_t c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  return c == '/' || c == '_' ? 63 : -1;
}

size_t sp_base64_read(struct sp_json string, uint8_t *out, size_t room) {
  const uint8_t *at = string.at + 1, *end = string.end - 1;
  for (int i = 0; i < 2 && end > at && end[-1] == '='; i++) end--;
  size_t n = 0, n_chars = 0;
  uint32_t bits = 0;
  for (; at < end; at++) {
    if (*at == '\\' && at + 1 < end && at[1] == '/') at++; // "\/" is a slash
    int value = sextet(*at);
    if (value < 0) return SIZE_MAX;
    bits = bits << 6 | (uint32_t)value;
    size_t n_bits = ++n_chars % 4;
    if (n_bits == 1) continue;
    if (n < room) out[n] = (uint8_t)(bits >> (n_bits == 2 ? 4 : n_bits == 3 ? 2 : 0));
    n++;
  }
  return n_chars % 4 == 1 ? SIZE_MAX : n;
}
