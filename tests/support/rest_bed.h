// A client over HTTP with some calls, against a server in this process that does as a test tells it.
#ifndef SP_TESTS_REST_BED_H
#define SP_TESTS_REST_BED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "rpc/rpc.h"
#include "support/http_server.h"
#include "support/rpc_bed.h"

extern const struct sp_rpc_conf standard;
// Of the model affine, one queue.
struct sp_rpc_env env_of(const struct sp_rpc_conf *conf, const char *address);

// What the server does with predictions; all else it answers well.
struct told {
  _Atomic int mode;
  _Atomic int status; // SAYS
  _Atomic(const char *) body;
  _Atomic unsigned n_seen;
  char seen[4096], seen_body[4096]; // of the last prediction, for tests with one call at a time
  bool asks_for_all;                // whatever is asked is answered as told
};
enum { GOOD, SAYS, HANGS, CUTS, ENDLESS, CLOSES_BEHIND, RAW };
void as_told(struct http_exchange *exchange, void *context); // context: struct told

struct bed {
  struct told told;
  struct http_server *server;
  struct sp_rpc_conf conf;
  struct rpc_bed *rpc;
};
struct bed *open_bed(const struct sp_rpc_conf *conf);
void close_bed(struct bed *bed);
const struct sp_rpc_result *answer_of(struct bed *bed);
// One call, which must end so.
void ends_as(struct bed *bed, enum sp_outcome outcome, int code, const char *text);
void is_good(struct bed *bed);

// Before anything else: names proxies in the environment where nobody answers. They must not be used, not even looked at.
void lay_proxies_out(void);

#endif
