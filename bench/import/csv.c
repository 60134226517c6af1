// The state machine of a CSV record.
#include "import/csv.h"

// The state after one byte, which is not a line end outside quotes.
static inline enum sp_csv_state step(enum sp_csv_state state, uint8_t byte) {
  switch (state) {
  case SP_CSV_START: return byte == '"' ? SP_CSV_IN_QUOTES : byte == ',' ? SP_CSV_START : SP_CSV_IN_FIELD;
  case SP_CSV_IN_FIELD: return byte == ',' ? SP_CSV_START : SP_CSV_IN_FIELD;
  case SP_CSV_IN_QUOTES: return byte == '"' ? SP_CSV_AFTER_QUOTE : SP_CSV_IN_QUOTES;
  case SP_CSV_AFTER_QUOTE:
    return byte == '"' ? SP_CSV_IN_QUOTES : byte == ',' ? SP_CSV_START : SP_CSV_IN_FIELD;
  }
  return state;
}

size_t sp_csv_find_end(enum sp_csv_state *state, const uint8_t *bytes, size_t n) {
  enum sp_csv_state now = *state;
  size_t i = 0;
  for (; i < n; i++) {
    if (now != SP_CSV_IN_QUOTES && (bytes[i] == '\n' || bytes[i] == '\r')) break;
    now = step(now, bytes[i]);
  }
  *state = now;
  return i;
}

size_t sp_csv_fields(struct sp_bytes record, struct sp_bytes *fields, size_t max) {
  enum sp_csv_state state = SP_CSV_START;
  size_t n_fields = 0, start = 0;
  for (size_t i = 0; i <= record.n; i++) {
    bool ends = i == record.n || (record.data[i] == ',' && state != SP_CSV_IN_QUOTES);
    if (ends) {
      if (n_fields < max) fields[n_fields] = sp_bytes_of(record.data + start, i - start);
      n_fields++;
      start = i + 1;
    }
    if (i < record.n) state = step(state, record.data[i]);
  }
  return n_fields;
}

size_t sp_csv_unquote(struct sp_bytes field, uint8_t *out) {
  size_t n = 0;
  if (field.n == 0 || field.data[0] != '"') {
    if (field.n > 0) memcpy(out, field.data, field.n);
    return field.n;
  }
  enum sp_csv_state state = SP_CSV_IN_QUOTES;
  for (size_t i = 1; i < field.n; i++) {
    uint8_t byte = field.data[i];
    // Of a quote inside quotes it is the next byte that says whether it stands for itself.
    bool closes = state == SP_CSV_IN_QUOTES && byte == '"';
    if (!closes) out[n++] = byte;
    state = step(state, byte);
  }
  return n;
}
