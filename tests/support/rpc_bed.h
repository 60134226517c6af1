// A client of rpc/ with some calls, to whatever server a test has.
#ifndef SP_TESTS_RPC_BED_H
#define SP_TESTS_RPC_BED_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "rpc/rpc.h"

#define WITHIN_NS (30 * SP_NS_PER_S) // a bound for what is broken, not a measure
#define N_CALLS   64

struct rpc_bed {
  struct sp_rpc_client *client;
  struct sp_tensor_spec output_spec;
  struct rpc_bed_call {
    struct rpc_bed *bed;
    struct sp_rpc_call *call;
    struct sp_tensor **inputs;
    const struct sp_tensor *output;
    struct sp_rpc_result result; // of the last completion
    size_t n_done;
  } calls[N_CALLS];
  size_t n_done, n_failed; // completions
  char failure[256];       // the first
  size_t goes_on_until;    // each starts its call again, with a row, up to so many in all; SIZE_MAX: for ever
};

// Each fails the test where it cannot do what it says. Of one queue.
struct rpc_bed *rpc_bed_open(const struct sp_rpc_env *env);
void rpc_bed_close(struct rpc_bed *bed);                       // cancels what is under way
size_t rpc_bed_reap(struct rpc_bed *bed, int64_t deadline_ns); // as sp_rpc_reap
// Until there were so many completions in all; and no more, unless calls go on.
void rpc_bed_complete(struct rpc_bed *bed, size_t n);
const struct sp_rpc_result *rpc_bed_answer(struct rpc_bed *bed); // of one call, the first

#endif
