// The histograms of several shards added up, with the seconds in which their large values fell.
#ifndef SP_RESULT_POOL_H
#define SP_RESULT_POOL_H

#include "result/result.h"

#define SP_POOL_SECONDS 7200 // later ones share the last place

struct sp_pool {
  struct sp_histogram totals[SP_SERIES_COUNT];
  struct sp_histogram *seconds; // responses by second since the schedule's origin, n_seconds of them
  size_t n_seconds;
  int64_t (*second_max)[SP_SERIES_COUNT]; // largest value of each second, -1: none; SP_POOL_SECONDS
};

void sp_pool_init(struct sp_pool *pool);
void sp_pool_done(struct sp_pool *pool);
// Adds what FOLDER/latency.hlog and the shard's own result hold. SP_ERR_ENVIRONMENT: damaged, or the two disagree.
enum sp_err sp_pool_add(struct sp_pool *pool, const char *folder, const struct sp_result *shard,
                        struct sp_error *error);
// Percentile i of a series by the rule of DESIGN §3.4, n_above events ranking above all; as sp_meter_percentile.
int64_t sp_pool_percentile(const struct sp_pool *pool, enum sp_series series, int i, int64_t n_above,
                           enum sp_percentile_state *state);

#endif
