// The driver child: wires recording, schedule, pacer, stream, application (direct transport), collector and meter together,
// takes them through the phases of one trial, and writes the result's measured part.
#ifndef SP_TRIAL_DRIVER_H
#define SP_TRIAL_DRIVER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "scenario/scenario.h"

struct sp_driver_plan {
  const struct sp_scenario *scenario;
  const struct sp_side *side;
  const char *out_dir; // the result's folder; exists
  const char *run_id;
  const char *server_address;               // rpc: where calls go; NULL otherwise
  const char *behind_relay;                 // where the server itself is, if that is a relay; NULL: it is not
  pid_t relay_pid;                          // of that relay; 0: there is none
  pid_t server_pid;                         // spawned by the supervisor; 0: not ours to account for
  bool server_is_group;                     // count its whole process group
  const char *server_kind, *server_version; // of one that others wrote; NULL: not known
  // Kafka: where the broker is; NULL: transport direct, and nothing of the following is set.
  const char *broker_address;
  const char *broker_kind;    // "mock", "kafka", "external"
  const char *broker_version; // NULL: unknown
  const char *input_topic, *output_topic;
  const char
      *wire_run; // sp-run of its messages, 32 hexadecimal digits; NULL: it only collects, answers of any run
  const char *app_group; // of the applications that the supervisor started; NULL: none
  const pid_t *app_pids;
  size_t n_apps;
  bool apps_are_groups;     // count their process groups: others wrote them
  const char *app_library;  // what predicts in those; NULL: ours, which is asked
  pid_t broker_pid;         // 0: not ours to account for
  int tally_fd;             // shared memory (os/shared.h) of one struct sp_tally; -1: private
  const char *answers_file; // gets the first answer of every recorded event (see trial/answers.h); NULL: none
  bool keep_raw;            // events.csv.zst
};

// Runs the trial in this process, which must be fresh: starts threads, blocks until the drain has ended, prints a JSON line
// on stdout when ready. SIGINT and SIGTERM (blocked by the caller, taken here) stop the pacer; what was measured is written
// and marked incomplete. SP_OK when result.json was written, whatever it says. Errors as sp_app_new, sp_schedule_new, files.
enum sp_err sp_driver_run(const struct sp_driver_plan *plan, struct sp_error *error);

#endif
