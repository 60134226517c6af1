// servepath record: a live Kafka topic to a recording.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/units.h"
#include "cmd/data.h"
#include "cmd/property_arg.h"
#include "cmd/verbs.h"
#include "import/record.h"

static const struct sp_option options[] = {
    {"--broker", 'b', "HOST:PORT", NULL, "the broker, or several by comma"},
    {"--output", 'o', "FILE", NULL, "the recording to write, e.g. cards.sprec"},
    {"--from", 0, "PLACE", "end",
     "beginning, end, an OFFSET in each partition, or a time: 2026-11-21T10:00:00Z"},
    {"--follow", 0, NULL, NULL, "started in the past: go on behind what is the topic's end now"},
    {"--limit", 0, "N", "none", "so many messages at most, as they come"},
    {"--duration", 0, "TIME", "none", "end after this time"},
    {"--drop", 0, "FIELD", NULL,
     "leave a field out: a JSON pointer such as /user/name, or the number of a CSV column; may be given "
     "several "
     "times"},
    {"--hash", 0, "FIELD", NULL, "replace a field by 32 digits of its XXH3 hash; may be given several times"},
    {"--hash-key", 0, NULL, NULL, "the same with the messages' keys"},
    {"--hash-secret", 0, "@FILE|$NAME", NULL,
     "hashed before each value, so that others cannot make the same digits"},
    {"--property", 'X', "NAME=VALUE", NULL, "a librdkafka property of consumers; a secret as @FILE or $NAME"},
    {"--connect-timeout", 0, "TIME", "10s", "how long the broker may take to answer"},
    {"--name", 0, "TEXT", "the output's name", "of the stream"},
    {"--source", 0, "TEXT", "the topic's name", "where the events come from"},
    {"--licence", 0, "TEXT", NULL, "of the events, and whom to attribute"},
    {"--note", 0, "TEXT", NULL, "what a reader must know"},
    {"--content-type", 0, "TYPE", "by the fields", "of the values"},
    {"--json", 0, NULL, NULL, "print what was done as JSON"},
    {0}};
const struct sp_option *const sp_cmd_record_options = options;

struct job {
  struct sp_record_conf conf;
  struct sp_redaction redactions[SP_REDACTIONS_MAX];
  struct sp_property items[SP_PROPERTY_ARGS_MAX];
  struct sp_properties properties; // in `items`
  char *secret;
  bool is_json;
};

static bool set_text(struct sp_record_conf *conf, const char *flag, const char *value) {
  const struct {
    const char *flag, **to;
  } texts[] = {{"--broker", &conf->kafka.brokers},
               {"--output", &conf->output},
               {"--name", &conf->name},
               {"--source", &conf->source},
               {"--licence", &conf->licence},
               {"--note", &conf->note},
               {"--content-type", &conf->content_type}};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    if (strcmp(texts[i].flag, flag) != 0) continue;
    *texts[i].to = value;
    return true;
  }
  return false;
}

static enum sp_err set_from(struct sp_record_conf *conf, const char *value, struct sp_error *error) {
  uint64_t offset;
  int64_t time_ns;
  conf->start = (struct sp_tap_start){0};
  if (strcmp(value, "end") == 0) return SP_OK;
  if (strcmp(value, "beginning") == 0) {
    conf->start.from_beginning = true;
  } else if (sp_units_parse_count(value, &offset, NULL) == SP_OK && offset <= INT64_MAX) {
    conf->start.has_offset = true;
    conf->start.offset = (int64_t)offset;
  } else if (sp_when_parse(sp_bytes_of_text(value), SP_WHEN_ISO8601, &time_ns) && time_ns >= SP_NS_PER_MS) {
    conf->start.time_ms = time_ns / SP_NS_PER_MS;
  } else {
    return sp_fail(
        error, SP_ERR_USAGE,
        "--from: \"%.60s\" is no place; write beginning, end, an offset such as 4711, or a time such as "
        "2026-11-21T10:00:00Z",
        value);
  }
  return SP_OK;
}

static enum sp_err add_redaction(struct job *job, const char *field, bool is_hashed, struct sp_error *error) {
  if (job->conf.n_redactions == SP_REDACTIONS_MAX)
    return sp_fail(error, SP_ERR_USAGE, "more than %d fields to drop or hash", SP_REDACTIONS_MAX);
  job->redactions[job->conf.n_redactions++] = (struct sp_redaction){field, is_hashed};
  return SP_OK;
}

static enum sp_err set_quantity(struct sp_record_conf *conf, const char *flag, const char *value,
                                struct sp_error *error) {
  struct sp_error why;
  enum sp_err err = SP_OK;
  if (strcmp(flag, "--limit") == 0) err = sp_units_parse_count(value, &conf->limit, &why);
  if (strcmp(flag, "--duration") == 0) err = sp_units_parse_duration(value, &conf->duration_ns, &why);
  if (strcmp(flag, "--connect-timeout") == 0)
    err = sp_units_parse_duration(value, &conf->kafka.connect_timeout_ns, &why);
  return err ? sp_fail(error, err, "%s: %s", flag, why.text) : SP_OK;
}

static enum sp_err set_option(void *context, const char *flag, const char *value, struct sp_error *error) {
  struct job *job = context;
  if (set_text(&job->conf, flag, value)) return SP_OK;
  if (strcmp(flag, "--from") == 0) return set_from(&job->conf, value, error);
  if (strcmp(flag, "--drop") == 0) return add_redaction(job, value, false, error);
  if (strcmp(flag, "--hash") == 0) return add_redaction(job, value, true, error);
  if (strcmp(flag, "--property") == 0) return sp_property_arg_add(value, &job->properties, error);
  if (strcmp(flag, "--hash-secret") == 0) {
    free(job->secret);
    job->secret = NULL;
    return sp_secret_arg_read(flag, value, &job->secret, error);
  }
  if (strcmp(flag, "--follow") == 0) job->conf.follows = true;
  if (strcmp(flag, "--hash-key") == 0) job->conf.hashes_key = true;
  if (strcmp(flag, "--json") == 0) job->is_json = true;
  return set_quantity(&job->conf, flag, value, error);
}

static enum sp_err check(void *context, const char *topic, struct sp_error *error) {
  struct job *job = context;
  struct sp_record_conf *conf = &job->conf;
  conf->kafka.input = topic;
  if (!conf->kafka.brokers) return sp_fail(error, SP_ERR_USAGE, "which broker? -b HOST:PORT");
  if (!conf->output) return sp_fail(error, SP_ERR_USAGE, "say where the recording goes: -o NAME.sprec");
  struct stat out;
  if (stat(conf->output, &out) == 0 && S_ISDIR(out.st_mode))
    return sp_fail(error, SP_ERR_USAGE, "%s is a folder; name the recording too: -o %s/NAME.sprec",
                   conf->output, conf->output);
  bool hashes = conf->hashes_key;
  for (size_t i = 0; i < conf->n_redactions; i++) hashes = hashes || conf->redactions[i].is_hashed;
  if (!job->secret || hashes) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE,
                 "--hash-secret without anything to hash; add --hash FIELD or --hash-key");
}

static const struct sp_data_verb verb = {
    .name = "record",
    .use = "TOPIC -b HOST:PORT -o OUT.sprec [OPTIONS]",
    .about =
        "Makes a recording of a live Kafka topic: keys, values, headers and timestamps, all partitions in "
        "one "
        "order of time.\n"
        "It joins no group and commits nothing. Ctrl-C ends it and keeps what came; started in the past, the "
        "topic's end does.",
    .notes =
        "Messages wait in a file without a name beside the output, about as large as they are, and are "
        "sorted "
        "at the end.\n"
        "Headers sp-id, sp-run, sp-stages and sp-outcome are left out: a replay makes its own. A hash is a "
        "pseudonym, not\n"
        "anonymous: equal values stay equal, and who can guess one can check the guess; --hash-secret makes "
        "that "
        "harder.\n"
        "Where fields of JSON are dropped or hashed, messages that are no JSON are left out and counted.\n"
        "Exit: 0 done, 130 or 143 ended by a signal with the recording written, 3 broker, topic or disk, 64 "
        "usage.",
    .options = options,
    .operand = "topic",
    .take = set_option,
    .check = check};

static void on_listening(void *context) {
  const struct job *job = context;
  fprintf(stderr, "servepath record: listening to %s at %s\n", job->conf.kafka.input,
          job->conf.kafka.brokers);
}

static void print_json(const struct sp_record_report *report) {
  printf("{\"events\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"partitions\":%" PRIu32 ",\"duration_ns\":%" PRId64
         ",\"clamped\":%" PRIu64 ",\"untimed\":%" PRIu64 ",\"unreadable\":%" PRIu64
         ",\"own_headers\":%" PRIu64 "}\n",
         report->n_events, report->n_bytes, report->n_partitions, report->duration_ns, report->n_clamped,
         report->n_untimed, report->n_unreadable, report->n_own_headers);
}

static void print_text(const struct job *job, const struct sp_record_report *report) {
  char events[SP_UNITS_TEXT_BYTES], duration[SP_UNITS_TEXT_BYTES], size[SP_UNITS_TEXT_BYTES];
  fprintf(stderr, "%s: %s events over %s, from %" PRIu32 " partition%s, %s\n", job->conf.output,
          sp_units_print_count(report->n_events, events, sizeof events),
          sp_units_print_duration(report->duration_ns, duration, sizeof duration), report->n_partitions,
          report->n_partitions == 1 ? "" : "s", sp_units_print_size(report->n_bytes, size, sizeof size));
  const struct {
    uint64_t n;
    const char *what;
  } notes[] = {
      {report->n_clamped,
       "messages were stamped earlier than one before them in their partition: they have its time"},
      {report->n_untimed, "messages had no timestamp: theirs is when they were read, so times are not real"},
      {report->n_unreadable, "messages were left out: no JSON, so no field of theirs could be found"},
      {report->n_own_headers, "headers of servepath's own were left out"}};
  for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
    if (notes[i].n) fprintf(stderr, "%" PRIu64 " %s\n", notes[i].n, notes[i].what);
  }
  fprintf(stderr, "next: servepath inspect %s, or replay it: --arrival trace --speed 1\n", job->conf.output);
}

static int record(struct job *job) {
  struct sp_data_progress progress;
  struct sp_error error = {0};
  struct sp_record_report report;
  sp_data_progress_init(&progress, verb.name);
  job->conf.progress = sp_data_show_progress;
  job->conf.progress_context = &progress;
  job->conf.on_listening = on_listening;
  job->conf.listening_context = job;
  job->conf.secret = job->secret;
  const volatile sig_atomic_t *stop = job->conf.stop = sp_data_catch_signals();
  enum sp_err err = sp_record(&job->conf, &report, &error);
  sp_live_clear(&progress.live);
  if (err) return sp_data_failed(&verb, &error);
  int ended_by = *stop;
  if (ended_by) fprintf(stderr, "ended by SIG%s\n", sigabbrev_np(ended_by));
  if (job->is_json) print_json(&report);
  print_text(job, &report);
  return ended_by ? 128 + ended_by : 0;
}

int sp_cmd_record(int argc, char **argv) {
  struct job *job = sp_alloc(sizeof *job);
  job->properties.items = job->items;
  job->conf.redactions = job->redactions;
  job->conf.kafka = (struct sp_kafka_env){
      .producer = &job->properties, .consumer = &job->properties, .connect_timeout_ns = 10 * SP_NS_PER_S};
  const char *topic;
  int code;
  if (sp_data_read_args(&verb, argc, argv, job, &topic, &code)) code = record(job);
  sp_property_args_done(&job->properties);
  free(job->secret);
  free(job);
  return code;
}
