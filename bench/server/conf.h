// What a side may say about the reference model server that a trial spawns; the same keys are the flags of
// `servepath model-server` (delay_log: --delay-log).
#ifndef SP_SERVER_CONF_H
#define SP_SERVER_CONF_H

#include "base/conf.h"

enum sp_stub { SP_STUB_NONE, SP_STUB_RECORDED, SP_STUB_FIXED, SP_STUB_ECHO };

struct sp_server_conf {
  uint64_t threads; // threads that serve and infer
  char *engine;
  uint64_t max_batch; // rows of one request at most
  int stub;           // enum sp_stub: answers without any engine
  double fixed_value; // stub fixed: every element of every output
  char *delay;        // delay.h; NULL: none
  char *fail;         // fail.h; NULL: none
  uint64_t seed;      // of delays and failures
  char *delay_log;    // file that gets every delay as done; NULL: none
};
extern const struct sp_table sp_server_table; // struct sp_server_conf

#endif
