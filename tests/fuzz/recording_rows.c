// Fuzz target: any bytes as CSV, as JSON, as an instant, and as something to show. Run by tests/fuzz/recording.sh.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "import/csv.h"
#include "import/describe.h"
#include "import/json.h"
#include "import/when.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void require(bool condition) {
  if (!condition) abort();
}

// A record found in two pieces is the record found at once; its fields lie inside it and fill it.
static void try_csv(struct sp_bytes bytes, size_t cut, uint8_t *out) {
  enum sp_csv_state whole = SP_CSV_START, pieces = SP_CSV_START;
  size_t end = sp_csv_find_end(&whole, bytes.data, bytes.n);
  size_t first = sp_csv_find_end(&pieces, bytes.data, cut);
  if (first == cut) first += sp_csv_find_end(&pieces, bytes.data + cut, bytes.n - cut);
  require(first == end && whole == pieces);
  struct sp_bytes fields[8];
  size_t n_fields = sp_csv_fields(sp_bytes_of(bytes.data, end), fields, 8), n_bytes = n_fields - 1;
  for (size_t i = 0; i < n_fields && i < 8; i++) {
    n_bytes += fields[i].n;
    require(sp_csv_unquote(fields[i], out) <= fields[i].n);
  }
  require(n_fields > 8 || n_bytes == end);
}

static void try_json(struct sp_bytes bytes, uint8_t *out) {
  struct sp_span value, name, member, found;
  size_t at;
  bool read = sp_span_read(bytes, &value, &at);
  require(at <= bytes.n);
  if (!read) return;
  // What was taken out reads as the same again.
  require(sp_span_read(value.bytes, &found, &at) && sp_bytes_equal(found.bytes, value.bytes));
  struct sp_span_walk walk = sp_span_walk_of(value);
  while (sp_span_walk_next(&walk, &name, &member)) {
    require(sp_span_read(member.bytes, &found, &at));
    if (walk.is_object) require(sp_span_unescape(name, out) <= name.bytes.n);
    if (member.kind == SP_SPAN_STRING) require(sp_span_unescape(member, out) <= member.bytes.n);
  }
  sp_span_find(value, "/a/0/b~1c", &found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  if (n == 0 || n > 100000) return 0;
  // Of its own size, so that sanitizers see a read past its end.
  uint8_t *copy = malloc(n), *out = malloc(n);
  memcpy(copy, data, n);
  struct sp_bytes bytes = sp_bytes_of(copy, n);
  try_csv(bytes, data[0] % n, out);
  try_json(bytes, out);
  int64_t ns;
  for (int unit = SP_WHEN_S; unit <= SP_WHEN_ISO8601; unit++)
    sp_when_parse(bytes, (enum sp_when_unit)unit, &ns);
  char *text = sp_printable(copy, n, data[0]);
  require(strlen(text) <= (size_t)data[0] + strlen("…"));
  for (const char *at = text; *at; at++) require((unsigned char)*at >= 0x20 && *at != 0x7f);
  free(text);
  free(copy);
  free(out);
  return 0;
}
