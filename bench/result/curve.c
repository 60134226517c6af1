// A page's curve needs every quantile, not six: it is read from the histograms that results hold whole.
#include "result/curve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EXCEEDANCES 20
#define SECONDS     5
#define HIGHEST_X   4.0 // 99.99 %

void sp_curve_init(struct sp_curve *curve) {
  *curve = (struct sp_curve){0};
  sp_histogram_init(&curve->histogram);
}

void sp_curve_done(struct sp_curve *curve) {
  sp_histogram_done(&curve->histogram);
  free(curve->second_max_ns);
  *curve = (struct sp_curve){0};
}

static int compare_falling(const void *left, const void *right) {
  int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
  return (a < b) - (a > b);
}

static void add_seconds(struct sp_curve *curve, const struct sp_result *result) {
  curve->second_max_ns = sp_realloc(curve->second_max_ns, (curve->n_seconds + result->n_timeline + 1) *
                                                              sizeof *curve->second_max_ns);
  for (size_t i = 0; i < result->n_timeline; i++) {
    const struct sp_second *second = &result->timeline[i].figures;
    if (second->second >= 0) curve->second_max_ns[curve->n_seconds++] = second->max_ns;
  }
  qsort(curve->second_max_ns, curve->n_seconds, sizeof *curve->second_max_ns, compare_falling);
}

enum sp_err sp_curve_add(struct sp_curve *curve, const struct sp_result *result, struct sp_error *error) {
  bool is_service = !result->response.present;
  const struct sp_latency *latency = is_service ? &result->service : &result->response;
  if (!latency->present || !latency->hdr) return SP_OK;
  if (curve->n_trials && is_service != curve->is_service) {
    return sp_fail(
        error, SP_ERR_ENVIRONMENT,
        "run %s: service times cannot be pooled with response times; report open and closed loops apart",
        result->run_id);
  }
  struct sp_histogram histogram;
  struct sp_error why;
  sp_histogram_init(&histogram);
  enum sp_err err = sp_histogram_decode(latency->hdr, &histogram, &why);
  if (err) {
    sp_fail(error, SP_ERR_ENVIRONMENT, "run %s: %s; measure it again", result->run_id, why.text);
  } else {
    if (latency->count > histogram.n) curve->n_above += latency->count - histogram.n;
    sp_histogram_add(&curve->histogram, &histogram);
    curve->is_service = is_service;
    curve->n_trials++;
    add_seconds(curve, result);
  }
  sp_histogram_done(&histogram);
  return err ? SP_ERR_ENVIRONMENT : SP_OK;
}

static int64_t n_events(const struct sp_curve *curve) {
  return curve->histogram.n + curve->n_above;
}

double sp_curve_resolved_q(const struct sp_curve *curve) {
  int64_t n = n_events(curve);
  return n < EXCEEDANCES ? 0 : 1 - (double)EXCEEDANCES / (double)n;
}

// Whether what lies above the value fell in few seconds. The fifth largest of the seconds' maxima says so.
static bool is_episodic(const struct sp_curve *curve, int64_t ns) {
  if (curve->is_service || curve->n_seconds < SECONDS) return !curve->is_service && curve->n_seconds > 0;
  return curve->second_max_ns[SECONDS - 1] <= ns;
}

struct sp_curve_point sp_curve_at(const struct sp_curve *curve, double q) {
  struct sp_curve_point point = {.q = q, .ns = -1, .state = SP_PERCENTILE_UNRESOLVED};
  if (n_events(curve) == 0) return point;
  point.ns = sp_histogram_percentile(&curve->histogram, q, curve->n_above);
  double n_beyond = (double)n_events(curve) * (1 - q);
  if (n_beyond < EXCEEDANCES * (1 - 1e-9))
    point.state = SP_PERCENTILE_UNRESOLVED;
  else if (point.ns < 0)
    point.state = SP_PERCENTILE_NO_ANSWER;
  else if (is_episodic(curve, point.ns))
    point.state = SP_PERCENTILE_EPISODIC;
  else
    point.state = SP_PERCENTILE_RESOLVED;
  return point;
}

static bool is_inside(const struct sp_curve_point *before, const struct sp_curve_point *here,
                      const struct sp_curve_point *after) {
  return before->ns == here->ns && here->ns == after->ns && before->state == here->state &&
         here->state == after->state;
}

size_t sp_curve_points(const struct sp_curve *curve, struct sp_curve_point *points, size_t max) {
  SP_ASSERT(max >= 2);
  if (n_events(curve) == 0) return 0;
  size_t n = 0;
  for (size_t i = 0; i < max; i++) {
    double x = HIGHEST_X * (double)i / (double)(max - 1);
    struct sp_curve_point point = sp_curve_at(curve, 1 - pow(10, -x));
    if (n >= 2 && is_inside(&points[n - 2], &points[n - 1], &point)) n--;
    points[n++] = point;
  }
  return n;
}
