// Scenarios: the shipped ones load; each mistake is refused at its place; overlays and settings are laid over.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "scenario/scenario.h"

static char *folder; // of this run: case/ with a recording and a model that exist

static const char good[] = "version: 1\n"                                              // 1
                           "name: small\n"                                             // 2
                           "recording: small.sprec\n"                                  // 3
                           "model: {name: small, dir: models/small}\n"                 // 4
                           "input:\n"                                                  // 5
                           "  header: [A, B]\n"                                        // 6
                           "  tensors:\n"                                              // 7
                           "    - {name: x, shape: [1, 2], columns: [A, B]}\n"         // 8
                           "output: {tensor: y}\n"                                     // 9
                           "load: {rate: 2000/s, duration: 6s}\n"                      // 10
                           "expect: {p99: 10ms}\n"                                     // 11
                           "sides:\n"                                                  // 12
                           "  embedded: {path: embedded}\n"                            // 13
                           "  rpc: {path: rpc, deadline: 2s, server: {threads: 1}}\n"; // 14

static char *write_file(const char *name, const char *text, size_t n) {
  char *path = sp_format("%s/%s", folder, name);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_int_equal(fwrite(text, 1, n, file), n);
  fclose(file);
  return path;
}

static int make_folder(void **state) {
  (void)state;
  char template[] = "/tmp/sp-scenario-XXXXXX";
  assert_non_null(mkdtemp(template));
  folder = sp_copy_text(template);
  static const char *const folders[] = {"models",          "models/small",    "models/small/1",
                                        "models/small/12", "models/small/03", "models/none"};
  for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
    char *path = sp_format("%s/%s", folder, folders[i]);
    assert_int_equal(mkdir(path, 0700), 0);
    free(path);
  }
  free(write_file("small.sprec", "x", 1));
  return 0;
}

static int remove_folder(void **state) {
  (void)state;
  char *command = sp_format("rm -rf '%s'", folder);
  int status = system(command);
  free(command);
  free(folder);
  return status;
}

// Loads a text as case.yaml with --set settings "key=value", the last one NULL. The message without the folder.
static const char *load(const char *text, const char *const *settings, struct sp_scenario **scenario,
                        enum sp_err *err) {
  static struct sp_error error;
  struct sp_setting all[8];
  char *keys[8], *path = write_file("case.yaml", text, strlen(text));
  size_t n = 0;
  for (; settings && settings[n]; n++) {
    const char *equals = strchr(settings[n], '=');
    keys[n] = sp_format("%.*s", (int)(equals - settings[n]), settings[n]);
    all[n] = (struct sp_setting){keys[n], equals + 1, "--set"};
  }
  memset(&error, 0, sizeof error);
  *err = sp_scenario_load(path, NULL, 0, all, n, scenario, &error);
  for (size_t i = 0; i < n; i++) free(keys[i]);
  free(path);
  size_t n_folder = strlen(folder);
  for (char *at; (at = strstr(error.text, folder));)
    memmove(at, at + n_folder + 1, strlen(at + n_folder + 1) + 1);
  return error.text;
}

// The good scenario with its n-th line replaced.
static char *with_line(size_t line, const char *text) {
  const char *at = good;
  for (size_t i = 1; i < line; i++) at = strchr(at, '\n') + 1;
  const char *rest = strchr(at, '\n') + 1;
  return sp_format("%.*s%s\n%s", (int)(at - good), good, text, rest);
}

// --- What loads ---

static void shipped_scenarios_load(void **state) {
  (void)state;
  static const char *const names[] = {"fraud", "airline", "tweet"};
  for (size_t i = 0; i < 3; i++) {
    char *path = sp_format("%s/fixtures/%s", getenv("SOURCE_DIR"), names[i]);
    struct sp_scenario *scenario;
    struct sp_error error;
    if (sp_scenario_load(path, NULL, 0, NULL, 0, &scenario, &error)) fail_msg("%s", error.text);
    assert_string_equal(scenario->name, names[i]);
    assert_int_equal(scenario->sides.n, 2);
    assert_string_equal(sp_scenario_side(scenario, NULL)->name, "embedded");
    assert_int_equal(sp_scenario_side(scenario, "rpc")->rpc.deadline_ns, INT64_C(5000000000));
    assert_int_equal(sp_scenario_side(scenario, "rpc")->rpc.delay_ns, -1); // none
    assert_null(sp_scenario_side(scenario, "other"));
    assert_true(scenario->expect.not_ok == 0.001);
    sp_scenario_free(scenario);
    free(path);
  }
}

// A server may take each feature as an input of its own: ten there.
static void shipped_overlays_load(void **state) {
  (void)state;
  static const struct {
    const char *file;
    size_t n_tensors;
  } overlays[] = {{"net.yaml", 1}, {"label.yaml", 1}, {"columns.yaml", 10}};
  char *path = sp_format("%s/fixtures/airline", getenv("SOURCE_DIR"));
  for (size_t i = 0; i < sizeof overlays / sizeof overlays[0]; i++) {
    char *overlay = sp_format("%s/%s", path, overlays[i].file);
    struct sp_scenario *scenario;
    struct sp_error error;
    if (sp_scenario_load(path, (const char *const[]){overlay}, 1, NULL, 0, &scenario, &error))
      fail_msg("%s", error.text);
    assert_int_equal(scenario->input.tensors.n, overlays[i].n_tensors);
    sp_scenario_free(scenario);
    free(overlay);
  }
  free(path);
}

static void what_is_written_and_what_is_not(void **state) {
  (void)state;
  struct sp_scenario *scenario;
  enum sp_err err;
  const char *message = load(good, NULL, &scenario, &err);
  if (err) fail_msg("%s", message);
  const struct sp_side *rpc = sp_scenario_side(scenario, "rpc");
  assert_true(scenario->load.rate.n == 2000 && scenario->load.rate.per_ns == 1000000000);
  assert_int_equal(scenario->load.arrival, SP_ARRIVAL_POISSON);
  assert_int_equal(scenario->load.warmup_ns, INT64_C(2000000000));
  assert_int_equal(scenario->load.drain_ns, INT64_C(10000000000));
  assert_int_equal(scenario->expect.p99_ns, 10000000);
  assert_int_equal(scenario->expect.p50_ns, 0);
  assert_true(scenario->expect.not_ok < 0); // no bound, which is not the bound 0
  assert_int_equal(rpc->rpc.deadline_ns, INT64_C(2000000000));
  assert_int_equal(rpc->app.threads, 1);
  assert_string_equal(rpc->server.engine, "onnxruntime");
  const struct sp_input_tensor_conf *tensor = scenario->input.tensors.items;
  assert_string_equal(tensor->dtype, "float32");
  assert_int_equal(tensor->shape.items[1], 2);
  assert_string_equal(((const struct sp_column_conf *)tensor->columns.items)[1].column, "B");
  assert_string_equal(((const struct sp_column_conf *)tensor->columns.items)[1].missing, "malformed");
  char *recording = sp_format("%s/small.sprec", folder);
  assert_string_equal(scenario->recording, recording); // relative to the file, not to the working directory
  free(recording);
  sp_scenario_free(scenario);
}

static void names_are_those_of_folders_where_absent(void **state) {
  (void)state;
  struct sp_scenario *scenario;
  enum sp_err err;
  load(good, (const char *const[]){"name=null", "model.name=null", NULL}, &scenario, &err);
  assert_int_equal(err, SP_OK);
  assert_string_equal(scenario->name, strrchr(folder, '/') + 1);
  assert_string_equal(scenario->model.name, "small");
  sp_scenario_free(scenario);
}

static void aliases_and_both_quotes_are_yaml(void **state) {
  (void)state;
  struct sp_scenario *scenario;
  enum sp_err err;
  char *text = with_line(13, "  embedded: &e {path: 'embedded', threads: \"3\"}\n  other: *e");
  load(text, NULL, &scenario, &err);
  assert_int_equal(err, SP_OK);
  assert_int_equal(sp_scenario_side(scenario, "other")->app.threads, 3);
  sp_scenario_free(scenario);
  free(text);
}

// --- What is refused ---

struct mistake {
  size_t line;
  const char *text, *message;
};

// Of load and expect, and of YAML itself.
static const struct mistake in_load[] = {
    {10, "load: {ratee: 2000/s}", "case.yaml:10:8: load: unknown key ratee; did you mean rate?"},
    {10, "load: {rate: 2000}", "case.yaml:10:14: load.rate: \"2000\" has no unit; write 2000/s"},
    {10, "load: {duration: 10parsecs}",
     "case.yaml:10:18: load.duration: \"10parsecs\" has the unknown unit \"parsecs\"; write 10s (or ns, "
     "us, ms, m, h)"},
    {10, "load: {arrival: poison}",
     "case.yaml:10:17: load.arrival: \"poison\" is unknown; did you mean poisson?"},
    {10, "load: {arrival: ramp}",
     "case.yaml:10:7: load.rate_to: missing; this arrival goes from rate to rate_to"},
    {10, "load: {rate: 0/s}", "case.yaml:10:14: load.rate: must be more than 0"},
    {10, "load: {rate: 2000000000/s}", "case.yaml:10:14: load.rate: is more than one event a nanosecond"},
    {10, "load: {rate: }", "case.yaml:10:8: load.rate: has no value; write one, or leave the key out"},
    {10, "load: {rate: [1]}", "case.yaml:10:14: load.rate: a list stands where one value is wanted"},
    {10, "load: [1]", "case.yaml:10:7: load: is a mapping; write {key: value, ...}"},
    {10, "load: {drain: 3s}",
     "case.yaml:10:15: load.drain: is less than 2 deadlines; write 4s or more, or a shorter deadline"},
    {10, "load: {burst_length: 2s}",
     "case.yaml:10:22: load.burst_length: is longer than burst_every; write less"},
    {10, "load: {speed: -1}",
     "case.yaml:10:15: load.speed: must not be negative; 0 scales the recording to rate"},
    {10, "load: {duration: 0s}", "case.yaml:10:18: load.duration: must be 1ms to 3600000s"},
    {10, "load: {rate: 1/s, rate: 2/s}",
     "case.yaml:10:19: key rate stands here twice, first in line 10; remove one"},
    {10, "name: again", "case.yaml:10:1: key name stands here twice, first in line 2; remove one"},
    {10, "load: {rate: *r}",
     "case.yaml:10:14: alias *r stands for nothing; mark what it repeats with &r before it"},
    {10, "load: !!map {}", "case.yaml:10:13: tags (!...) have no meaning in a scenario; remove it"},
    {10, "---", "case.yaml:10:1: a second document starts here; a scenario is one"},
    {10, "load: {rate: 2000/s", "case.yaml:11:7: not YAML: missing comma in flow mapping"},
    {10, "\tload: {}", "case.yaml:10:1: not YAML: tab character may not be used as indentation"},
    {11, "expect: {p99: 0s}", "case.yaml:11:15: expect.p99: must be 1ns to 3600s"},
    {11, "expect: {abs: nan}",
     "case.yaml:11:15: expect.abs: \"nan\" is not a number; write for example 0.5 or 1e-5"},
    {11, "expect: {rel: -1}", "case.yaml:11:15: expect.rel: must not be negative"},
    {11, "expect: {not_ok: 120%}",
     "case.yaml:11:18: expect.not_ok: \"120%\" is more than all; write 0% to 100%"},
};

// Of sides.
static const struct mistake in_sides[] = {
    {13, "  embedded: {threads: 0}", "case.yaml:13:23: sides.embedded.threads: must be 1 to 1024"},
    {13, "  embedded: {batch: many}",
     "case.yaml:13:21: sides.embedded.batch: \"many\" is not a whole number; write digits only, for "
     "example 64"},
    {13, "  embedded: {wait: parc}",
     "case.yaml:13:20: sides.embedded.wait: \"parc\" is unknown; did you mean park?"},
    {13, "  embedded: {thread: 1}",
     "case.yaml:13:14: sides.embedded: unknown key thread; did you mean threads?"},
    {13, "  em bedded: {}",
     "case.yaml:13:3: sides.em bedded: a name is letters, digits, - and _, at most 63"},
    {14, "  rpc: {server: {stub: ecco}}",
     "case.yaml:14:24: sides.rpc.server.stub: \"ecco\" is unknown; did you mean echo?"},
    {14, "  rpc: {in_flight: 0}", "case.yaml:14:20: sides.rpc.in_flight: must be 1 to 65536"},
    {14, "  rpc: {path: rpc, protocol: tfs-rest}",
     "case.yaml:14:30: sides.rpc.protocol: tfs-rest with server spawn: our reference server speaks gRPC "
     "alone; "
     "write tfs or kserve, or name a server: --server HOST:PORT"},
    {14, "  rpc: {path: rpc, protocol: kserve-rest, address: \"h:1\", channels: 2}",
     "case.yaml:14:30: sides.rpc.protocol: kserve-rest with channels 2: over HTTP/1.1 each call under way "
     "has a "
     "connection of its own; leave channels out"},
    {14, "  rpc: {deadline: 0s}", "case.yaml:14:19: sides.rpc.deadline: must be 1ns to 3600s"},
};

// Of version, names, model and recording.
static const struct mistake in_names[] = {
    {1, "version: 2", "case.yaml:1:10: version: this servepath reads version 1 of the language, not 2"},
    {1, "# none", "case.yaml:2:1: version: missing; write version: 1"},
    {2, "name: a/b", "case.yaml:2:7: name: \"a/b\" is no name; write letters, digits, - and _"},
    {2, "nmae: x", "case.yaml:2:1: unknown key nmae; did you mean name?"},
    {4, "model: {name: a/b, dir: models/small}",
     "case.yaml:4:15: model.name: \"a/b\" is no name; write letters, digits, - and _"},
    {4, "model: {name: a}",
     "case.yaml:4:8: model.dir: missing; name the folder that holds VERSION/model.onnx"},
    {3, "# none", "case.yaml:1:1: recording: missing; name a recording; servepath import makes one"},
};

// Of the input's tensors.
static const struct mistake in_tensors[] = {
    {8, "    - {name: x, shape: [1, 2], columns: [A, C]}",
     "case.yaml:8:45: input.tensors.0.columns.1: column C is not in input.header; one of: A, B"},
    {8, "    - {name: x, shape: [1, 2], dtype: float}",
     "case.yaml:8:39: input.tensors.0.dtype: \"float\" is unknown; one of: float32, float64, int32, int64, "
     "uint8, bool"},
    {8, "    - {name: x, shape: [2, 2]}",
     "case.yaml:8:24: input.tensors.0.shape: must start with 1: an event is one row"},
    {8, "    - {name: x, shape: [1, 0]}",
     "case.yaml:8:24: input.tensors.0.shape: must hold dimensions of at least 1"},
    {8, "    - {name: x, shape: [1, 9999999999, 9999999999]}",
     "case.yaml:8:24: input.tensors.0.shape: is more than 16,777,216 elements an event"},
    {8, "    - {name: x, shape: 2}", "case.yaml:8:24: input.tensors.0.shape: is a list; write [2]"},
    {8, "    - {shape: [1, 2]}",
     "case.yaml:8:7: input.tensors.0.name: missing; write the name of the model's input"},
    {8, "    - {name: x}",
     "case.yaml:8:7: input.tensors.0.shape: missing; write the shape of one event, as in [1, 30]"},
    {8, "    - {name: x, shape: [1, 1], steps: [lowercaze]}",
     "case.yaml:8:40: input.tensors.0.steps.0.step: \"lowercaze\" is unknown; did you mean lowercase?"},
    {8, "    - {name: x, shape: [1, 1], steps: [{lemma: a, min_length: 4}]}",
     "case.yaml:8:40: input.tensors.0.steps.0: holds 2 steps; write each as an element of its own"},
    {8, "    - {name: x, shape: [1]}\n    - {name: x, shape: [1]}",
     "case.yaml:9:14: input.tensors.1.name: is the name of another tensor too"},
    {8, "    -", "case.yaml:8:5: input.tensors.0: is empty; remove it"},
    {8, "    - {name: x, shape: [1, 2], columns: [A]}",
     "case.yaml:8:41: input.tensors.0.columns: 1 stand here, and the shape takes 2; choose those that the "
     "model "
     "was trained on"},
};

// Of output and Kafka.
static const struct mistake in_output[] = {
    {9, "output: {}", "case.yaml:9:9: output.tensor: missing; name the model's output that is answered"},
    {9, "output: {tensor: y, as: label, labels: [a]}",
     "case.yaml:9:40: output.labels: two are needed, below and from the threshold; write labels: [\"NO\", "
     "\"YES\"]"},
    {9, "output: {tensor: y}\nkafka: {producer: {sasl.password: hunter2}}",
     "case.yaml:10:35: kafka.producer.sasl.password: a secret is never written here; write \"@FILE\" or "
     "\"$NAME\""},
    {9, "output: {tensor: y}\nkafka: {producer: {ssl.key.password: $SP_NO_SUCH}}",
     "case.yaml:10:38: kafka.producer.ssl.key.password: the environment has no SP_NO_SUCH; export it"},
    {9, "output: {tensor: y}\nkafka: {linger.ms: 0}",
     "case.yaml:10:9: kafka: unknown key linger.ms; one of: producer, consumer"},
};

static void are_refused(const struct mistake *mistakes, size_t n) {
  for (size_t i = 0; i < n; i++) {
    struct sp_scenario *scenario;
    enum sp_err err;
    char *text = with_line(mistakes[i].line, mistakes[i].text);
    const char *message = load(text, NULL, &scenario, &err);
    assert_int_equal(err, SP_ERR_USAGE);
    assert_null(scenario);
    if (strcmp(message, mistakes[i].message) != 0)
      fail_msg("%s\n  said: %s\n  not:  %s", mistakes[i].text, message, mistakes[i].message);
    free(text);
  }
}

static void mistakes_are_refused_at_their_place(void **state) {
  (void)state;
  are_refused(in_load, sizeof in_load / sizeof in_load[0]);
  are_refused(in_sides, sizeof in_sides / sizeof in_sides[0]);
  are_refused(in_names, sizeof in_names / sizeof in_names[0]);
  are_refused(in_tensors, sizeof in_tensors / sizeof in_tensors[0]);
  are_refused(in_output, sizeof in_output / sizeof in_output[0]);
}

static void what_is_missing_from_the_disk_is_environment(void **state) {
  (void)state;
  static const struct {
    size_t line;
    const char *text, *message;
  } cases[] = {
      {3, "recording: none.sprec",
       "case.yaml:3:12: recording: cannot read none.sprec (No such file or directory); name a recording; "
       "servepath import "
       "makes one"},
      {3, "recording: models",
       "case.yaml:3:12: recording: models is no file; name a recording; servepath import makes one"},
      {4, "model: models/gone",
       "case.yaml:4:8: model.dir: cannot read models/gone (No such file or directory); name the folder that "
       "holds "
       "VERSION/model.onnx"},
      {4, "model: models/none",
       "case.yaml:4:8: model.dir: models/none holds no version; put the model into models/none/1/"},
      {9, "output: {tensor: y}\nkafka: {producer: {sasl.password: \"@gone\"}}",
       "case.yaml:10:35: kafka.producer.sasl.password: cannot read the secret's file gone: No such file or "
       "directory"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct sp_scenario *scenario;
    enum sp_err err;
    char *text = with_line(cases[i].line, cases[i].text);
    const char *message = load(text, NULL, &scenario, &err);
    assert_int_equal(err, SP_ERR_ENVIRONMENT);
    assert_string_equal(message, cases[i].message);
    free(text);
  }
  struct sp_scenario *scenario;
  struct sp_error error;
  assert_int_equal(sp_scenario_load("/nonexistent", NULL, 0, NULL, 0, &scenario, &error), SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "cannot read /nonexistent (No such file or directory); name a folder"));
}

// --- Settings ---

static void settings_are_laid_over(void **state) {
  (void)state;
  struct sp_scenario *scenario;
  enum sp_err err;
  static const char *const settings[] = {"load.rate=500/s",
                                         "sides.*.threads=2",
                                         "sides.rpc.threads=3",
                                         "output.labels=[NO,YES]",
                                         "kafka.producer.linger.ms=0",
                                         "input.tensors.0.columns.1.missing=nan",
                                         "model=null",
                                         NULL};
  const char *message = load(good, settings, &scenario, &err);
  assert_int_equal(err, SP_ERR_USAGE); // the model was taken away
  assert_non_null(strstr(message, "model.dir: missing"));
  message = load(good,
                 (const char *const[]){settings[0], settings[1], settings[2], settings[3], settings[4],
                                       settings[5], "sides.noop={path: noop}", NULL},
                 &scenario, &err);
  if (err) fail_msg("%s", message);
  assert_int_equal(scenario->load.rate.n, 500);
  assert_int_equal(sp_scenario_side(scenario, "embedded")->app.threads, 2);
  assert_int_equal(sp_scenario_side(scenario, "rpc")->app.threads, 3);
  assert_string_equal(sp_scenario_side(scenario, "noop")->path.path, "noop");
  assert_string_equal(scenario->output.labels.items[0], "NO");
  assert_string_equal(scenario->kafka.producer.items[0].name, "linger.ms");
  assert_string_equal(scenario->kafka.producer.items[0].value, "0");
  const struct sp_input_tensor_conf *tensor = scenario->input.tensors.items;
  assert_string_equal(((const struct sp_column_conf *)tensor->columns.items)[1].column, "B");
  assert_string_equal(((const struct sp_column_conf *)tensor->columns.items)[1].missing, "nan");
  sp_scenario_free(scenario);
}

static void settings_are_refused_by_name(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"rate=2000/s", "--set: rate: unknown key; did you mean load.rate?"},
      {"threads=2", "--set: threads: unknown key; did you mean sides.*.threads?"},
      {"load.rates=1/s", "--set: load.rates: unknown key rates; did you mean rate?"},
      {"load.rate=2000", "--set: load.rate: \"2000\" has no unit; write 2000/s"},
      {"load.rate.x=1", "--set: load.rate.x: goes on after a key that holds one value"},
      {"load=5", "--set: load: is a mapping; write {key: value, ...}"},
      {"sides.rcp.threads=2", "--set: sides.rcp.threads: the scenario has no rcp; did you mean rpc?"},
      {"sides.*.threads=0", "--set: sides.embedded.threads: must be 1 to 1024"},
      {"output.labels=NO", "--set: output.labels: is a list; write [NO]"},
      {"output.labels=[NO",
       "--set: output.labels: is not YAML that can be read; write [a, b] or {key: value}"},
      {"input.tensors.1.name=x", "--set: input.tensors.1.name: the list has no such element; the first is 0"},
      {"input.tensors.x.name=x",
       "--set: input.tensors.x.name: names a list; write its element's number, as in tensors.0.name"},
      {"sides=null", "--set: sides: missing; name at least one, as in {embedded: {path: embedded}}"},
      {"kafka.consumer.sasl.password=x",
       "--set: kafka.consumer.sasl.password: a secret is never written here; write \"@FILE\" or \"$NAME\""},
      {"name=\xff", "--set: a key or value holds bytes that are no text"},
      {"load.=1",
       "--set: load.: unknown key ; one of: arrival, rate, rate_to, steps, burst_every, burst_length, speed, "
       "concurrency, warmup, duration, drain, seed, limit, only, shard, start_at, pacer_spin"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct sp_scenario *scenario;
    enum sp_err err;
    const char *message = load(good, (const char *const[]){cases[i][0], NULL}, &scenario, &err);
    assert_int_equal(err, SP_ERR_USAGE);
    assert_string_equal(message, cases[i][1]);
  }
}

static void secrets_are_read_and_never_shown(void **state) {
  (void)state;
  struct sp_scenario *scenario;
  enum sp_err err;
  free(write_file("secret", "hunter2\r\n", 9));
  setenv("SP_TEST_SECRET", "swordfish", 1);
  char *text = with_line(9, "output: {tensor: y}\nkafka: {producer: {sasl.password: \"@secret\"}}");
  load(text, (const char *const[]){"kafka.consumer.sasl.password=$SP_TEST_SECRET", NULL}, &scenario, &err);
  assert_int_equal(err, SP_OK);
  assert_string_equal(scenario->kafka.producer.items[0].value, "hunter2");
  assert_string_equal(scenario->kafka.consumer.items[0].value, "swordfish");
  sp_scenario_free(scenario);
  free(text);
}

// An empty token would let everybody in, and an empty password hides a file that was never filled.
static void empty_secrets_are_refused(void **state) {
  (void)state;
  struct sp_scenario *scenario;
  enum sp_err err;
  free(write_file("blank", "\n", 1));
  setenv("SP_TEST_SECRET", "", 1);
  char *text = with_line(9, "output: {tensor: y}");
  const char *told = load(text, (const char *const[]){"kafka.consumer.sasl.password=$SP_TEST_SECRET", NULL},
                          &scenario, &err);
  assert_int_equal(err, SP_ERR_USAGE);
  assert_non_null(strstr(told, "sasl.password: SP_TEST_SECRET in the environment is empty"));
  free(text);
  text = with_line(9, "output: {tensor: y}\nkafka: {producer: {sasl.password: \"@blank\"}}");
  told = load(text, (const char *const[]){NULL}, &scenario, &err);
  assert_int_equal(err, SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(told, "blank has nothing in its first line"));
  free(text);
}

// --- Overlays, drain, digest, versions ---

static void overlays_merge_mappings_and_replace_the_rest(void **state) {
  (void)state;
  static const char over[] = "load: {rate: 7/s}\ninput: {header: [A, B, C]}\nexpect: {p99: null}\n"
                             "sides: {rpc: null, fast: {path: noop}}\n";
  char *base = write_file("case.yaml", good, strlen(good)),
       *first = write_file("over.yaml", over, strlen(over));
  char *second = write_file("more.yaml", "load: {rate: 8/s}\n", 18),
       *bad = write_file("bad.yaml", "load: {x: 1}\n", 13);
  struct sp_scenario *scenario;
  struct sp_error error;
  if (sp_scenario_load(base, (const char *const[]){first, second}, 2, NULL, 0, &scenario, &error))
    fail_msg("%s", error.text);
  assert_int_equal(scenario->load.rate.n, 8);
  assert_int_equal(scenario->load.duration_ns, INT64_C(6000000000));
  assert_int_equal(scenario->input.header.n, 3);
  assert_int_equal(scenario->input.tensors.n, 1);
  assert_int_equal(scenario->expect.p99_ns, 0);
  assert_int_equal(scenario->sides.n, 2);
  assert_non_null(sp_scenario_side(scenario, "fast"));
  assert_null(sp_scenario_side(scenario, "rpc"));
  sp_scenario_free(scenario);
  assert_int_equal(sp_scenario_load(base, (const char *const[]){bad}, 1, NULL, 0, &scenario, &error),
                   SP_ERR_USAGE);
  assert_non_null(strstr(error.text, "bad.yaml:1:8: load: unknown key x")); // the file it stands in
  free(base), free(first), free(second), free(bad);
}

static void the_drain_outlasts_two_deadlines(void **state) {
  (void)state;
  struct sp_scenario *scenario;
  enum sp_err err;
  load(good, (const char *const[]){"sides.rpc.deadline=20s", NULL}, &scenario, &err);
  assert_int_equal(err, SP_OK);
  assert_int_equal(scenario->load.drain_ns, INT64_C(40000000000));
  sp_scenario_free(scenario);
  // A side that never calls has no deadline.
  load(good, (const char *const[]){"sides.embedded.deadline=1h", "load.drain=4s", NULL}, &scenario, &err);
  assert_int_equal(err, SP_OK);
  sp_scenario_free(scenario);
}

static char *digest_of(const char *text, const char *const *settings, char **json) {
  struct sp_scenario *scenario;
  enum sp_err err;
  const char *message = load(text, settings, &scenario, &err);
  if (err) fail_msg("%s", message);
  char *digest = sp_copy_text(scenario->digest);
  if (json) *json = sp_copy_text(scenario->resolved_json);
  sp_scenario_free(scenario);
  return digest;
}

static void the_digest_is_of_meaning_not_of_machines(void **state) {
  (void)state;
  char *json, *absolute = sp_format("recording=%s/small.sprec", folder);
  char *plain = digest_of(good, NULL, &json);
  char *other = digest_of(good, (const char *const[]){"load.seed=2", NULL}, NULL);
  char *said = digest_of(good, (const char *const[]){"load.seed=1", absolute, NULL}, NULL);
  char *again = digest_of(json, NULL, NULL); // what was resolved is a scenario, and the same one
  assert_int_equal(strncmp(plain, "xxh128:", 7), 0);
  assert_string_not_equal(plain, other);
  assert_string_equal(plain, said);
  assert_string_equal(plain, again);
  assert_null(strstr(json, folder));
  free(json), free(absolute), free(plain), free(other), free(said), free(again);
}

static void versions_are_numbers_of_folders(void **state) {
  (void)state;
  char *dir = sp_format("%s/models/small", folder), *found, *want = sp_format("%s/12", dir);
  struct sp_model_conf model = {.name = "small", .dir = dir};
  uint64_t version;
  struct sp_error error;
  assert_int_equal(sp_model_version_dir(&model, &version, &found, &error), SP_OK);
  assert_int_equal(version, 12); // as a number: after 2, not before
  assert_string_equal(found, want);
  free(found);
  model.version = 1;
  assert_int_equal(sp_model_version_dir(&model, &version, &found, &error), SP_OK);
  assert_int_equal(version, 1);
  free(found);
  model.version = 3; // "03" is no version
  assert_int_equal(sp_model_version_dir(&model, &version, &found, &error), SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "has no version 3; it holds "));
  free(dir), free(want);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(shipped_scenarios_load),
      cmocka_unit_test(shipped_overlays_load),
      cmocka_unit_test(what_is_written_and_what_is_not),
      cmocka_unit_test(names_are_those_of_folders_where_absent),
      cmocka_unit_test(aliases_and_both_quotes_are_yaml),
      cmocka_unit_test(mistakes_are_refused_at_their_place),
      cmocka_unit_test(what_is_missing_from_the_disk_is_environment),
      cmocka_unit_test(settings_are_laid_over),
      cmocka_unit_test(settings_are_refused_by_name),
      cmocka_unit_test(secrets_are_read_and_never_shown),
      cmocka_unit_test(empty_secrets_are_refused),
      cmocka_unit_test(overlays_merge_mappings_and_replace_the_rest),
      cmocka_unit_test(the_drain_outlasts_two_deadlines),
      cmocka_unit_test(the_digest_is_of_meaning_not_of_machines),
      cmocka_unit_test(versions_are_numbers_of_folders),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
