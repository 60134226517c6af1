// Which answers of the server fail, and how. Immutable after _new; any thread.
#ifndef SP_SERVER_FAIL_H
#define SP_SERVER_FAIL_H

#include <stdint.h>

#include "base/err.h"

struct sp_fail_plan;

// Rules by comma, the first that holds for a call counts; calls are counted from 1:
//   UNAVAILABLE:1%         each call with that chance
//   UNAVAILABLE:every=100  calls 100, 200, ...
//   UNAVAILABLE:at=17      call 17 alone
// The status is any of gRPC's but OK. SP_ERR_USAGE with the forms.
enum sp_err sp_fail_plan_new(const char *text, uint64_t seed, struct sp_fail_plan **plan,
                             struct sp_error *error);
void sp_fail_plan_free(struct sp_fail_plan *plan); // NULL is allowed
// gRPC status of call number k (from 1), 0 if it does not fail: a function of seed and k alone.
int sp_fail_plan_status(const struct sp_fail_plan *plan, uint64_t k);

#endif
