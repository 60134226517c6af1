// servepath: the table of verbs.
#include <stdio.h>
#include <string.h>

#include "base/version.h"
#include "cmd/verbs.h"

static const struct verb {
  const char *name;
  const char *group; // NULL: hidden
  const char *help;
  int (*run)(int argc, char **argv);
} verbs[] = {
    {"run", "Measure", "replay a recording through one side of a scenario", sp_cmd_run},
    {"merge", "Measure", "the shards of one load as one result", sp_cmd_merge},
    {"verify", "Test", "check every prediction of a scenario against the expected ones", sp_cmd_verify},
    {"with", "Test", "run a command with broker, topics and model server", sp_cmd_with},
    {"compare", "Decide", "two or more sides in pairs of trials, and what differs", sp_cmd_compare},
    {"search", "Decide", "the highest rate that each side sustains", sp_cmd_search},
    {"gate", "Decide", "whether a candidate is worse than a base, for CI", sp_cmd_gate},
    {"report", "Decide", "print stored results as one table", sp_cmd_report},
    {"new", "Data", "a scenario for your own data and model", sp_cmd_new},
    {"import", "Data", "CSV, JSON lines or kcat output to a recording", sp_cmd_import},
    {"export", "Data", "a recording to CSV, JSON lines or kcat's form", sp_cmd_export},
    {"record", "Data", "a live Kafka topic to a recording", sp_cmd_record},
    {"inspect", "Data", "describe a recording or a result", sp_cmd_inspect},
    {"app", "Parts", "the streaming application between two Kafka topics", sp_cmd_app},
    {"model-server", "Parts", "the reference model server", sp_cmd_model_server},
    {"broker", "Parts", "librdkafka's mock Kafka cluster", sp_cmd_broker},
    {"topics", "Parts", "wait for a broker; make, remove, list topics", sp_cmd_topics},
    {"doctor", "Parts", "say what this machine has and what would disturb a measurement", sp_cmd_doctor},
    {"reference", NULL, "schema and reference page, from the tables", sp_cmd_reference},
    {"relay", NULL, "a TCP relay that breaks what passes", sp_cmd_relay},
    {"driver", NULL, "a trial's driver process", sp_cmd_driver},
};
#define N_VERBS (sizeof verbs / sizeof verbs[0])

static void print_use(FILE *to) {
  fprintf(to, "servepath VERB [OPTIONS]: should a model run inside the streaming application, or behind an "
              "RPC server?\n");
  const char *group = "";
  for (size_t i = 0; i < N_VERBS; i++) {
    if (!verbs[i].group) continue;
    fprintf(to, "  %-8s %-13s %s\n", strcmp(group, verbs[i].group) ? verbs[i].group : "", verbs[i].name,
            verbs[i].help);
    group = verbs[i].group;
  }
  fprintf(to, "next: servepath VERB --help, or: servepath run fixtures/fraud\n");
}

int main(int argc, char **argv) {
  if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
    print_use(argc < 2 ? stderr : stdout);
    return argc < 2 ? 64 : 0;
  }
  if (strcmp(argv[1], "--version") == 0) {
    printf("servepath %s\n", SP_VERSION);
    return 0;
  }
  for (size_t i = 0; i < N_VERBS; i++) {
    if (strcmp(argv[1], verbs[i].name) == 0) return verbs[i].run(argc - 1, argv + 1);
  }
  fprintf(stderr, "servepath: unknown verb %s; servepath --help lists them\n", argv[1]);
  return 64;
}
