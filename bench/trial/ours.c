#include "trial/ours.h"

bool sp_apps_are_ours(const struct sp_scenario *scenario, const struct sp_side *side) {
  struct sp_shard shard = {1, 1};
  if (scenario->stream.transport != SP_TRANSPORT_KAFKA || scenario->load.only != SP_ONLY_BOTH) return false;
  if (scenario->load.shard && sp_shard_parse(scenario->load.shard, &shard, NULL)) return false;
  return side->app.apps > 0 && shard.number == 1;
}

char *sp_apps_own_group(const char *run_id) {
  return sp_format("sp-%.8s-app", run_id);
}
