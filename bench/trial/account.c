// CPU and memory. Process clocks for processes, thread clocks for roles that share one; all in ns, read by one thread.
#include "trial/account.h"

#include <string.h>
#include <unistd.h>

#include "os/machine.h"

#define GROUPS_NS (2 * SP_NS_PER_S) // between looks at groups, each of which reads all of /proc

// mark: of those that left the group as daemons; NULL: none is known.
static int64_t cpu_ns_of(pid_t pid, bool is_group, const char *mark) {
  return is_group ? sp_cpu_ns_of_group(pid, mark) : sp_cpu_ns_of(pid);
}
static struct sp_memory memory_of(pid_t pid, bool is_group, const char *mark) {
  return is_group ? sp_memory_of_group(pid, mark) : sp_memory_of(pid);
}

static void take_apps(struct sp_trial_session *s) {
  for (size_t i = 0; i < s->plan->n_apps; i++) {
    int64_t cpu_ns = cpu_ns_of(s->plan->app_pids[i], s->plan->apps_are_groups, s->app_marks[i]);
    if (cpu_ns > s->apps_cpu_ns[i]) s->apps_cpu_ns[i] = cpu_ns;
  }
}

void sp_account_watch(struct sp_trial_session *s) {
  int64_t now_ns = sp_now_ns();
  if (s->plan->apps_are_groups && now_ns - s->apps_looked_ns < GROUPS_NS) return;
  s->apps_looked_ns = now_ns;
  take_apps(s);
}

static int64_t apps_cpu_ns(struct sp_trial_session *s) {
  int64_t sum_ns = 0;
  take_apps(s);
  for (size_t i = 0; i < s->plan->n_apps; i++) sum_ns += s->apps_cpu_ns[i];
  return s->plan->n_apps ? sum_ns : -1;
}

void sp_reading_take(struct sp_trial_session *s, struct sp_reading *reading) {
  reading->at_ns = sp_now_ns();
  reading->process_ns = sp_cpu_process_ns();
  reading->control_ns = sp_cpu_thread_ns();
  reading->pacer_ns = sp_thread_cpu_ns(&s->pacer_thread);
  reading->collector_ns = sp_thread_cpu_ns(&s->collector_thread);
  reading->workers_ns = s->side.app ? sp_app_cpu_ns(s->side.app) : 0;
  reading->server_ns =
      s->plan->server_pid ? cpu_ns_of(s->plan->server_pid, s->plan->server_is_group, NULL) : -1;
  reading->apps_ns = apps_cpu_ns(s);
  reading->broker_ns = s->plan->broker_pid ? sp_cpu_ns_of(s->plan->broker_pid) : -1;
  reading->relay_ns = s->plan->relay_pid ? sp_cpu_ns_of(s->plan->relay_pid) : -1;
  reading->n_completed = sp_tally_get(&s->tally->n_completed);
  reading->clock_offset_ns = sp_machine_clock_offset_ns();
  sp_cpu_reading_take(&reading->machine, NULL);
}

// Seconds of a process between the readings; -1 where it is not ours, or did not live through them.
static double process_s(int64_t from_ns, int64_t to_ns) {
  return from_ns >= 0 && to_ns >= from_ns ? (double)(to_ns - from_ns) * 1e-9 : -1;
}

static void set_if_known(struct sp_amounts *amounts, const char *name, double value) {
  if (value >= 0) sp_amounts_set(amounts, name, value);
}

struct cpu {
  double app_s, server_s, broker_s, relay_s; // -1: unknown
};

// Direct: the application's share of the driver's process is all that is not pacing, collecting or supervising: its workers,
// and the threads of the libraries that they use. Kafka: the whole process is the driver's, librdkafka's threads too.
static struct cpu fill_cpu(struct sp_trial_session *s) {
  const struct sp_reading *a = &s->at_t0, *b = &s->at_end;
  struct sp_result *r = s->result;
  double pacer_s = (double)(b->pacer_ns - a->pacer_ns) * 1e-9;
  double collector_s = (double)(b->collector_ns - a->collector_ns) * 1e-9;
  double control_s = (double)(b->control_ns - a->control_ns) * 1e-9;
  double rest_s = (double)(b->process_ns - a->process_ns) * 1e-9 - pacer_s - collector_s - control_s;
  if (rest_s < 0) rest_s = 0; // clocks of threads and process are not read at one instant
  double driver_s = pacer_s + collector_s + control_s + (s->kafka ? rest_s : 0);
  struct cpu cpu = {.app_s = s->kafka ? process_s(a->apps_ns, b->apps_ns) : rest_s,
                    .server_s = process_s(a->server_ns, b->server_ns),
                    .broker_s = process_s(a->broker_ns, b->broker_ns),
                    .relay_s = process_s(a->relay_ns, b->relay_ns)};
  sp_amounts_set(&r->cpu_s, "driver", driver_s);
  set_if_known(&r->cpu_s, "app", cpu.app_s);
  set_if_known(&r->cpu_s, "server", cpu.server_s);
  set_if_known(&r->cpu_s, "broker", cpu.broker_s);
  set_if_known(&r->cpu_s, "relay", cpu.relay_s);
  sp_amounts_set(&r->cpu_role_s, "pacer", pacer_s);
  sp_amounts_set(&r->cpu_role_s, "collector", collector_s);
  sp_amounts_set(&r->cpu_role_s, "control", control_s);
  if (s->kafka)
    sp_amounts_set(&r->cpu_role_s, "kafka", rest_s);
  else
    sp_amounts_set(&r->cpu_role_s, "path", (double)(b->workers_ns - a->workers_ns) * 1e-9);
  return cpu;
}

static void fill_memory(struct sp_trial_session *s) {
  struct sp_amounts *rss = &s->result->rss_bytes;
  int64_t apps_bytes = 0;
  sp_amounts_set(rss, "driver", (double)sp_memory_of(getpid()).peak_bytes);
  for (size_t i = 0; i < s->plan->n_apps; i++) {
    int64_t bytes = memory_of(s->plan->app_pids[i], s->plan->apps_are_groups, s->app_marks[i]).peak_bytes;
    apps_bytes += bytes > 0 ? bytes : 0;
  }
  if (apps_bytes > 0) sp_amounts_set(rss, "app", (double)apps_bytes);
  int64_t server_bytes =
      s->plan->server_pid ? memory_of(s->plan->server_pid, s->plan->server_is_group, NULL).peak_bytes : -1;
  if (server_bytes > 0) sp_amounts_set(rss, "server", (double)server_bytes);
  int64_t broker_bytes = s->plan->broker_pid ? sp_memory_of(s->plan->broker_pid).peak_bytes : -1;
  if (broker_bytes > 0) sp_amounts_set(rss, "broker", (double)broker_bytes);
  int64_t relay_bytes = s->plan->relay_pid ? sp_memory_of(s->plan->relay_pid).peak_bytes : -1;
  if (relay_bytes > 0) sp_amounts_set(rss, "relay", (double)relay_bytes);
}

void sp_account_fill(struct sp_trial_session *s) {
  struct cpu cpu = fill_cpu(s);
  // What failed at once is cheap: it must not make the answers look cheap.
  int64_t n_completed = s->at_end.n_completed - s->at_t0.n_completed;
  struct sp_amounts *per_event = &s->result->cpu_us_per_event;
  // The applications answer for all drivers of a load: what an event costs, only all of them together know (merge).
  if (n_completed > 0 && !s->share.is_own) {
    double us = 1e6 / (double)n_completed;
    bool has_server = cpu.server_s >= 0, needs_server = s->plan->server_address != NULL;
    set_if_known(per_event, "app", cpu.app_s * us);
    set_if_known(per_event, "server", cpu.server_s * us);
    set_if_known(per_event, "broker", cpu.broker_s * us);
    set_if_known(per_event, "relay", cpu.relay_s * us); // ours, not the deployment's: in no total
    if (cpu.app_s >= 0 && (has_server || !needs_server))
      sp_amounts_set(per_event, "total", (cpu.app_s + (has_server ? cpu.server_s : 0)) * us);
  }
  fill_memory(s);
}

double sp_account_driver_core_busy(const struct sp_trial_session *s) {
  if (sp_cpus_count(&s->placement.driver) != 1) return -1;
  return sp_cpu_busy_share(&s->at_t0.machine, &s->machine_at_t1, sp_cpus_nth(&s->placement.driver, 0));
}
