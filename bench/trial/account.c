// CPU and memory. Process clocks for processes, thread clocks for roles that share one; all in ns, read by one thread.
#include "trial/account.h"

#include <string.h>
#include <unistd.h>

#include "os/machine.h"

void sp_reading_take(struct sp_trial_session *s, struct sp_reading *reading) {
  reading->at_ns = sp_now_ns();
  reading->process_ns = sp_cpu_process_ns();
  reading->control_ns = sp_cpu_thread_ns();
  reading->pacer_ns = sp_thread_cpu_ns(&s->pacer_thread);
  reading->collector_ns = sp_thread_cpu_ns(&s->collector_thread);
  reading->workers_ns = sp_app_cpu_ns(s->app);
  reading->server_ns = s->plan->server_pid ? sp_cpu_ns_of(s->plan->server_pid) : -1;
  reading->n_completed = sp_tally_get(&s->tally->n_completed);
  reading->clock_offset_ns = sp_machine_clock_offset_ns();
  sp_cpu_reading_take(&reading->machine, NULL);
}

// The application's share of the driver's process is all that is not pacing, collecting or supervising: its workers, and the
// threads of the libraries that they use.
static void fill_cpu(struct sp_trial_session *s, double *app_s, double *server_s) {
  const struct sp_reading *a = &s->at_t0, *b = &s->at_end;
  double pacer_s = (double)(b->pacer_ns - a->pacer_ns) * 1e-9;
  double collector_s = (double)(b->collector_ns - a->collector_ns) * 1e-9;
  double control_s = (double)(b->control_ns - a->control_ns) * 1e-9;
  double process_s = (double)(b->process_ns - a->process_ns) * 1e-9;
  struct sp_result *r = s->result;
  *app_s = process_s - pacer_s - collector_s - control_s;
  if (*app_s < 0) *app_s = 0; // clocks of threads and process are not read at one instant
  sp_amounts_set(&r->cpu_s, "driver", pacer_s + collector_s + control_s);
  sp_amounts_set(&r->cpu_s, "app", *app_s);
  sp_amounts_set(&r->cpu_role_s, "pacer", pacer_s);
  sp_amounts_set(&r->cpu_role_s, "collector", collector_s);
  sp_amounts_set(&r->cpu_role_s, "control", control_s);
  sp_amounts_set(&r->cpu_role_s, "path", (double)(b->workers_ns - a->workers_ns) * 1e-9);
  *server_s = -1;
  if (a->server_ns >= 0 && b->server_ns >= a->server_ns) {
    *server_s = (double)(b->server_ns - a->server_ns) * 1e-9;
    sp_amounts_set(&r->cpu_s, "server", *server_s);
  }
}

void sp_account_fill(struct sp_trial_session *s) {
  double app_s, server_s;
  fill_cpu(s, &app_s, &server_s);
  // What failed at once is cheap: it must not make the answers look cheap.
  int64_t n_completed = s->at_end.n_completed - s->at_t0.n_completed;
  struct sp_result *r = s->result;
  if (n_completed > 0) {
    double per_event = 1e6 / (double)n_completed;
    bool has_server = server_s >= 0, needs_server = s->plan->server_address != NULL;
    sp_amounts_set(&r->cpu_us_per_event, "app", app_s * per_event);
    if (has_server) sp_amounts_set(&r->cpu_us_per_event, "server", server_s * per_event);
    if (has_server || !needs_server) {
      sp_amounts_set(&r->cpu_us_per_event, "total", (app_s + (has_server ? server_s : 0)) * per_event);
    }
  }
  sp_amounts_set(&r->rss_bytes, "driver", (double)sp_memory_of(getpid()).peak_bytes);
  int64_t server_bytes = s->plan->server_pid ? sp_memory_of(s->plan->server_pid).peak_bytes : -1;
  if (server_bytes > 0) sp_amounts_set(&r->rss_bytes, "server", (double)server_bytes);
}

double sp_account_driver_core_busy(const struct sp_trial_session *s) {
  if (sp_cpus_count(&s->placement.driver) != 1) return -1;
  return sp_cpu_busy_share(&s->at_t0.machine, &s->machine_at_t1, sp_cpus_nth(&s->placement.driver, 0));
}
