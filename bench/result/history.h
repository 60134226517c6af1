// results/history.jsonl: a line for each side that a gate, a compare or a search judged, in order of time (servepath.history/1). Series of a
// metric are lines of one case, side, load digest and fingerprint. Absent: NULL for texts. One thread; writers of several processes
// take turns by a lock on the file.
#ifndef SP_RESULT_HISTORY_H
#define SP_RESULT_HISTORY_H

#include "base/digest.h"
#include "result/result.h"

#define SP_HISTORY_SCHEMA "servepath.history/1"
#define SP_HISTORY_FILE   "results/history.jsonl"

struct sp_history_line {
  char *at;                        // RFC 3339, UTC: when it started
  char *id;                        // of the comparison
  char *verb;                      // "gate", "compare", "search"
  char *case_name, *side;          // as the results name them
  char *fingerprint, *load_digest; // see sp_machine_fingerprint, sp_load_digest
  char *build;                     // version of what was measured
  char *verdict;                   // "pass", "fail", "inconclusive", "no-baseline" of a gate; NULL of others
  struct sp_facts tags;
  // Name -> median over the trials that count, in the metric's unit; REAL. Of a search "sustainable", events per second.
  struct sp_facts metrics;
  int64_t n_trials; // that count
};
struct sp_history {
  struct sp_history_line *lines;
  size_t n;
};

// Adds a line at the end, to fill; valid until the next is added.
struct sp_history_line *sp_history_line(struct sp_history *history);
void sp_history_done(struct sp_history *history); // zeroed is allowed

// Appends all of them in a single write; the file is made, its folder is not. A file whose last line was broken off gets a
// line end first. SP_ERR_ENVIRONMENT: cannot be written (then nothing was added), disk full.
enum sp_err sp_history_append(const char *path, const struct sp_history *history, struct sp_error *error);
// Adds the lines of a file; blank ones are left out. SP_ERR_ENVIRONMENT naming file and line: unreadable, not JSON, another schema, a
// field of another type. Texts come as they are in the file: clean them before printing.
enum sp_err sp_history_read(const char *path, struct sp_history *history, struct sp_error *error);

// Digest of what makes two loads the same but for their seed: recording, broker, arrival, rate, duration...
void sp_load_digest(const struct sp_facts *recording, const struct sp_facts *broker,
                    const struct sp_facts *load, char text[SP_DIGEST_TEXT_BYTES]);

#endif
