// Rows cross from the collector to the control thread in a ring; the control thread formats and compresses them.
#include "result/raw.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/ring.h"

#define RING_ROWS     65536
#define TEXT_BYTES    65536
#define ROW_BYTES_MAX 256

struct row {
  uint64_t event;
  enum sp_outcome outcome;
  struct sp_stamps stamps;
};

struct sp_raw {
  struct sp_ring rows;
  _Atomic int64_t n_dropped;
  int64_t origin_ns;
  char *path;
  FILE *file;
  ZSTD_CCtx *zstd;
  int write_errno;
  size_t n_text;
  char text[TEXT_BYTES];
  char packed[TEXT_BYTES];
};

static void compress(struct sp_raw *raw, ZSTD_EndDirective how) {
  ZSTD_inBuffer in = {raw->text, raw->n_text, 0};
  for (size_t left = 1; left || in.pos < in.size;) {
    ZSTD_outBuffer out = {raw->packed, sizeof raw->packed, 0};
    left = ZSTD_compressStream2(raw->zstd, &out, &in, how);
    SP_ASSERT(!ZSTD_isError(left));
    if (out.pos && fwrite(raw->packed, 1, out.pos, raw->file) != out.pos) raw->write_errno = errno;
    if (how == ZSTD_e_continue && in.pos == in.size) break;
  }
  raw->n_text = 0;
}

static void add_text(struct sp_raw *raw, const char *text) {
  size_t n = strlen(text);
  memcpy(raw->text + raw->n_text, text, n);
  raw->n_text += n;
}

static void add_stamp(struct sp_raw *raw, int64_t at_ns) {
  char text[32] = ",";
  if (at_ns) snprintf(text, sizeof text, ",%" PRId64, at_ns - raw->origin_ns);
  add_text(raw, text);
}

static void add_row(struct sp_raw *raw, const struct row *row) {
  if (raw->n_text + ROW_BYTES_MAX + 64 > sizeof raw->text) compress(raw, ZSTD_e_continue);
  char text[64];
  snprintf(text, sizeof text, "%" PRIu64 ",%s", row->event, sp_outcome_name(row->outcome));
  add_text(raw, text);
  const struct sp_stamps *s = &row->stamps;
  struct sp_stamps ours;
  if (sp_stamps_are_elsewhere(s)) { // durations on another clock are no instants on this one
    ours = (struct sp_stamps){.intended_ns = s->intended_ns,
                              .sent_ns = s->sent_ns,
                              .done_ns = s->done_ns,
                              .server_ns = s->server_ns};
    s = &ours;
  }
  const int64_t stamps[] = {s->intended_ns,   s->sent_ns,     s->held_ns,    s->taken_ns,
                            s->dispatched_ns, s->answered_ns, s->encoded_ns, s->done_ns};
  for (size_t i = 0; i < sizeof stamps / sizeof stamps[0]; i++) add_stamp(raw, stamps[i]);
  snprintf(text, sizeof text, s->server_ns < 0 ? ",\n" : ",%" PRId64 "\n", s->server_ns);
  add_text(raw, text);
}

enum sp_err sp_raw_open(const char *path, int64_t origin_ns, struct sp_raw **result, struct sp_error *error) {
  FILE *file = fopen(path, "wb");
  if (!file) return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot write %s (%s)", path, strerror(errno));
  struct sp_raw *raw = aligned_alloc(64, (sizeof *raw + 63) / 64 * 64);
  SP_ASSERT(raw != NULL);
  memset(raw, 0, sizeof *raw);
  sp_ring_init(&raw->rows, RING_ROWS, sizeof(struct row));
  raw->origin_ns = origin_ns;
  raw->path = sp_copy_text(path);
  raw->file = file;
  raw->zstd = ZSTD_createCCtx();
  SP_ASSERT(raw->zstd != NULL);
  add_text(raw, "event,outcome,intended_ns,sent_ns,held_ns,taken_ns,dispatched_ns,answered_ns,encoded_ns,"
                "done_ns,server_ns\n");
  *result = raw;
  return SP_OK;
}

void sp_raw_push(struct sp_raw *raw, uint64_t event, enum sp_outcome outcome,
                 const struct sp_stamps *stamps) {
  struct row *row = sp_ring_claim(&raw->rows);
  if (!row) {
    atomic_fetch_add_explicit(&raw->n_dropped, 1, memory_order_relaxed);
    return;
  }
  *row = (struct row){event, outcome, *stamps};
  sp_ring_commit(row);
}

void sp_raw_drain(struct sp_raw *raw) {
  for (struct row *row; (row = sp_ring_take(&raw->rows)) != NULL;) {
    add_row(raw, row);
    sp_ring_release(&raw->rows, row);
  }
}

enum sp_err sp_raw_close(struct sp_raw *raw, struct sp_error *error) {
  if (!raw) return SP_OK;
  sp_raw_drain(raw);
  compress(raw, ZSTD_e_end);
  if (fclose(raw->file) != 0) raw->write_errno = errno;
  enum sp_err err = SP_OK;
  int64_t n_dropped = atomic_load(&raw->n_dropped);
  if (raw->write_errno) {
    err = sp_fail(error, SP_ERR_ENVIRONMENT, "cannot write %s (%s); free some space or use --out", raw->path,
                  strerror(raw->write_errno));
  } else if (n_dropped) {
    err = sp_fail(error, SP_ERR_ENVIRONMENT,
                  "%s misses %" PRId64 " rows: the disk was too slow; use a lower --rate or no --raw",
                  raw->path, n_dropped);
  }
  ZSTD_freeCCtx(raw->zstd);
  sp_ring_done(&raw->rows);
  free(raw->path);
  free(raw);
  return err;
}
