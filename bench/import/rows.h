// The rows of a file or of standard input: lines, or CSV records, which may span lines. Memory: a buffer that grows to the
// longest row. One thread.
#ifndef SP_IMPORT_ROWS_H
#define SP_IMPORT_ROWS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

#define SP_ROW_BYTES_MAX ((size_t)8 << 20)

enum sp_row_kind {
  SP_ROWS_LINES, // each ends with LF or CR LF
  SP_ROWS_CSV,   // RFC 4180 read as Python's csv module does: CR, LF or CR LF end a record outside quotes
};

struct sp_row {
  struct sp_bytes bytes; // as in the file, without the line end; never empty
  uint64_t line_number;  // where it starts, from 1
};

struct sp_rows;

// `path` "-": standard input. `stop` (NULL: never): reading fails with "interrupted" once it is not zero. A byte order mark
// at the start of the file is left out. SP_ERR_ENVIRONMENT if it cannot be opened.
enum sp_err sp_rows_new(const char *path, enum sp_row_kind kind, const volatile sig_atomic_t *stop,
                        struct sp_rows **rows, struct sp_error *error);
// *row is valid until the next call. Lines that are blank (for CSV: empty) are left out and counted. SP_ERR_ENVIRONMENT
// with the line: unreadable, a row above SP_ROW_BYTES_MAX, a file that ends inside quotes.
enum sp_err sp_rows_next(struct sp_rows *rows, struct sp_row *row, bool *end, struct sp_error *error);
void sp_rows_free(struct sp_rows *rows); // NULL is allowed

const char *sp_rows_name(const struct sp_rows *rows);    // for messages: the path, or "standard input"
uint64_t sp_rows_n_bytes(const struct sp_rows *rows);    // read so far
uint64_t sp_rows_file_bytes(const struct sp_rows *rows); // of the whole file; 0 where unknown
uint64_t sp_rows_n_blank(const struct sp_rows *rows);
bool sp_rows_had_mark(const struct sp_rows *rows);    // a byte order mark was left out
bool sp_rows_end_in_crlf(const struct sp_rows *rows); // the first row did

#endif
