// A file of rows to a recording and back: CSV, JSON lines, the envelopes of `kcat -J`. Streaming: memory does not grow with
// the file. One thread.
#ifndef SP_IMPORT_IMPORT_H
#define SP_IMPORT_IMPORT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/err.h"
#include "import/when.h"

enum sp_import_format { SP_IMPORT_CSV, SP_IMPORT_JSONL, SP_IMPORT_KCAT };
#define SP_IMPORT_FORMATS "csv jsonl kcat" // the names, in that order

// Called now and then: bytes read of a total (0: unknown), events so far.
typedef void sp_import_progress(void *context, uint64_t n_bytes, uint64_t total_bytes, uint64_t n_events);

// What goes in is borrowed for the call; texts may be NULL where nothing is said.
struct sp_import_conf {
  const char *input;  // "-": standard input
  const char *output; // the recording; replaces an older one when all went well
  enum sp_import_format format;
  bool has_header_row; // csv: the first row names the columns
  // Columns by name, or by number from 1; JSON pointers for the other formats.
  const char *key;
  const char *time; // NULL: even spacing at `rate`, and times are not real; kcat: its ts unless rate is given
  const char *columns; // csv: "A,B,C": the value is these columns, in this order, as they stand
  const char *value;   // a JSON pointer; a string's value is what it says
  enum sp_when_unit time_unit;
  struct sp_rate rate; // {0, 0}: not given, 1000/s
  uint64_t limit;      // events at most; 0: all
  bool sort;           // rows may come in any order: sorted by time, equal times in the file's order
  bool skip_bad;       // rows that cannot be mapped are left out and counted
  const char *name, *source, *licence, *note, *content_type;
  sp_import_progress *progress; // NULL: none
  void *progress_context;
  const volatile sig_atomic_t *stop; // NULL: never; not zero ends the call
};

struct sp_import_report {
  uint64_t n_events, n_bytes; // bytes of the input
  uint64_t n_blank;           // lines left out because they were empty
  uint64_t n_skipped;         // rows left out by skip_bad
  char first_skipped[256];    // why the first was
  int64_t duration_ns;        // from first event to last
  bool times_are_real;
};

// SP_ERR_USAGE: an option that the format does not have, or a column that the file does not have. SP_ERR_ENVIRONMENT: the
// input cannot be read, mapped or put in time order (naming FILE:LINE), or the output cannot be written. On failure no
// output is left.
enum sp_err sp_import(const struct sp_import_conf *conf, struct sp_import_report *report,
                      struct sp_error *error);

struct sp_export_conf {
  const char *input;  // a recording
  const char *output; // NULL or "-": standard output; a file is replaced when all went well
  enum sp_import_format format;
  uint64_t limit; // 0: all
  sp_import_progress *progress;
  void *progress_context;
  const volatile sig_atomic_t *stop;
};

// Writes each value as a row: what sp_import made of a file comes out as that file, but for empty lines, a missing last line
// end, and line ends that differ from the first. kcat carries keys, headers, times (with "ts_ns" where they are finer than
// a millisecond) and any bytes; the other formats refuse an event that would not be read back as it is.
enum sp_err sp_export(const struct sp_export_conf *conf, uint64_t *n_events, struct sp_error *error);

#endif
