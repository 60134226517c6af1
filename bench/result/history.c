// The history file: one JSON object a line, appended under a lock.
#include "result/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text_stream.h"
#include "result/document.h"
#include "result/tables.h"

static const struct sp_field line_fields[] = {
    SCHEMA(SP_HISTORY_SCHEMA),
    NEEDED("at", TEXT, sp_history_line, at),
    NEEDED("id", TEXT, sp_history_line, id),
    FIELD("verb", TEXT, sp_history_line, verb),
    NEEDED("case", TEXT, sp_history_line, case_name),
    NEEDED("side", TEXT, sp_history_line, side),
    FIELD("fingerprint", TEXT, sp_history_line, fingerprint),
    FIELD("load_digest", TEXT, sp_history_line, load_digest),
    FIELD("build", TEXT, sp_history_line, build),
    FIELD("verdict", TEXT, sp_history_line, verdict),
    CUSTOM("tags", facts, sp_history_line, tags),
    NEEDED_CUSTOM("metrics", facts, sp_history_line, metrics),
    FIELD("trials", COUNT, sp_history_line, n_trials),
    {0},
};

static const struct sp_document line_document = {
    .fields = line_fields,
    .flags = JSON_COMPACT,
    .broken = "not a line of a history",
    .remedy = "take it out",
};

struct sp_history_line *sp_history_line(struct sp_history *history) {
  history->lines = sp_realloc(history->lines, (history->n + 1) * sizeof *history->lines);
  struct sp_history_line *line = &history->lines[history->n++];
  *line = (struct sp_history_line){0};
  return line;
}

static void line_done(struct sp_history_line *line) {
  char *const texts[] = {line->at,          line->id,          line->verb,  line->case_name, line->side,
                         line->fingerprint, line->load_digest, line->build, line->verdict};
  for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) free(texts[k]);
  sp_facts_done(&line->tags);
  sp_facts_done(&line->metrics);
}

void sp_history_done(struct sp_history *history) {
  for (size_t i = 0; i < history->n; i++) line_done(&history->lines[i]);
  free(history->lines);
  *history = (struct sp_history){0};
}

// --- Appending ---

static char *text_of(const struct sp_history *history) {
  struct sp_text_stream text;
  FILE *to = sp_text_stream_open(&text);
  for (size_t i = 0; i < history->n; i++) {
    char *line = sp_document_text(&line_document, &history->lines[i]);
    fputs(line, to);
    free(line);
  }
  return sp_text_stream_close(&text);
}

static enum sp_err fail_write(const char *path, struct sp_error *error) {
  return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot append to %s (%s); name another with --history FILE",
                 path, strerror(errno));
}

// Whether the file ends in the middle of a line: another program's, or one that a full disk cut off.
static bool is_broken_off(int fd, off_t n_bytes) {
  char last = '\n';
  return n_bytes > 0 && pread(fd, &last, 1, n_bytes - 1) == 1 && last != '\n';
}

// Under the lock: all of it, or nothing.
static enum sp_err append_locked(int fd, const char *path, const char *text, struct sp_error *error) {
  struct stat facts;
  if (fstat(fd, &facts) != 0) return fail_write(path, error);
  char *whole = sp_format("%s%s", is_broken_off(fd, facts.st_size) ? "\n" : "", text);
  size_t n = strlen(whole);
  ssize_t n_written = write(fd, whole, n);
  free(whole);
  if (n_written == (ssize_t)n) return SP_OK;
  if (n_written >= 0) errno = ENOSPC;
  int why = errno;
  if (n_written > 0 && ftruncate(fd, facts.st_size) != 0) why = errno;
  errno = why;
  return fail_write(path, error);
}

enum sp_err sp_history_append(const char *path, const struct sp_history *history, struct sp_error *error) {
  int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) return fail_write(path, error);
  char *text = text_of(history);
  enum sp_err err = flock(fd, LOCK_EX) == 0 ? append_locked(fd, path, text, error) : fail_write(path, error);
  free(text);
  if (close(fd) != 0 && !err) err = fail_write(path, error); // the lock goes with it
  return err;
}

// --- Reading ---

static enum sp_err read_line(const char *text, size_t n, const char *path, size_t line_i,
                             struct sp_history *history, struct sp_error *error) {
  if (strspn(text, " \t\r\n") >= n) return SP_OK;
  char *place = sp_format("%s:%zu", path, line_i);
  struct sp_history_line line = {0};
  enum sp_err err = sp_document_parse(&line_document, text, n, place, &line, error);
  if (err)
    line_done(&line);
  else
    *sp_history_line(history) = line;
  free(place);
  return err;
}

enum sp_err sp_history_read(const char *path, struct sp_history *history, struct sp_error *error) {
  FILE *file = fopen(path, "re");
  if (!file)
    return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot read %s (%s); servepath gate and compare write it",
                   path, strerror(errno));
  char *line = NULL;
  size_t n_room = 0, line_i = 0;
  enum sp_err err = SP_OK;
  for (ssize_t n; !err && (n = getline(&line, &n_room, file)) >= 0;)
    err = read_line(line, (size_t)n, path, ++line_i, history, error);
  if (!err && ferror(file)) err = sp_fail(error, SP_ERR_ENVIRONMENT, "cannot read all of %s", path);
  free(line);
  fclose(file);
  return err;
}

// --- What a load is ---

static int compare_facts(const void *left, const void *right) {
  const struct sp_fact *const *a = left, *const *b = right;
  return strcmp((*a)->name, (*b)->name);
}

static void put_fact(FILE *to, const struct sp_fact *fact) {
  fprintf(to, "%s=", fact->name);
  if (fact->kind == SP_FACT_REAL)
    fprintf(to, "%.17g\n", fact->real);
  else if (fact->kind == SP_FACT_COUNT || fact->kind == SP_FACT_FLAG)
    fprintf(to, "%lld\n", (long long)fact->count);
  else
    fprintf(to, "%s\n", fact->text ? fact->text : "");
}

void sp_load_digest(const struct sp_facts *recording, const struct sp_facts *broker,
                    const struct sp_facts *load, char text[SP_DIGEST_TEXT_BYTES]) {
  struct sp_text_stream all;
  FILE *to = sp_text_stream_open(&all);
  fprintf(to, "recording=%s\n", sp_facts_text_of(recording, "digest", ""));
  fprintf(to, "broker=%s %s\n", sp_facts_text_of(broker, "kind", "none"),
          sp_facts_text_of(broker, "version", ""));
  const struct sp_fact **sorted = sp_alloc((load->n + 1) * sizeof(struct sp_fact *));
  for (size_t i = 0; i < load->n; i++) sorted[i] = &load->items[i];
  if (load->n) qsort(sorted, load->n, sizeof(struct sp_fact *), compare_facts);
  for (size_t i = 0; i < load->n; i++) {
    bool is_own = strcmp(sorted[i]->name, "seed") == 0 || strcmp(sorted[i]->name, "start_at") == 0;
    if (!is_own) put_fact(to, sorted[i]);
  }
  free(sorted);
  char *whole = sp_text_stream_close(&all);
  sp_digest_bytes(sp_bytes_of(whole, all.n), text);
  free(whole);
}
