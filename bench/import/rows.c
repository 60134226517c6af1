// Reads rows through one growing buffer.
#include "import/rows.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "import/csv.h"

#define BUFFER_BYTES ((size_t)256 << 10)

struct sp_rows {
  char *name;
  int file;
  bool is_stdin;
  enum sp_row_kind kind;
  const volatile sig_atomic_t *stop;
  uint8_t *buffer; // bytes in [start, end) are not given yet; the row's end was not found before `scanned`
  size_t capacity, start, scanned, end;
  enum sp_csv_state state;
  uint64_t n_bytes, file_bytes, n_blank;
  uint64_t line_number; // of `start`
  bool file_ended, had_mark, crlf_is_known, end_in_crlf;
};

enum sp_err sp_rows_new(const char *path, enum sp_row_kind kind, const volatile sig_atomic_t *stop,
                        struct sp_rows **out, struct sp_error *error) {
  *out = NULL;
  bool is_stdin = strcmp(path, "-") == 0;
  int file = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot open %s (%s)", path, strerror(errno));
  struct sp_rows *rows = sp_alloc(sizeof *rows);
  *rows = (struct sp_rows){
      .name = sp_copy_text(is_stdin ? "standard input" : path),
      .file = file,
      .is_stdin = is_stdin,
      .kind = kind,
      .stop = stop,
      .buffer = sp_alloc(BUFFER_BYTES),
      .capacity = BUFFER_BYTES,
      .line_number = 1,
  };
  struct stat facts;
  if (fstat(file, &facts) == 0 && S_ISREG(facts.st_mode)) rows->file_bytes = (uint64_t)facts.st_size;
  *out = rows;
  return SP_OK;
}

void sp_rows_free(struct sp_rows *rows) {
  if (!rows) return;
  if (!rows->is_stdin) close(rows->file);
  free(rows->buffer);
  free(rows->name);
  free(rows);
}

static void make_room(struct sp_rows *rows) {
  if (rows->start > 0) {
    memmove(rows->buffer, rows->buffer + rows->start, rows->end - rows->start);
    rows->scanned -= rows->start;
    rows->end -= rows->start;
    rows->start = 0;
  }
  if (rows->end < rows->capacity) return;
  rows->capacity *= 2;
  rows->buffer = sp_realloc(rows->buffer, rows->capacity);
}

// More bytes behind `end`, or file_ended.
static enum sp_err read_more(struct sp_rows *rows, struct sp_error *error) {
  if (rows->end - rows->start > SP_ROW_BYTES_MAX) {
    const char *why = rows->kind == SP_ROWS_CSV ? "; a quote that opens there may have no partner" : "";
    return sp_fail(error, SP_ERR_ENVIRONMENT, "%s:%llu: the row that starts here is longer than %zu MiB%s",
                   rows->name, (unsigned long long)rows->line_number, SP_ROW_BYTES_MAX >> 20, why);
  }
  make_room(rows);
  ssize_t n;
  do {
    if (rows->stop && *rows->stop) return sp_fail(error, SP_ERR_ENVIRONMENT, "%s: interrupted", rows->name);
    n = read(rows->file, rows->buffer + rows->end, rows->capacity - rows->end);
  } while (n < 0 && errno == EINTR);
  if (n < 0) return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot read %s (%s)", rows->name, strerror(errno));
  rows->end += (size_t)n;
  rows->n_bytes += (uint64_t)n;
  rows->file_ended = n == 0;
  return SP_OK;
}

static enum sp_err skip_mark(struct sp_rows *rows, struct sp_error *error) {
  while (rows->end < 3 && !rows->file_ended) {
    enum sp_err err = read_more(rows, error);
    if (err) return err;
  }
  rows->had_mark = rows->end >= 3 && memcmp(rows->buffer, "\xef\xbb\xbf", 3) == 0;
  if (rows->had_mark) rows->start = rows->scanned = 3;
  return SP_OK;
}

// The index of the next line end at or after `scanned`, or `end`.
static size_t find_end(struct sp_rows *rows) {
  const uint8_t *from = rows->buffer + rows->scanned;
  size_t n = rows->end - rows->scanned;
  if (rows->kind == SP_ROWS_CSV) return rows->scanned + sp_csv_find_end(&rows->state, from, n);
  const uint8_t *found = n > 0 ? memchr(from, '\n', n) : NULL;
  return found ? (size_t)(found - rows->buffer) : rows->end;
}

// Moves behind the line end at rows->buffer[at]; CR LF counts as one.
static enum sp_err pass_line_end(struct sp_rows *rows, size_t at, bool *is_crlf, struct sp_error *error) {
  *is_crlf = false;
  size_t next = at + 1;
  if (rows->buffer[at] == '\r') {
    size_t row_bytes = at - rows->start;
    while (next == rows->end && !rows->file_ended) {
      // The buffer may move under the row.
      enum sp_err err = read_more(rows, error);
      if (err) return err;
      next = rows->start + row_bytes + 1;
    }
    *is_crlf = next < rows->end && rows->buffer[next] == '\n';
    if (*is_crlf) next++;
  }
  rows->scanned = next;
  rows->state = SP_CSV_START;
  return SP_OK;
}

static uint64_t count_lines(struct sp_bytes bytes) {
  uint64_t n = 0;
  for (const uint8_t *at = bytes.data, *end = at + bytes.n; (at = memchr(at, '\n', (size_t)(end - at))); at++)
    n++;
  return n;
}

static bool is_blank(const struct sp_rows *rows, struct sp_bytes bytes) {
  if (rows->kind == SP_ROWS_CSV) return bytes.n == 0;
  for (size_t i = 0; i < bytes.n; i++) {
    if (bytes.data[i] != ' ' && bytes.data[i] != '\t') return false;
  }
  return true;
}

// One row, blank or not; *end where there is none.
static enum sp_err next_row(struct sp_rows *rows, struct sp_row *row, bool *end, struct sp_error *error) {
  size_t at;
  while ((at = find_end(rows)) == rows->end && !rows->file_ended) {
    rows->scanned = at;
    enum sp_err err = read_more(rows, error);
    if (err) return err;
  }
  *end = at == rows->end && at == rows->start;
  if (*end) return SP_OK;
  size_t n = at - rows->start;
  bool has_line_end = at < rows->end, is_crlf = false;
  if (has_line_end) {
    enum sp_err err = pass_line_end(rows, at, &is_crlf, error);
    if (err) return err;
  } else {
    if (rows->kind == SP_ROWS_CSV && rows->state == SP_CSV_IN_QUOTES) {
      return sp_fail(error, SP_ERR_ENVIRONMENT,
                     "%s:%llu: the file ends inside quotes, in the row that starts here: truncated, "
                     "or a quote without a partner",
                     rows->name, (unsigned long long)rows->line_number);
    }
    rows->scanned = rows->end;
  }
  const uint8_t *bytes = rows->buffer + rows->start;
  if (rows->kind == SP_ROWS_LINES && has_line_end && n > 0 && bytes[n - 1] == '\r') {
    n--;
    is_crlf = true;
  }
  if (has_line_end && !rows->crlf_is_known) {
    rows->crlf_is_known = true;
    rows->end_in_crlf = is_crlf;
  }
  *row = (struct sp_row){.bytes = sp_bytes_of(bytes, n), .line_number = rows->line_number};
  rows->line_number += count_lines(row->bytes) + 1;
  rows->start = rows->scanned;
  return SP_OK;
}

enum sp_err sp_rows_next(struct sp_rows *rows, struct sp_row *row, bool *end, struct sp_error *error) {
  if (rows->n_bytes == 0 && !rows->file_ended) {
    enum sp_err err = skip_mark(rows, error);
    if (err) return err;
  }
  for (;;) {
    enum sp_err err = next_row(rows, row, end, error);
    if (err || *end || !is_blank(rows, row->bytes)) return err;
    rows->n_blank++;
  }
}

const char *sp_rows_name(const struct sp_rows *rows) {
  return rows->name;
}
uint64_t sp_rows_n_bytes(const struct sp_rows *rows) {
  return rows->n_bytes;
}
uint64_t sp_rows_file_bytes(const struct sp_rows *rows) {
  return rows->file_bytes;
}
uint64_t sp_rows_n_blank(const struct sp_rows *rows) {
  return rows->n_blank;
}
bool sp_rows_had_mark(const struct sp_rows *rows) {
  return rows->had_mark;
}
bool sp_rows_end_in_crlf(const struct sp_rows *rows) {
  return rows->end_in_crlf;
}
