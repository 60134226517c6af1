// servepath doctor: what this machine has, and what would disturb a measurement; one line each, with a remedy.
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/args.h"
#include "base/clock.h"
#include "base/units.h"
#include "base/version.h"
#include "cmd/doctor_probe.h"
#include "cmd/verbs.h"
#include "engine/engines.h"
#include "os/affinity.h"
#include "os/cpu.h"
#include "os/files.h"
#include "os/machine.h"
#include "os/terminal.h"
#include "os/thread.h"
#include "rpc/library.h"

enum state { STATE_OK, STATE_WARN, STATE_MISSING };
static const char *const state_names[] = {"ok", "warn", "missing"};

struct finding {
  const char *name;
  enum state state;
  char text[256];
  const char *remedy; // NULL: nothing to do
};

struct report {
  struct finding findings[32];
  size_t n;
  struct sp_machine machine;
};

// Adds a line. `remedy` counts only where the state is not ok.
static void find(struct report *report, const char *name, enum state state, const char *remedy,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));
static void find(struct report *report, const char *name, enum state state, const char *remedy,
                 const char *format, ...) {
  SP_ASSERT(report->n < sizeof report->findings / sizeof report->findings[0]);
  struct finding *finding = &report->findings[report->n++];
  *finding = (struct finding){.name = name, .state = state, .remedy = state == STATE_OK ? NULL : remedy};
  va_list args;
  va_start(args, format);
  vsnprintf(finding->text, sizeof finding->text, format, args);
  va_end(args);
}

static enum state warn_if(bool is_bad) {
  return is_bad ? STATE_WARN : STATE_OK;
}

// --- What is there ---

static void find_machine(struct report *report) {
  const struct sp_machine *machine = &report->machine;
  char memory[SP_UNITS_TEXT_BYTES], limit[SP_UNITS_TEXT_BYTES] = "";
  find(report, "system", STATE_OK, NULL, "%.80s, Linux %.60s, %.20s", machine->os, machine->kernel,
       machine->architecture);
  find(report, "processor", STATE_OK, NULL, "%.100s%s%.60s", machine->cpu_model,
       machine->hypervisor[0] ? ", virtual: " : "", machine->hypervisor);
  uint64_t usable = machine->memory_bytes;
  if (machine->cgroup_memory_bytes && machine->cgroup_memory_bytes < usable) {
    usable = machine->cgroup_memory_bytes;
    snprintf(limit, sizeof limit, " (limit of the container)");
  }
  find(report, "memory", warn_if(usable < UINT64_C(1) << 30), "a trial needs about 1 GiB; raise the limit",
       "%s%s", sp_units_print_size(usable, memory, sizeof memory), limit);
}

static void do_nothing(void *context) {
  (void)context;
}

static bool can_use(int cpu) {
  struct sp_cpus one = sp_cpus_one(cpu);
  struct sp_thread thread;
  if (sp_thread_start(&thread, "sp-place", &one, do_nothing, NULL, NULL)) return false;
  sp_thread_join(&thread);
  return true;
}

static void find_cores(struct report *report) {
  const struct sp_machine *machine = &report->machine;
  find(report, "cores", warn_if(machine->n_cpus_allowed < 2),
       "driver and application share one core: results say co-located; allow two (taskset, cpuset)",
       "%u, this process may use %u: %.60s", machine->n_cpus, machine->n_cpus_allowed, machine->cpus_allowed);
  bool has_0 = can_use(0), has_1 = can_use(1);
  find(report, "placement", warn_if(!has_0 || !has_1),
       "name two that are allowed: --cpus driver=A,app=B,server=B", "processor 0 %s, processor 1 %s",
       has_0 ? "can be used" : "cannot be used", has_1 ? "can be used" : "cannot be used");
  if (machine->cgroup_cpus >= 0)
    find(report, "quota", warn_if(machine->cgroup_cpus < machine->n_cpus_allowed),
         "the container is stopped when its share is used up: raise its CPU limit", "%.2f processors",
         machine->cgroup_cpus);
  if (machine->governor[0])
    find(report, "governor", warn_if(strcmp(machine->governor, "performance") != 0),
         "cpupower frequency-set -g performance", "%s", machine->governor);
}

// The first of the list is what a side runs unless told otherwise; the others are there for those who want them.
static void find_engine(struct report *report, const struct sp_engine_ops *engine, bool is_default) {
  struct sp_error error;
  bool is_there = engine->load(&error) == SP_OK;
  enum state state = is_there ? STATE_OK : is_default ? STATE_MISSING : STATE_WARN;
  find(report, engine->name, state, is_default ? NULL : "needed only for sides that name this engine", "%s",
       is_there ? engine->library_version() : error.text);
}

static void find_libraries(struct report *report) {
  for (size_t i = 0; sp_engine_nth(i); i++) find_engine(report, sp_engine_nth(i), i == 0);
  find(report, "grpc", STATE_OK, NULL, "C core %s", sp_grpc_version());
}

static void find_limits(struct report *report) {
  const struct sp_machine *machine = &report->machine;
  char text[SP_UNITS_TEXT_BYTES];
  find(report, "open files", warn_if(machine->max_open_files < 1024), "ulimit -n 4096", "%s",
       machine->max_open_files == UINT64_MAX
           ? "unlimited"
           : sp_units_print_count(machine->max_open_files, text, sizeof text));
  const char *folder = access("results", F_OK) == 0 ? "results" : ".";
  size_t free_bytes = sp_files_free_bytes(folder);
  bool is_writable = access(folder, W_OK) == 0;
  find(report, "results", warn_if(!is_writable || free_bytes < (size_t)1 << 30),
       is_writable ? "free some space, or write elsewhere with --out DIR" : "write elsewhere with --out DIR",
       "%s, %s free", is_writable ? "writable" : "the folder is not writable",
       free_bytes == SIZE_MAX ? "unknown space" : sp_units_print_size(free_bytes, text, sizeof text));
}

// --- What is measured ---

static void find_clock(struct report *report) {
  char text[SP_UNITS_TEXT_BYTES];
  int64_t read_ns = sp_probe_clock_ns();
  find(report, "clock", warn_if(read_ns > 200), "stamps cost too much: boot with clocksource=tsc",
       "%s, %s a reading", report->machine.clocksource[0] ? report->machine.clocksource : "unknown",
       sp_units_print_duration(read_ns, text, sizeof text));
  int slack_ns = prctl(PR_GET_TIMERSLACK);
  find(report, "timer slack", STATE_OK, NULL, "%s; threads of a trial set 1ns",
       sp_units_print_duration(slack_ns, text, sizeof text));
}

static void find_probe(struct report *report, const char *name, int64_t limit_ns, const char *remedy,
                       enum sp_err (*run)(struct sp_probe *, struct sp_error *)) {
  char p50[SP_UNITS_TEXT_BYTES], p99[SP_UNITS_TEXT_BYTES], max[SP_UNITS_TEXT_BYTES];
  struct sp_probe probe;
  struct sp_error error;
  if (run(&probe, &error)) {
    find(report, name, STATE_MISSING, "raise the limit on threads (ulimit -u)", "%.200s", error.text);
    return;
  }
  find(report, name, warn_if(probe.p99_ns > limit_ns), remedy, "late by p50 %s, p99 %s, at most %s",
       sp_units_print_duration(probe.p50_ns, p50, sizeof p50),
       sp_units_print_duration(probe.p99_ns, p99, sizeof p99),
       sp_units_print_duration(probe.max_ns, max, sizeof max));
}

static void find_disturbance(struct report *report, const struct sp_cpu_reading *from,
                             const struct sp_cpu_reading *to) {
  char stolen_text[SP_UNITS_TEXT_BYTES], busy_text[SP_UNITS_TEXT_BYTES];
  double stolen = sp_cpu_stolen_share(from, to);
  double all = (double)(to->all.busy + to->all.idle + to->all.stolen) -
               (double)(from->all.busy + from->all.idle + from->all.stolen);
  double busy = all > 0 ? ((double)to->all.busy - (double)from->all.busy) / all : 0;
  find(report, "stolen", warn_if(stolen > 0.02),
       "the hypervisor gives the cores to others: measure elsewhere or later", "%s of CPU time",
       sp_units_print_share(stolen, stolen_text, sizeof stolen_text));
  find(report, "other work", warn_if(busy > 0.25), "something else runs here: end it before measuring",
       "%s of CPU time busy meanwhile", sp_units_print_share(busy, busy_text, sizeof busy_text));
}

static void measure(struct report *report) {
  static struct sp_cpu_reading from, to;
  bool has_reading = !sp_cpu_reading_take(&from, NULL);
  find_clock(report);
  find_probe(report, "pacing", SP_NS_PER_MS,
             "more than 1 % late by 1ms makes a trial invalid: quieten the machine", sp_probe_pacing);
  find_probe(report, "waking", SP_NS_PER_MS, "--wait spin or --wait hybrid avoids most sleeps",
             sp_probe_wake);
  if (has_reading && !sp_cpu_reading_take(&to, NULL)) find_disturbance(report, &from, &to);
}

// --- Output ---

static enum state worst(const struct report *report) {
  enum state state = STATE_OK;
  for (size_t i = 0; i < report->n; i++) {
    if (report->findings[i].state > state) state = report->findings[i].state;
  }
  return state;
}

static void print_lines(const struct report *report) {
  static const char *const colors[] = {"\033[32m", "\033[33m", "\033[31m"};
  bool has_color = sp_terminal_has_color(STDOUT_FILENO);
  for (size_t i = 0; i < report->n; i++) {
    const struct finding *finding = &report->findings[i];
    printf("%s%-7s%s  %-12s %s%s%s\n", has_color ? colors[finding->state] : "", state_names[finding->state],
           has_color ? "\033[0m" : "", finding->name, finding->text, finding->remedy ? "; " : "",
           finding->remedy ? finding->remedy : "");
  }
  if (worst(report) == STATE_MISSING)
    printf("next: scripts/setup\n");
  else
    printf("next: servepath run fixtures/fraud\n");
}

static void print_json(const struct report *report) {
  json_t *findings = json_array();
  for (size_t i = 0; i < report->n; i++) {
    const struct finding *finding = &report->findings[i];
    json_t *item = json_pack("{s:s,s:s,s:s,s:s?}", "name", finding->name, "state",
                             state_names[finding->state], "text", finding->text, "remedy", finding->remedy);
    if (item) json_array_append_new(findings, item);
  }
  json_t *json =
      json_pack("{s:s,s:s,s:s,s:o}", "version", SP_VERSION, "fingerprint", report->machine.fingerprint,
                "verdict", state_names[worst(report)], "findings", findings);
  char *text = json_dumps(json, JSON_INDENT(2));
  puts(text);
  free(text);
  json_decref(json);
}

static const struct sp_option options[] = {{"--json", 0, NULL, NULL, "the findings as JSON"}, {0}};
const struct sp_option *const sp_cmd_doctor_options = options;

static int print_help(void) {
  puts("servepath doctor [--json]: says what this machine has and what would disturb a measurement; takes 2 "
       "s.\n"
       "Exit: 0, or 3 if something that is needed is missing; warnings do not count.");
  sp_args_print_options(stdout, options);
  return 0;
}

static int examine(bool as_json) {
  static struct report report;
  sp_machine_read(&report.machine);
  find_machine(&report);
  find_cores(&report);
  find_libraries(&report);
  find_limits(&report);
  measure(&report);
  if (as_json)
    print_json(&report);
  else
    print_lines(&report);
  return worst(&report) == STATE_MISSING ? sp_exit_code(SP_ERR_ENVIRONMENT) : 0;
}

int sp_cmd_doctor(int argc, char **argv) {
  struct sp_args args = sp_args_of("doctor", argc, argv, options);
  const struct sp_option *option;
  const char *value;
  struct sp_error error;
  bool as_json = false;
  for (;;) {
    switch (sp_args_next(&args, &option, &value, &error)) {
    case SP_ARG_END: return examine(as_json);
    case SP_ARG_OPTION: as_json = true; break;
    case SP_ARG_HELP: return print_help();
    case SP_ARG_OPERAND:
      sp_fail(&error, SP_ERR_USAGE, "takes no %.60s; servepath doctor --help", value); // fall through
    case SP_ARG_ERROR: fprintf(stderr, "servepath doctor: %s\n", error.text); return 64;
    }
  }
}
