// JSON of a server's answer: grammar, numbers, tensors.
#include "rpc/rest_scan.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/err.h"
#include "base/number.h"

void sp_rest_scan_begin(struct sp_rest_scan *scan, struct sp_bytes text) {
  scan->start = scan->at = text.data ? text.data : (const uint8_t *)"";
  scan->end = scan->start + text.n;
  scan->depth = 0;
  scan->why[0] = 0;
}

bool sp_rest_scan_fail(struct sp_rest_scan *scan, const char *format, ...) {
  if (scan->why[0]) return false;
  va_list args;
  va_start(args, format);
  int n = vsnprintf(scan->why, sizeof scan->why, format, args);
  va_end(args);
  if (n >= 0 && (size_t)n < sizeof scan->why)
    snprintf(scan->why + n, sizeof scan->why - (size_t)n, " at byte %zu", (size_t)(scan->at - scan->start));
  return false;
}

// --- Grammar ---

uint8_t sp_rest_scan_peek(struct sp_rest_scan *scan) {
  while (scan->at < scan->end &&
         (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\t' || *scan->at == '\r'))
    scan->at++;
  return scan->at < scan->end ? *scan->at : 0;
}

bool sp_rest_scan_end(struct sp_rest_scan *scan) {
  sp_rest_scan_peek(scan);
  return !scan->why[0] && (scan->at == scan->end || sp_rest_scan_fail(scan, "more than one JSON value"));
}

static bool take_byte(struct sp_rest_scan *scan, uint8_t byte) {
  if (sp_rest_scan_peek(scan) == byte && scan->at < scan->end) {
    scan->at++;
    return true;
  }
  return scan->at == scan->end ? sp_rest_scan_fail(scan, "JSON that ends too early")
                               : sp_rest_scan_fail(scan, "broken JSON, no '%c'", byte);
}

static bool take_word(struct sp_rest_scan *scan, const char *word) {
  size_t n = strlen(word);
  if ((size_t)(scan->end - scan->at) < n || memcmp(scan->at, word, n) != 0) return false;
  scan->at += n;
  return true;
}

static bool is_hex(uint8_t c) {
  return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool take_escape(struct sp_rest_scan *scan) {
  if (scan->end - scan->at < 2 || !strchr("\"\\/bfnrtu", scan->at[1]) || !scan->at[1])
    return sp_rest_scan_fail(scan, "broken JSON, an unknown escape");
  bool is_code = scan->at[1] == 'u';
  scan->at += 2;
  for (int i = 0; is_code && i < 4; i++, scan->at++) {
    if (scan->at == scan->end || !is_hex(*scan->at))
      return sp_rest_scan_fail(scan, "broken JSON, an unknown escape");
  }
  return true;
}

bool sp_rest_scan_string(struct sp_rest_scan *scan, struct sp_bytes *raw) {
  if (!take_byte(scan, '"')) return false;
  const uint8_t *from = scan->at;
  while (scan->at < scan->end && *scan->at != '"') {
    if (*scan->at < 0x20) return sp_rest_scan_fail(scan, "broken JSON, a control character in a string");
    if (*scan->at != '\\')
      scan->at++;
    else if (!take_escape(scan))
      return false;
  }
  *raw = sp_bytes_of(from, (size_t)(scan->at - from));
  return take_byte(scan, '"');
}

static bool go_in(struct sp_rest_scan *scan, uint8_t bracket) {
  if (!take_byte(scan, bracket)) return false;
  return ++scan->depth <= SP_REST_DEPTH_MAX || sp_rest_scan_fail(scan, "JSON nested too deeply");
}

// Behind an element: false at the closing bracket (taken) or where there is neither it nor a comma (`why` set).
static bool goes_on(struct sp_rest_scan *scan, uint8_t bracket) {
  uint8_t byte = sp_rest_scan_peek(scan);
  if (byte == ',' && scan->at < scan->end) {
    scan->at++;
    return true;
  }
  if (take_byte(scan, bracket)) scan->depth--;
  return false;
}

static bool is_empty(struct sp_rest_scan *scan, uint8_t bracket) {
  if (sp_rest_scan_peek(scan) != bracket) return false;
  scan->at++;
  scan->depth--;
  return true;
}

bool sp_rest_scan_object(struct sp_rest_scan *scan, sp_rest_member member, void *context) {
  if (!go_in(scan, '{')) return false;
  if (is_empty(scan, '}')) return true;
  do {
    struct sp_bytes name;
    if (!sp_rest_scan_string(scan, &name) || !take_byte(scan, ':') || !member(scan, name, context))
      return false;
  } while (goes_on(scan, '}'));
  return !scan->why[0];
}

bool sp_rest_scan_array(struct sp_rest_scan *scan, sp_rest_item item, void *context) {
  if (!go_in(scan, '[')) return false;
  if (is_empty(scan, ']')) return true;
  size_t i = 0;
  do {
    if (!item(scan, i++, context)) return false;
  } while (goes_on(scan, ']'));
  return !scan->why[0];
}

static bool take_digits(struct sp_rest_scan *scan) {
  const uint8_t *from = scan->at;
  while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9') scan->at++;
  return scan->at > from;
}

static bool take_one_of(struct sp_rest_scan *scan, const char *bytes) {
  if (scan->at == scan->end || !*scan->at || !strchr(bytes, *scan->at)) return false;
  scan->at++;
  return true;
}

// The grammar alone, for base/number.h takes more than JSON allows.
static bool skip_number(struct sp_rest_scan *scan, bool *is_whole) {
  const uint8_t *from = scan->at;
  *is_whole = true;
  take_one_of(scan, "-");
  bool is_number = take_one_of(scan, "0") || take_digits(scan);
  if (is_number && take_one_of(scan, ".")) {
    *is_whole = false;
    is_number = take_digits(scan);
  }
  if (is_number && take_one_of(scan, "eE")) {
    *is_whole = false;
    take_one_of(scan, "+-");
    is_number = take_digits(scan);
  }
  if (is_number) return true;
  scan->at = from;
  return false;
}

static bool skip_member(struct sp_rest_scan *scan, struct sp_bytes name, void *context) {
  (void)name;
  (void)context;
  return sp_rest_scan_skip(scan);
}
static bool skip_item(struct sp_rest_scan *scan, size_t item_i, void *context) {
  (void)item_i;
  (void)context;
  return sp_rest_scan_skip(scan);
}

bool sp_rest_scan_skip(struct sp_rest_scan *scan) {
  struct sp_bytes string;
  bool is_whole;
  switch (sp_rest_scan_peek(scan)) {
  case '{': return sp_rest_scan_object(scan, skip_member, NULL);
  case '[': return sp_rest_scan_array(scan, skip_item, NULL);
  case '"': return sp_rest_scan_string(scan, &string);
  case 't': return take_word(scan, "true") || sp_rest_scan_fail(scan, "broken JSON, no value");
  case 'f': return take_word(scan, "false") || sp_rest_scan_fail(scan, "broken JSON, no value");
  case 'n': return take_word(scan, "null") || sp_rest_scan_fail(scan, "broken JSON, no value");
  default: return skip_number(scan, &is_whole) || sp_rest_scan_fail(scan, "broken JSON, no value");
  }
}

// --- Numbers ---

static bool not_a_number(struct sp_rest_scan *scan) {
  uint8_t byte = sp_rest_scan_peek(scan);
  char word[10];
  size_t n = 0;
  for (const uint8_t *at = scan->at; at < scan->end && n < sizeof word - 1; at++) {
    if (!((*at | 0x20) >= 'a' && (*at | 0x20) <= 'z') && *at != '-') break;
    word[n++] = (char)*at;
  }
  word[n] = 0;
  if (n) return sp_rest_scan_fail(scan, "%s where a number must be", word);
  if (scan->at == scan->end) return sp_rest_scan_fail(scan, "JSON that ends too early");
  const char *what = byte == '"'                  ? "a string"
                     : byte == '['                ? "an array"
                     : byte == '{'                ? "an object"
                     : byte == ']' || byte == ',' ? "nothing"
                                                  : "broken JSON";
  return sp_rest_scan_fail(scan, "%s where a number must be", what);
}

static bool store_float(enum sp_dtype dtype, void *data, size_t i, double value) {
  if (dtype == SP_DTYPE_FLOAT64) {
    ((double *)data)[i] = value;
    return isfinite(value);
  }
  ((float *)data)[i] = (float)value;
  return isfinite((float)value);
}

static bool store_whole(enum sp_dtype dtype, void *data, size_t i, int64_t value) {
  switch (dtype) {
  case SP_DTYPE_INT64: ((int64_t *)data)[i] = value; return true;
  case SP_DTYPE_INT32:
    if (value < INT32_MIN || value > INT32_MAX) return false;
    ((int32_t *)data)[i] = (int32_t)value;
    return true;
  case SP_DTYPE_UINT8:
  case SP_DTYPE_BOOL:
    if (value < 0 || value > (dtype == SP_DTYPE_BOOL ? 1 : UINT8_MAX)) return false;
    ((uint8_t *)data)[i] = (uint8_t)value;
    return true;
  default: sp_panic(__FILE__, __LINE__, "the element is an integer");
  }
}

bool sp_rest_scan_element(struct sp_rest_scan *scan, enum sp_dtype dtype, void *data, size_t i) {
  sp_rest_scan_peek(scan);
  const uint8_t *from = scan->at;
  if (dtype == SP_DTYPE_BOOL && take_word(scan, "true")) return store_whole(dtype, data, i, 1);
  if (dtype == SP_DTYPE_BOOL && take_word(scan, "false")) return store_whole(dtype, data, i, 0);
  bool is_whole, fits;
  if (!skip_number(scan, &is_whole)) return not_a_number(scan);
  double value = 0;
  sp_number_scan(from, scan->at, &value);
  if (dtype == SP_DTYPE_FLOAT32 || dtype == SP_DTYPE_FLOAT64) {
    fits = store_float(dtype, data, i, value);
  } else {
    // Some servers write whole numbers with a point, 3.0.
    int64_t whole = 0;
    fits = is_whole ? sp_number_scan_int64(from, scan->at, &whole) == (size_t)(scan->at - from)
                    : fabs(value) < 0x1p53 && value == trunc(value);
    if (fits && !is_whole) whole = (int64_t)value;
    fits = fits && store_whole(dtype, data, i, whole);
  }
  return fits || sp_rest_scan_fail(scan, "a number that %s cannot hold", sp_dtype_name(dtype));
}

struct shaped {
  const int64_t *dims;
  uint32_t n_dims;
  enum sp_dtype dtype;
  void *data;
  size_t i;
};

static bool take_shaped(struct sp_rest_scan *scan, struct shaped *into, uint32_t dim_i) {
  if (dim_i == into->n_dims) return sp_rest_scan_element(scan, into->dtype, into->data, into->i++);
  if (sp_rest_scan_peek(scan) != '[' && scan->at < scan->end) {
    return sp_rest_scan_fail(scan, "not an array of %lld values where one must be",
                             (long long)into->dims[dim_i]);
  }
  if (!go_in(scan, '[')) return false;
  int64_t n = 0, wanted = into->dims[dim_i];
  bool more = !is_empty(scan, ']');
  while (more) {
    if (n == wanted) return sp_rest_scan_fail(scan, "more than %lld values in an array", (long long)wanted);
    if (!take_shaped(scan, into, dim_i + 1)) return false;
    n++;
    more = goes_on(scan, ']');
  }
  if (scan->why[0]) return false;
  return n == wanted || sp_rest_scan_fail(scan, "%lld values in an array where %lld must be", (long long)n,
                                          (long long)wanted);
}

bool sp_rest_scan_shaped(struct sp_rest_scan *scan, const int64_t *dims, uint32_t n_dims, enum sp_dtype dtype,
                         void *data, size_t from) {
  struct shaped into = {dims, n_dims, dtype, data, from};
  return take_shaped(scan, &into, 0);
}

struct flat {
  enum sp_dtype dtype;
  void *data;
  size_t i, n;
};

static bool flat_item(struct sp_rest_scan *scan, size_t item_i, void *context) {
  (void)item_i;
  struct flat *into = context;
  if (sp_rest_scan_peek(scan) == '[') return sp_rest_scan_array(scan, flat_item, into);
  if (into->i == into->n) return sp_rest_scan_fail(scan, "more than %zu values", into->n);
  return sp_rest_scan_element(scan, into->dtype, into->data, into->i++);
}

bool sp_rest_scan_flat(struct sp_rest_scan *scan, enum sp_dtype dtype, void *data, size_t n) {
  struct flat into = {dtype, data, 0, n};
  if (!sp_rest_scan_array(scan, flat_item, &into)) return false;
  return into.i == n || sp_rest_scan_fail(scan, "%zu values where %zu must be", into.i, n);
}

struct shape {
  int64_t *dims; // 0: not known yet
  uint32_t n_dims;
  bool is_deepest_known, is_whole;
};

static bool take_leaf(struct sp_rest_scan *scan, struct shape *shape, uint32_t dim_i) {
  if (shape->is_deepest_known && shape->n_dims != dim_i)
    return sp_rest_scan_fail(scan, "arrays that are not nested alike");
  shape->n_dims = dim_i;
  shape->is_deepest_known = true;
  if (take_word(scan, "true") || take_word(scan, "false")) return true;
  bool is_whole;
  if (!skip_number(scan, &is_whole)) return not_a_number(scan);
  shape->is_whole = shape->is_whole && is_whole;
  return true;
}

static bool take_shape(struct sp_rest_scan *scan, struct shape *shape, uint32_t dim_i) {
  if (sp_rest_scan_peek(scan) != '[') return take_leaf(scan, shape, dim_i);
  if (dim_i == SP_TENSOR_RANK_MAX) return sp_rest_scan_fail(scan, "arrays nested too deeply");
  if (!go_in(scan, '[')) return false;
  int64_t n = 0;
  bool more = !is_empty(scan, ']');
  while (more) {
    if (!take_shape(scan, shape, dim_i + 1)) return false;
    n++;
    more = goes_on(scan, ']');
  }
  if (scan->why[0]) return false;
  if (n == 0) return sp_rest_scan_fail(scan, "an empty array");
  if (shape->dims[dim_i] && shape->dims[dim_i] != n)
    return sp_rest_scan_fail(scan, "arrays of different lengths");
  shape->dims[dim_i] = n;
  return true;
}

bool sp_rest_scan_shape(struct sp_rest_scan *scan, int64_t *dims, uint32_t *n_dims, bool *is_whole) {
  memset(dims, 0, SP_TENSOR_RANK_MAX * sizeof *dims);
  struct shape shape = {.dims = dims, .is_whole = true};
  if (!take_shape(scan, &shape, 0)) return false;
  *n_dims = shape.n_dims;
  *is_whole = shape.is_whole;
  return true;
}

// --- Texts ---

// The character behind a backslash, in ASCII; '?' where there is none.
static char escaped(const uint8_t **at, const uint8_t *end) {
  static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
  if (end - *at < 2) return '?';
  char letter = (char)(*at)[1];
  *at += 2;
  const char *found = strchr(letters, letter);
  if (letter != 'u') return found && letter ? meant[found - letters] : letter;
  unsigned code = 0;
  for (int i = 0; i < 4 && *at < end; i++, ++*at) {
    uint8_t c = **at;
    code = code << 4 | ((c <= '9' ? c : c + 9U) & 15U); // '0' is 0x30, 'a' 0x61, 'A' 0x41
  }
  return code < 0x80 ? (char)code : '?';
}

bool sp_rest_string_is(struct sp_bytes raw, const char *text) {
  if (!raw.data) return false;
  const uint8_t *at = raw.data, *end = raw.data + raw.n;
  while (at < end && *text) {
    char c = *at == '\\' ? escaped(&at, end) : (char)*at++;
    if (c != *text++) return false;
  }
  return at == end && !*text;
}

static bool find_message(struct sp_rest_scan *scan, struct sp_bytes name, void *context) {
  struct sp_bytes *message = context;
  bool is_it = sp_rest_string_is(name, "error") || sp_rest_string_is(name, "message") ||
               sp_rest_string_is(name, "detail");
  if (!is_it || message->data) return sp_rest_scan_skip(scan);
  if (sp_rest_scan_peek(scan) == '"') return sp_rest_scan_string(scan, message);
  const uint8_t *from = scan->at;
  bool is_read = sp_rest_scan_skip(scan);
  *message = sp_bytes_of(from, (size_t)(scan->at - from));
  return is_read;
}

char *sp_rest_error_text(struct sp_bytes body, char *text, size_t n) {
  struct sp_rest_scan scan;
  struct sp_bytes message = {0};
  sp_rest_scan_begin(&scan, body);
  bool is_json = body.n && sp_rest_scan_peek(&scan) == '{' &&
                 sp_rest_scan_object(&scan, find_message, &message) && message.data;
  if (!is_json) message = body;
  size_t length = 0;
  for (const uint8_t *at = message.data, *end = message.n ? at + message.n : at;
       at < end && length < n - 1;) {
    char c = is_json && *at == '\\' ? escaped(&at, end) : (char)*at++;
    bool is_space = c == '\n' || c == '\r' || c == '\t' || c == ' ';
    if (is_space && (!length || text[length - 1] == ' ')) continue;
    text[length++] = is_space ? ' ' : c > 0x20 && c < 0x7f ? c : '?';
  }
  while (length && text[length - 1] == ' ') length--;
  text[length] = 0;
  return text;
}
