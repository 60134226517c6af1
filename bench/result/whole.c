// A result's log against its counts.
#include "result/whole.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct logged {
  const char *tag; // of the series that is counted
  int64_t n;
};

static void count_interval(void *context, const char *tag, double start_s, double length_s,
                           const struct sp_histogram *h) {
  (void)start_s;
  (void)length_s;
  struct logged *logged = context;
  if (strcmp(tag, logged->tag) == 0) logged->n += h->n;
}

static enum sp_err count_histogram(const struct sp_latency *latency, int64_t *n, struct sp_error *error) {
  struct sp_histogram h;
  sp_histogram_init(&h);
  enum sp_err err = sp_histogram_decode(latency->hdr, &h, error);
  *n = h.n;
  sp_histogram_done(&h);
  return err;
}

enum sp_err sp_result_check_log(const struct sp_result *result, const char *folder, struct sp_error *error) {
  // A closed loop has service times alone.
  bool is_open = result->response.present;
  const struct sp_latency *latency = is_open ? &result->response : &result->service;
  if (!result->complete || !latency->present || !latency->hdr) return SP_OK;
  char *path = sp_format("%s/latency.hlog", folder);
  struct logged logged = {is_open ? "" : "service", 0};
  struct sp_error why;
  int64_t n = 0;
  enum sp_err err = SP_OK;
  if (access(path, F_OK) == 0) {
    err = count_histogram(latency, &n, &why);
    if (err)
      sp_fail(error, err, "%s/" SP_RESULT_FILE ": its histogram: %s; measure again", folder, why.text);
    else if ((err = sp_hlog_read(path, count_interval, &logged, &why)))
      sp_fail(error, err, "%s; measure again", why.text);
    else if (logged.n != n)
      err = sp_fail(
          error, SP_ERR_ENVIRONMENT,
          "%s: holds %" PRId64 " of the %" PRId64
          " answers that its result counts; it was cut off or belongs to another trial: measure again",
          path, logged.n, n);
  }
  free(path);
  return err;
}
