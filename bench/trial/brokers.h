// The broker of a trial and its topics: started, found or left alone, and taken away again.
#ifndef SP_TRIAL_BROKERS_H
#define SP_TRIAL_BROKERS_H

#include "os/files.h"
#include "os/process.h"
#include "trial/arguments.h"
#include "trial/marks.h"
#include "trial/placement.h"
#include "trial/trial.h"

struct sp_broker {
  const char *
      kind; // "mock", "kafka" (started here or by our parent), "external"; NULL: transport direct, and nothing else is set
  char *address;
  char *version;        // "4.3.1"; NULL: unknown
  char *input, *output; // topics
  char *wire_run;       // sp-run of this trial's messages, hexadecimal; NULL: collect answers of any run
  bool owns_topics;     // made by us: deleted at the end
  struct sp_child child;
  pid_t pid; // that serves, to account for; 0: not ours
  bool was_end_marked;
};

// Starts or finds the side's broker, waits until it answers, and makes the topics. run_id: 32 hexadecimal digits.
// SP_ERR_ENVIRONMENT: it cannot be started or reached; a topic exists (without --reuse-topics).
enum sp_err sp_broker_start(const struct sp_trial_plan *plan, const char *run_id,
                            const struct sp_placement *placement, struct sp_run_dir *dir,
                            struct sp_supervisor *supervisor, struct sp_broker *broker,
                            struct sp_error *error);
// The same in two steps, for who has something else to start while the broker does: it is launched (NULL kind: nothing to do), and
// awaited, with its topics.
enum sp_err sp_broker_launch(const struct sp_trial_plan *plan, const char *run_id,
                             const struct sp_placement *placement, struct sp_run_dir *dir,
                             struct sp_broker *broker, struct sp_error *error);
enum sp_err sp_broker_await(const struct sp_trial_plan *plan, const char *run_id, struct sp_run_dir *dir,
                            struct sp_supervisor *supervisor, struct sp_broker *broker,
                            struct sp_error *error);
// Only until a broker of ours answers; makes no topics.
enum sp_err sp_broker_await_ready(struct sp_supervisor *supervisor, struct sp_broker *broker,
                                  struct sp_error *error);
// "NAME=value" for the environment of a servepath that is to run trials over that broker by its address: kind, version and process, so that
// it is the same broker there as in a trial that started it, accounted for like one. Programs that do not know it take it for somebody
// else's. broker: of ours, ready. From malloc.
char *sp_broker_told(const struct sp_broker *broker);
// librdkafka properties as -X of a child of ours. A secret is no argument, which anybody may list: the child reads it from a file
// in the run's folder.
enum sp_err sp_broker_add_properties(struct sp_arguments *args, const struct sp_properties *properties,
                                     struct sp_run_dir *dir, struct sp_error *error);
// Takes what it has said; marks its end, once.
void sp_broker_watch(struct sp_broker *broker, struct sp_marks *marks);
// Deletes the topics that are ours where the broker is not, ends the broker, and frees what *broker holds. Topics that cannot be
// deleted are named on stderr. Zeroed is allowed.
void sp_broker_stop(const struct sp_trial_plan *plan, struct sp_run_dir *dir,
                    struct sp_supervisor *supervisor, struct sp_broker *broker);

#endif
