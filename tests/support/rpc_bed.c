// A client of rpc/ and its calls in tests.
#include "support/rpc_bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct rpc_bed *rpc_bed_open(const struct sp_rpc_env *env) {
  struct rpc_bed *bed = sp_alloc(sizeof *bed);
  struct sp_error error;
  if (sp_rpc_client_new(env, &bed->client, &bed->output_spec, &error)) fail_msg("%s", error.text);
  for (size_t i = 0; i < N_CALLS; i++) {
    struct rpc_bed_call *one = &bed->calls[i];
    one->bed = bed;
    one->call = sp_rpc_call_new(bed->client, 0, &one->inputs, &one->output, one);
  }
  return bed;
}

void rpc_bed_close(struct rpc_bed *bed) {
  sp_rpc_client_free(bed->client);
  free(bed);
}

static void call_done(void *user, const struct sp_rpc_result *result, void *context) {
  struct rpc_bed_call *one = user;
  struct rpc_bed *bed = context;
  assert_ptr_equal(one->bed, bed);
  one->result = *result;
  one->n_done++;
  bed->n_done++;
  if (result->outcome != SP_OUTCOME_NONE && !bed->n_failed++)
    snprintf(bed->failure, sizeof bed->failure, "%d: %s", result->code, result->text);
  if (bed->n_done + N_CALLS <= bed->goes_on_until) sp_rpc_call_start(one->call, 1);
}

size_t rpc_bed_reap(struct rpc_bed *bed, int64_t deadline_ns) {
  return sp_rpc_reap(bed->client, 0, deadline_ns, call_done, bed);
}

void rpc_bed_complete(struct rpc_bed *bed, size_t n) {
  int64_t deadline_ns = sp_now_ns() + WITHIN_NS;
  while (bed->n_done < n) {
    assert_true(sp_now_ns() < deadline_ns);
    rpc_bed_reap(bed, deadline_ns);
  }
  if (n >= bed->goes_on_until) assert_int_equal(bed->n_done, n);
}

const struct sp_rpc_result *rpc_bed_answer(struct rpc_bed *bed) {
  size_t n = bed->n_done;
  sp_rpc_call_start(bed->calls[0].call, 1);
  rpc_bed_complete(bed, n + 1);
  return &bed->calls[0].result;
}
