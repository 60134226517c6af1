// Making, filling and freeing a result.
#include "result/result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "result/custom.h"

static void set_absent_latency(struct sp_latency *latency) {
  *latency = (struct sp_latency){.mean_ns = NAN, .max_ns = -1};
  for (int i = 0; i < SP_PERCENTILES; i++) {
    latency->percentile_ns[i] = -1;
    latency->state[i] = SP_PERCENTILE_UNRESOLVED;
  }
}

static char *new_run_id(void) {
  uint64_t id[2];
  SP_ASSERT(getrandom(id, sizeof id, 0) == (ssize_t)sizeof id);
  return sp_format("%016llx%016llx", (unsigned long long)id[0], (unsigned long long)id[1]);
}

static char *utc_now(void) {
  struct timespec now;
  struct tm utc;
  char text[32];
  clock_gettime(CLOCK_REALTIME, &now);
  gmtime_r(&now.tv_sec, &utc);
  strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  return sp_format("%s.%03ldZ", text, now.tv_nsec / 1000000);
}

struct sp_result *sp_result_new(void) {
  struct sp_result *r = sp_alloc(sizeof *r);
  r->run_id = new_run_id();
  r->started_at = utc_now();
  r->window_s = r->drain_s = r->offered_per_s = r->achieved_per_s = r->completion = r->residual_ns = NAN;
  r->predictions.max_abs_error = NAN;
  r->backlog_at_t1 = -1;
  set_absent_latency(&r->response);
  set_absent_latency(&r->response_ok);
  set_absent_latency(&r->failure);
  set_absent_latency(&r->service);
  set_absent_latency(&r->lateness);
  for (int i = 0; i < SP_STAGE_COUNT; i++) {
    r->stages[i] =
        (struct sp_stage_figures){.mean_ns = NAN, .mean_above_p99_ns = NAN, .p50_ns = -1, .p99_ns = -1};
  }
  return r;
}

static void free_texts(char **texts, size_t n) {
  for (size_t i = 0; i < n; i++) free(texts[i]);
  free(texts);
}

static void free_lists(struct sp_result *r) {
  for (size_t i = 0; i < r->n_checks; i++) {
    free(r->checks[i].name);
    free(r->checks[i].remedy);
  }
  free(r->checks);
  for (size_t i = 0; i < r->n_bounds; i++) free(r->bounds[i].name);
  free(r->bounds);
  for (size_t i = 0; i < r->n_timeline; i++) free(r->timeline[i].mark);
  free(r->timeline);
  free_texts(r->reasons, r->n_reasons);
  free_texts(r->command, r->n_command);
}

void sp_result_free(struct sp_result *r) {
  if (!r) return;
  char *texts[] = {r->incomplete,   r->run_id,       r->started_at,
                   r->side,         r->path,         r->transport,
                   r->response.hdr, r->failure.hdr,  r->response_ok.hdr,
                   r->service.hdr,  r->lateness.hdr, r->predictions.source};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) free(texts[i]);
  struct sp_facts *facts[] = {&r->tags,  &r->scenario,  &r->broker, &r->server,  &r->delivery,
                              &r->model, &r->recording, &r->load,   &r->machine, &r->build};
  for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) sp_facts_done(facts[i]);
  free_lists(r);
  free(r);
}

// Room for one more item at the end of a list; returns it, zeroed.
static void *append(void *list, size_t *n, size_t item_bytes) {
  void **items = list;
  *items = sp_realloc(*items, (*n + 1) * item_bytes);
  return memset((char *)*items + (*n)++ * item_bytes, 0, item_bytes);
}

void sp_result_command(struct sp_result *r, int argc, char **argv) {
  for (int i = 0; i < argc; i++)
    *(char **)append(&r->command, &r->n_command, sizeof(char *)) = sp_copy_text(argv[i]);
}

void sp_result_invalid(struct sp_result *r, const char *reason) {
  *(char **)append(&r->reasons, &r->n_reasons, sizeof(char *)) = sp_copy_text(reason);
}

void sp_result_check(struct sp_result *r, const char *name, double value, double limit, bool met,
                     const char *reason, const char *remedy) {
  struct sp_check *check = append(&r->checks, &r->n_checks, sizeof *check);
  *check = (struct sp_check){sp_copy_text(name), value, limit, met, sp_copy_text(remedy)};
  if (!met) sp_result_invalid(r, reason ? reason : name);
}

bool sp_result_is_valid(const struct sp_result *r) {
  return r->n_reasons == 0;
}

bool sp_result_is_usable(const struct sp_result *r) {
  return r && r->complete && sp_result_is_valid(r);
}

bool sp_result_is_stub(const struct sp_result *r) {
  return (r->predictions.source && strcmp(r->predictions.source, "stub") == 0) ||
         strcmp(sp_facts_text_of(&r->server, "stub", "none"), "none") != 0;
}

void sp_result_bound(struct sp_result *r, const char *name, double limit, double value, enum sp_met met) {
  struct sp_bound *bound = append(&r->bounds, &r->n_bounds, sizeof *bound);
  *bound = (struct sp_bound){sp_copy_text(name), limit, value, met};
}

void sp_result_second(struct sp_result *r, const struct sp_second *row, const char *mark) {
  struct sp_timeline_row *at = append(&r->timeline, &r->n_timeline, sizeof *at);
  *at = (struct sp_timeline_row){*row, sp_copy_text(mark)};
}

void sp_result_example(struct sp_result *r, uint64_t event, const char *text) {
  if (r->predictions.n_examples == SP_RESULT_EXAMPLES) return;
  struct sp_prediction_example *example = &r->predictions.examples[r->predictions.n_examples++];
  example->event = event;
  snprintf(example->text, sizeof example->text, "%s", text);
}

double sp_result_not_ok_share(const struct sp_result *r) {
  int64_t n_fine =
      r->outcomes[SP_OUTCOME_OK] + r->outcomes[SP_OUTCOME_UNCHECKED] + r->outcomes[SP_OUTCOME_FILTERED];
  return r->intended > 0 ? (double)(r->intended - n_fine) / (double)r->intended : NAN;
}
