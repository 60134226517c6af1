// Names of the stages, as results print them.
#include "meter/stamps.h"

#include "base/err.h"

const char *sp_stage_name(enum sp_stage stage) {
  static const char *const names[SP_STAGE_COUNT] = {"lateness", "inbound",  "queue",   "decode", "predict",
                                                    "encode",   "outbound", "transit", "server", "rpc_other"};
  SP_ASSERT(stage < SP_STAGE_COUNT);
  return names[stage];
}
