// What a side may say about the reference model server that a trial spawns.
#ifndef SP_SERVER_CONF_H
#define SP_SERVER_CONF_H

#include "base/conf.h"

enum sp_stub { SP_STUB_NONE, SP_STUB_RECORDED, SP_STUB_FIXED, SP_STUB_ECHO };

struct sp_server_conf {
  uint64_t threads;   // threads that serve and infer
  char *engine;
  int stub;           // enum sp_stub: answers without any engine
  char *delay;        // "5ms", "exp:2ms", "uniform:1ms..3ms", "lognormal:median=1ms,p99=10ms", "file:delays.txt"; NULL: none
  char *fail;         // "UNAVAILABLE:1%", "UNAVAILABLE:every=100"; several by comma; NULL: none
  char *delay_log;    // file that gets every delay as done; NULL: none
};
extern const struct sp_table sp_server_table; // struct sp_server_conf

#endif
