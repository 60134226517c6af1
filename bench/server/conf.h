// What a side may say about the reference model server that a trial spawns; the same keys are the flags of
// `servepath model-server` (delay_log: --delay-log).
#ifndef SP_SERVER_CONF_H
#define SP_SERVER_CONF_H

#include "base/conf.h"

enum sp_stub { SP_STUB_NONE, SP_STUB_RECORDED, SP_STUB_FIXED, SP_STUB_ECHO };

struct sp_server_conf {
  uint64_t threads; // threads that serve and infer
  char *engine;
  uint64_t max_batch; // rows of one request, or gathered into one run, at most
  int64_t
      batch_delay_ns; // how long a request may wait for others to be run with; 0: requests are not gathered
  int64_t reload_ns;  // how often the models' folders are looked at for new and gone versions; 0: never
  struct sp_properties labels;              // version labels: name -> version
  char *tls_cert, *tls_key, *tls_client_ca; // PEM files; the last: clients must show a certificate
  char *token;                              // bearer token that every call must carry; NULL: none
  int stub;                                 // enum sp_stub: answers without any engine
  double fixed_value;                       // stub fixed: every element of every output
  char *delay;                              // delay.h; NULL: none
  char *fail;                               // fail.h; NULL: none
  uint64_t seed;                            // of delays and failures
  char *delay_log;                          // file that gets every delay as done; NULL: none
};
extern const struct sp_table sp_server_table; // struct sp_server_conf

#endif
