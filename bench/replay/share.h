// One driver's share of a load that several drive: the events of every n-th partition, of a schedule that is the same for all.
#ifndef SP_REPLAY_SHARE_H
#define SP_REPLAY_SHARE_H

#include "recording/recording.h"
#include "replay/conf.h"
#include "replay/schedule.h"

struct sp_share {
  uint8_t *is_own; // per event of the schedule; NULL: all are
  size_t n_own, n_own_warmup;
  int32_t *partitions; // that it sends to and collects from; NULL: all
  size_t n_partitions;
};

// Shard I of N has the events whose partition (sp_partition_of) leaves I - 1 when divided by N. `shard` 1/1: all events, and
// nothing is allocated. SP_ERR_USAGE: no event of the window is its own, or it has no partition.
enum sp_err sp_share_init(struct sp_share *share, struct sp_shard shard, const struct sp_schedule *schedule,
                          const struct sp_recording *recording, uint32_t n_partitions,
                          struct sp_error *error);
void sp_share_done(struct sp_share *share); // zeroed is allowed

#endif
