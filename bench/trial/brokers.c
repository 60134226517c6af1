// The mock as a verb of ours, real Kafka by scripts/kafka, or somebody's own.
#include "trial/brokers.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "scenario/bind.h"
#include "trial/child.h"
#include "trial/ours.h"
#include "trial/script.h"

#define READY_NS  (60 * SP_NS_PER_S)
#define TOPICS_NS (30 * SP_NS_PER_S)
#define GRACE_NS  (10 * SP_NS_PER_S)

// What a parent of ours says of a Kafka that it started for many trials: text like that broker's own ready line.
#define TOLD "SERVEPATH_SHARED_BROKER"

// --- Names ---

// Drivers of one load must agree on it, though none knows the others: what they share says which load it is.
static char *shared_run(const struct sp_trial_plan *plan) {
  char *text =
      sp_format("%s\n%s\n%s\n%llu\n%s", plan->scenario->name, plan->side->name, plan->scenario->load.start_at,
                (unsigned long long)plan->scenario->load.seed, plan->scenario->topics.input);
  char digest[SP_DIGEST_TEXT_BYTES];
  sp_digest_bytes(sp_bytes_of_text(text), digest);
  free(text);
  return sp_copy_text(strchr(digest, ':') + 1);
}

static char *wire_run_of(const struct sp_trial_plan *plan, const char *run_id) {
  const struct sp_load_conf *load = &plan->scenario->load;
  if (plan->wire_run) return sp_copy_text(plan->wire_run);
  if (load->only == SP_ONLY_COLLECT) return NULL;
  return load->shard ? shared_run(plan) : sp_copy_text(run_id);
}

// Names of the run's own, unless the user's are to be used.
static void name_topics(const struct sp_trial_plan *plan, const char *run_id, struct sp_broker *broker) {
  const struct sp_topics_conf *topics = &plan->scenario->topics;
  const char *name = plan->scenario->name;
  char *input = topics->input ? sp_copy_text(topics->input) : sp_format("%s-events", name);
  char *output = topics->output ? sp_copy_text(topics->output) : sp_format("%s-answers", name);
  broker->input = topics->reuse ? sp_copy_text(input) : sp_format("sp-%.8s-%s", run_id, input);
  broker->output = topics->reuse ? sp_copy_text(output) : sp_format("sp-%.8s-%s", run_id, output);
  free(input);
  free(output);
}

// --- Starting ---

static void add_topic(struct sp_arguments *args, const char *flag, const char *topic, uint64_t partitions) {
  sp_arguments_word(args, flag);
  sp_arguments_add(args, sp_format("%s:%llu", topic, (unsigned long long)partitions));
}

static enum sp_err start_mock(const struct sp_trial_plan *plan, struct sp_broker *broker,
                              struct sp_arguments *args, struct sp_error *error) {
  (void)error;
  sp_arguments_verb(args, "broker");
  add_topic(args, "--topic", broker->input, plan->scenario->topics.partitions);
  add_topic(args, "--topic", broker->output, plan->scenario->topics.partitions);
  return SP_OK;
}

static enum sp_err start_kafka(const struct sp_trial_plan *plan, struct sp_run_dir *dir,
                               struct sp_arguments *args, struct sp_error *error) {
  char *script = sp_script_path("kafka"), *data = sp_run_dir_file(dir, "kafka");
  sp_arguments_add(args, script);
  sp_arguments_word(args, "run");
  if (!plan->measures_nothing) sp_arguments_word(args, "--measure");
  sp_arguments_word(args, "--dir");
  sp_arguments_add(args, data);
  if (access(script, X_OK) == 0) return SP_OK;
  return sp_fail(
      error, SP_ERR_ENVIRONMENT,
      "cannot start Kafka: there is no %s; set SERVEPATH_HOME to the folder of servepath, or name a broker: "
      "--broker HOST:PORT",
      script);
}

static enum sp_err launch_own(const struct sp_trial_plan *plan, const struct sp_placement *placement,
                              struct sp_run_dir *dir, struct sp_broker *broker, struct sp_error *error) {
  struct sp_arguments args = {0};
  bool is_mock = strcmp(broker->kind, "mock") == 0;
  enum sp_err err = is_mock ? start_mock(plan, broker, &args, error) : start_kafka(plan, dir, &args, error);
  if (!err) err = sp_trial_child_start(&broker->child, "broker", &args, &placement->broker, dir, -1, error);
  sp_arguments_done(&args);
  return err;
}

enum sp_err sp_broker_await_ready(struct sp_supervisor *supervisor, struct sp_broker *broker,
                                  struct sp_error *error) {
  const char *line;
  enum sp_err err = sp_trial_child_wait(&broker->child, supervisor, READY_NS, &line, error);
  if (err) return err;
  int64_t pid =
      sp_trial_line_count(line, "pid"); // of the process that serves, where that is not the child itself
  broker->pid = pid > 0 ? (pid_t)pid : broker->child.pid;
  broker->address = sp_trial_line_text(line, "address");
  broker->version = sp_trial_line_text(line, "version");
  if (broker->address) return SP_OK;
  return sp_fail(error, SP_ERR_INTERNAL, "the broker's ready line has no address: %s", line);
}

// --- Topics: asked for by a short-lived child, because librdkafka must not start in this process ---

// Secrets by files that nobody else may enter.
enum sp_err sp_broker_add_properties(struct sp_arguments *args, const struct sp_properties *properties,
                                     struct sp_run_dir *dir, struct sp_error *error) {
  enum sp_err err = SP_OK;
  for (size_t i = 0; i < properties->n && !err; i++) {
    const struct sp_property *p = &properties->items[i];
    sp_arguments_word(args, "-X");
    if (!sp_property_is_secret(p->name)) {
      sp_arguments_add(args, sp_format("%s=%s", p->name, p->value));
      continue;
    }
    char *name = sp_format("broker-%zu", i), *path = sp_run_dir_file(dir, name);
    err = sp_files_write(path, sp_bytes_of_text(p->value), error);
    sp_arguments_add(args, sp_format("%s=@%s", p->name, path));
    free(path);
    free(name);
  }
  return err;
}

// What earlier runs left in a topic is not answered again, at the cost of this one: a group of the run's own begins behind it.
static void add_skip(struct sp_arguments *args, const struct sp_trial_plan *plan, const char *run_id,
                     const struct sp_broker *broker) {
  if (plan->side->app.group || !sp_apps_are_ours(plan->scenario, plan->side)) return;
  char *group = sp_apps_own_group(run_id);
  sp_arguments_word(args, "--skip");
  sp_arguments_add(args, sp_format("%s:%s", group, broker->input));
  free(group);
}

static enum sp_err ask_topics(const struct sp_trial_plan *plan, struct sp_run_dir *dir,
                              struct sp_supervisor *supervisor, const struct sp_broker *broker,
                              const char *run_id, bool deletes, struct sp_error *error) {
  const struct sp_topics_conf *topics = &plan->scenario->topics;
  struct sp_arguments args = {0};
  struct sp_child child = {0};
  sp_arguments_verb(&args, "topics");
  sp_arguments_word(&args, broker->address);
  if (deletes) {
    sp_arguments_pair(&args, "--delete", broker->input);
    sp_arguments_pair(&args, "--delete", broker->output);
  } else {
    if (topics->reuse) sp_arguments_word(&args, "--reuse");
    if (topics->reuse) add_skip(&args, plan, run_id, broker);
    add_topic(&args, "--create", broker->input, topics->partitions);
    add_topic(&args, "--create", broker->output, topics->partitions);
  }
  enum sp_err err = sp_broker_add_properties(&args, &plan->scenario->kafka.producer, dir, error);
  if (!err) err = sp_trial_child_start(&child, "topics", &args, NULL, dir, -1, error);
  if (!err) err = sp_trial_child_finish(&child, supervisor, TOPICS_NS, error);
  sp_child_free(&child);
  sp_arguments_done(&args);
  return err;
}

// Somebody else's to start and to end; the topics are this trial's.
static void take_shared(const struct sp_broker *shared, struct sp_broker *broker) {
  broker->kind = shared->kind;
  broker->address = sp_copy_text(shared->address);
  broker->version = sp_copy_text(shared->version);
  broker->pid = shared->pid;
}

char *sp_broker_told(const struct sp_broker *broker) {
  SP_ASSERT(broker->address && broker->pid > 0);
  return sp_format(TOLD
                   "={\"kind\":\"%s\",\"address\":\"%s\",\"version\":\"%s\",\"pid\":%d,\"started\":%llu}",
                   broker->kind, broker->address, broker->version ? broker->version : "", (int)broker->pid,
                   (unsigned long long)sp_process_start_ticks(broker->pid));
}

// Whether a broker that the scenario names is the very one we were told of: the address, and a process that is still that one.
static bool is_told(const char *told, const char *address) {
  char *kind = sp_trial_line_text(told, "kind"), *at = sp_trial_line_text(told, "address");
  int64_t pid = sp_trial_line_count(told, "pid"), started = sp_trial_line_count(told, "started");
  bool is_it = kind && at && strcmp(kind, "kafka") == 0 && strcmp(at, address) == 0 && pid > 0 &&
               pid <= INT_MAX && started > 0 && sp_process_start_ticks((pid_t)pid) == (uint64_t)started;
  free(kind);
  free(at);
  return is_it;
}

// A broker that is there already: a stranger, unless who started us started it too.
static void take_named(const char *address, struct sp_broker *broker) {
  const char *told = getenv(TOLD);
  broker->address = sp_copy_text(address);
  if (!told || !is_told(told, address)) return;
  broker->kind = "kafka";
  broker->version = sp_trial_line_text(told, "version");
  broker->pid = (pid_t)sp_trial_line_count(told, "pid");
}

enum sp_err sp_broker_launch(const struct sp_trial_plan *plan, const char *run_id,
                             const struct sp_placement *placement, struct sp_run_dir *dir,
                             struct sp_broker *broker, struct sp_error *error) {
  const struct sp_stream_conf *stream = &plan->scenario->stream;
  *broker = (struct sp_broker){0};
  if (stream->transport != SP_TRANSPORT_KAFKA) return SP_OK;
  bool is_mock = strcmp(stream->broker, "mock") == 0, is_kafka = strcmp(stream->broker, "kafka") == 0;
  broker->kind = is_mock ? "mock" : is_kafka ? "kafka" : "external";
  broker->wire_run = wire_run_of(plan, run_id);
  name_topics(plan, run_id, broker);
  if (plan->broker && is_kafka) {
    take_shared(plan->broker, broker);
    return SP_OK;
  }
  if (is_mock || is_kafka) return launch_own(plan, placement, dir, broker, error);
  take_named(stream->broker, broker);
  return SP_OK;
}

enum sp_err sp_broker_await(const struct sp_trial_plan *plan, const char *run_id, struct sp_run_dir *dir,
                            struct sp_supervisor *supervisor, struct sp_broker *broker,
                            struct sp_error *error) {
  if (!broker->kind) return SP_OK;
  enum sp_err err = broker->child.pid ? sp_broker_await_ready(supervisor, broker, error) : SP_OK;
  if (err || strcmp(broker->kind, "mock") == 0) return err;
  err = ask_topics(plan, dir, supervisor, broker, run_id, false, error);
  broker->owns_topics = !err && !plan->scenario->topics.reuse;
  return err;
}

enum sp_err sp_broker_start(const struct sp_trial_plan *plan, const char *run_id,
                            const struct sp_placement *placement, struct sp_run_dir *dir,
                            struct sp_supervisor *supervisor, struct sp_broker *broker,
                            struct sp_error *error) {
  enum sp_err err = sp_broker_launch(plan, run_id, placement, dir, broker, error);
  return err ? err : sp_broker_await(plan, run_id, dir, supervisor, broker, error);
}

// --- While it runs, and the end ---

void sp_broker_watch(struct sp_broker *broker, struct sp_marks *marks) {
  const char *line;
  if (!broker->child.pid) return;
  while ((line = sp_child_next_line(&broker->child))) {
    if (!strstr(line, "\"event\":\"dropped\"")) continue;
    char *topic = sp_trial_line_text(line, "topic");
    sp_marks_add(marks, "broker dropped %lld messages of %s",
                 (long long)sp_trial_line_count(line, "messages"), topic ? topic : "a topic");
    free(topic);
  }
  if (!broker->child.has_ended || broker->was_end_marked) return;
  char status[64];
  broker->was_end_marked = true;
  sp_marks_add(marks, "broker %s", sp_child_status_text(&broker->child, status, sizeof status));
}

void sp_broker_stop(const struct sp_trial_plan *plan, struct sp_run_dir *dir,
                    struct sp_supervisor *supervisor, struct sp_broker *broker) {
  struct sp_error why;
  bool must_delete = broker->owns_topics && !broker->child.pid; // or they end with it
  if (must_delete && ask_topics(plan, dir, supervisor, broker, NULL, true, &why)) {
    fprintf(stderr, "servepath run: topics %s and %s may be left on %s: %s\n", broker->input, broker->output,
            broker->address, why.text);
  }
  sp_child_stop(&broker->child, GRACE_NS);
  sp_child_free(&broker->child);
  free(broker->address);
  free(broker->version);
  free(broker->input);
  free(broker->output);
  free(broker->wire_run);
  *broker = (struct sp_broker){0};
}
