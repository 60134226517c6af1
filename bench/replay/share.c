// Which events and partitions are this driver's own.
#include "replay/share.h"

#include <stdlib.h>

#include "stream/kafka.h"

static void take_partitions(struct sp_share *share, struct sp_shard shard, uint32_t n_partitions) {
  share->partitions = sp_alloc((n_partitions + 1) * sizeof *share->partitions);
  for (uint32_t p = shard.number - 1; p < n_partitions; p += shard.of)
    share->partitions[share->n_partitions++] = (int32_t)p;
}

// Before the trial, so that the pacer only looks it up.
static void take_events(struct sp_share *share, struct sp_shard shard, const struct sp_schedule *schedule,
                        const struct sp_recording *recording, uint32_t n_partitions) {
  share->is_own = sp_alloc(schedule->n_events);
  for (size_t i = 0; i < schedule->n_events; i++) {
    const struct sp_event *event = &recording->events[i % recording->n_events];
    uint32_t partition = (uint32_t)sp_partition_of(event->key, i, n_partitions);
    share->is_own[i] = partition % shard.of == shard.number - 1;
    share->n_own += share->is_own[i];
    if (i < schedule->n_warmup) share->n_own_warmup += share->is_own[i];
  }
}

enum sp_err sp_share_init(struct sp_share *share, struct sp_shard shard, const struct sp_schedule *schedule,
                          const struct sp_recording *recording, uint32_t n_partitions,
                          struct sp_error *error) {
  *share = (struct sp_share){.n_own = schedule->n_events, .n_own_warmup = schedule->n_warmup};
  if (shard.of == 1) return SP_OK;
  SP_ASSERT(schedule->intended_ns && shard.number >= 1 && shard.number <= shard.of);
  share->n_own = share->n_own_warmup = 0;
  take_partitions(share, shard, n_partitions);
  take_events(share, shard, schedule, recording, n_partitions);
  if (share->n_partitions && share->n_own > share->n_own_warmup) return SP_OK;
  return sp_fail(
      error, SP_ERR_USAGE,
      "load.shard: no event of the window falls into the %zu of %u partitions of shard %u/%u; use a "
      "longer duration, more keys or fewer shards",
      share->n_partitions, n_partitions, shard.number, shard.of);
}

void sp_share_done(struct sp_share *share) {
  free(share->is_own);
  free(share->partitions);
  *share = (struct sp_share){0};
}
