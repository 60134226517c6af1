// events.csv.zst: a row per event of the window with every stamp, so that each percentile can be recomputed by others.
// Columns: event,outcome,intended_ns,sent_ns,held_ns,taken_ns,dispatched_ns,answered_ns,encoded_ns,done_ns,server_ns; stamps
// are relative to the schedule's origin, empty where the event did not come so far, and where they are those of another clock.
#ifndef SP_RESULT_RAW_H
#define SP_RESULT_RAW_H

#include <stdint.h>

#include "base/err.h"
#include "base/outcome.h"
#include "meter/stamps.h"

struct sp_raw;
// Makes the file; rows hold instants from origin_ns (CLOCK_MONOTONIC) on. SP_ERR_ENVIRONMENT: it cannot be made.
enum sp_err sp_raw_open(const char *path, int64_t origin_ns, struct sp_raw **raw, struct sp_error *error);
// Collector thread: never blocks; a row that finds no room is counted and makes sp_raw_close fail.
void sp_raw_push(struct sp_raw *raw, uint64_t event, enum sp_outcome outcome, const struct sp_stamps *stamps);
// Control thread, several times a second: compresses and writes what was pushed.
void sp_raw_drain(struct sp_raw *raw);
// Drains and closes. SP_ERR_ENVIRONMENT: disk full, rows dropped. NULL is allowed.
enum sp_err sp_raw_close(struct sp_raw *raw, struct sp_error *error);

#endif
