// Bare loop: the same decode and session run, nothing around them. Prints ns per event, of wall clock and of this thread.
//   bare_embedded SCENARIO SECONDS CPU
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "codec/codec.h"
#include "engine/engine.h"
#include "os/affinity.h"
#include "os/cpu.h"
#include "recording/recording.h"
#include "scenario/scenario.h"

struct loop {
  struct sp_scenario *scenario;
  struct sp_recording *recording;
  struct sp_decoder *decoder;
  struct sp_engine *engine;
  struct sp_session *session;
};

static enum sp_err open_loop(struct loop *loop, const char *path, struct sp_error *error) {
  uint64_t version;
  char *dir = NULL;
  enum sp_err err = sp_scenario_load(path, NULL, 0, NULL, 0, &loop->scenario, error);
  if (!err) err = sp_recording_load(loop->scenario->recording, &loop->recording, error);
  if (!err) err = sp_decoder_new(&loop->scenario->input, &loop->decoder, error);
  if (!err) err = sp_model_version_dir(&loop->scenario->model, &version, &dir, error);
  struct sp_engine_conf conf = {.engine = "onnxruntime", .intra_threads = 1};
  if (!err) err = sp_engine_open(&conf, dir, &loop->engine, error);
  if (!err) err = sp_session_new(loop->engine, 1, &loop->session, error);
  return err;
}

static long predict_for(struct loop *loop, int64_t length_ns) {
  struct sp_scratch *scratch = sp_scratch_new();
  struct sp_tensor *inputs[SP_TENSORS_MAX] = {sp_session_inputs(loop->session)};
  struct sp_reason reason;
  struct sp_error error;
  long n = 0;
  for (int64_t end_ns = sp_now_ns() + length_ns; (n & 255) != 0 || sp_now_ns() < end_ns; n++) {
    const struct sp_event *event = &loop->recording->events[(size_t)n % loop->recording->n_events];
    if (sp_decode(loop->decoder, scratch, event->value, inputs, 0, &reason) != SP_OUTCOME_NONE) continue;
    if (sp_session_run(loop->session, 1, &error)) {
      fprintf(stderr, "%s\n", error.text);
      exit(3);
    }
  }
  sp_scratch_free(scratch);
  return n;
}

int main(int argc, char **argv) {
  if (argc != 4) return 64;
  struct loop loop = {0};
  struct sp_error error;
  struct sp_cpus cpus = sp_cpus_one(atoi(argv[3]));
  if (sp_cpus_apply(&cpus, &error) || open_loop(&loop, argv[1], &error)) {
    fprintf(stderr, "%s\n", error.text);
    return 3;
  }
  predict_for(&loop, SP_NS_PER_S / 2);
  int64_t wall_ns = sp_now_ns(), cpu_ns = sp_cpu_thread_ns();
  long n = predict_for(&loop, atol(argv[2]) * SP_NS_PER_S);
  wall_ns = sp_now_ns() - wall_ns;
  cpu_ns = sp_cpu_thread_ns() - cpu_ns;
  printf("{\"n\":%ld,\"wall_ns_per_event\":%.1f,\"cpu_ns_per_event\":%.1f}\n", n, (double)wall_ns / (double)n,
         (double)cpu_ns / (double)n);
  return 0;
}
