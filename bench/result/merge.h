// Results of the shards of one load (`run --shard I/N`) become one result.
#ifndef SP_RESULT_MERGE_H
#define SP_RESULT_MERGE_H

#include "result/result.h"

// Reads the n folders (result.json and latency.hlog), checks that they are shards 1..N of N of one load, and adds them up:
// counts, errors, histograms, timeline and CPU; a process that several shards saw is counted once. Percentiles are those of
// the merged histograms. The stage means above p99 are null: the merged p99 is known only after the shards have ended. The
// result is valid where every shard is; each check and reason names its shard. Writes out_dir/result.json and latency.hgrm.
// SP_ERR_USAGE: a shard is missing or there twice, or they are no shards of one load (recording, side, rate, seed, model...),
// or their windows differ by over 1 %. SP_ERR_ENVIRONMENT: files, or a shard is incomplete. *merged: sp_result_free.
enum sp_err sp_result_merge(const char *const *folders, size_t n, const char *out_dir, int argc, char **argv,
                            struct sp_result **merged, struct sp_error *error);

#endif
