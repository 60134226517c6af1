// servepath inspect: describes a recording or a result.
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/units.h"
#include "cmd/data.h"
#include "cmd/inspect_result.h"
#include "cmd/verbs.h"
#include "import/describe.h"

static const struct sp_option options[] = {
    {"--events", 0, "N", "3", "how many of a recording's first events to show, 0 to 20"},
    {"--json", 0, NULL, NULL, "print the description as JSON; of a result, its result.json"},
    {0}};
const struct sp_option *const sp_cmd_inspect_options = options;

struct job {
  const char *path;
  uint64_t n_first;
  bool is_json;
};

static void print_row(const char *name, const char *text) {
  if (*text) printf("%-12s %s\n", name, text);
}

// "2013-01-01T10:00:00Z" or, where the start is unknown, "".
static void print_start(int64_t start_unix_ns) {
  char text[40];
  time_t seconds = (time_t)(start_unix_ns / SP_NS_PER_S);
  struct tm parts;
  if (start_unix_ns == 0 || !gmtime_r(&seconds, &parts)) return;
  if (strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) > 0) print_row("starts", text);
}

static void print_counts(const struct sp_description *d) {
  char a[SP_UNITS_TEXT_BYTES], b[SP_UNITS_TEXT_BYTES], c[SP_UNITS_TEXT_BYTES];
  printf("%-12s %s", "events", sp_units_print_count(d->n_events, a, sizeof a));
  if (d->n_tombstones > 0)
    printf(", %s of them tombstones", sp_units_print_count(d->n_tombstones, a, sizeof a));
  printf("\n%-12s %s\n", "duration", sp_units_print_duration((int64_t)d->duration_ns, a, sizeof a));
  char mean[SP_UNITS_TEXT_BYTES + 16] = ""; // one event has no rate
  if (!isnan(d->mean_rate_per_s))
    snprintf(mean, sizeof mean, "%s/s on average, ", sp_units_print_rate(d->mean_rate_per_s, a, sizeof a));
  printf("%-12s %sat most %s in one second (second %s)\n", "rate", mean,
         sp_units_print_count(d->busiest_second_n, b, sizeof b),
         sp_units_print_count(d->busiest_second_i + 1, c, sizeof c));
  if (d->n_with_key == 0) {
    print_row("keys", "none");
  } else {
    printf("%-12s %s%s distinct, on %s events\n", "keys", d->n_keys_is_bound ? "at least " : "",
           sp_units_print_count(d->n_keys, a, sizeof a), sp_units_print_count(d->n_with_key, b, sizeof b));
  }
  if (d->n_headers > 0) printf("%-12s %s\n", "headers", sp_units_print_count(d->n_headers, a, sizeof a));
  printf("%-12s %" PRIu64 " to %" PRIu64 " bytes, median %" PRIu64 "\n", "value size", d->value_bytes_min,
         d->value_bytes_max, d->value_bytes_median);
  printf("%-12s %s of values, %s on disk\n", "size", sp_units_print_size(d->n_value_bytes, a, sizeof a),
         sp_units_print_size(d->n_file_bytes, b, sizeof b));
}

static void print_text(const struct sp_description *d) {
  print_row("recording", d->name);
  print_row("source", d->source);
  print_row("licence", d->licence);
  print_row("note", d->note);
  print_row("content", d->content_type);
  print_row("times", d->times_are_real ? "real" : "made up (--arrival trace is refused)");
  print_start(d->start_unix_ns);
  print_counts(d);
  print_row("digest", d->digest);
  for (size_t i = 0; i < d->n_described; i++) {
    const struct sp_described_event *event = &d->events[i];
    char offset[SP_UNITS_TEXT_BYTES];
    printf("%-12s +%s %s%s%s%s\n", i == 0 ? "first" : "",
           sp_units_print_duration((int64_t)event->offset_ns, offset, sizeof offset), event->key ? "[" : "",
           event->key ? event->key : "", event->key ? "] " : "", event->value ? event->value : "(tombstone)");
  }
}

static json_t *text_or_null(const char *text) {
  return text ? json_string(text) : json_null();
}

static void print_json(const struct sp_description *d) {
  json_t *first = json_array();
  for (size_t i = 0; i < d->n_described; i++) {
    const struct sp_described_event *event = &d->events[i];
    json_array_append_new(
        first, json_pack("{sI so so sI sI}", "offset_ns", (json_int_t)event->offset_ns, "key",
                         text_or_null(event->key), "value", text_or_null(event->value), "value_bytes",
                         (json_int_t)event->n_value_bytes, "headers", (json_int_t)event->n_headers));
  }
  json_t *mean = isnan(d->mean_rate_per_s) ? json_null() : json_real(d->mean_rate_per_s);
  json_t *start = d->start_unix_ns ? json_integer(d->start_unix_ns) : json_null();
  json_t *all = json_pack(
      "{ss ss ss ss ss ss sb so sI sI sI so s{sI sI} sI sI sb sI s{sI sI sI sI} sI ss so}", "schema",
      "servepath.description/1", "name", d->name, "source", d->source, "licence", d->licence, "note", d->note,
      "content_type", d->content_type, "times_are_real", (int)d->times_are_real, "start_unix_ns", start,
      "events", (json_int_t)d->n_events, "tombstones", (json_int_t)d->n_tombstones, "duration_ns",
      (json_int_t)d->duration_ns, "mean_rate_per_s", mean, "busiest_second", "index",
      (json_int_t)d->busiest_second_i, "events", (json_int_t)d->busiest_second_n, "events_with_key",
      (json_int_t)d->n_with_key, "keys_distinct", (json_int_t)d->n_keys, "keys_distinct_is_lower_bound",
      (int)d->n_keys_is_bound, "headers", (json_int_t)d->n_headers, "value_bytes", "total",
      (json_int_t)d->n_value_bytes, "min", (json_int_t)d->value_bytes_min, "median",
      (json_int_t)d->value_bytes_median, "max", (json_int_t)d->value_bytes_max, "file_bytes",
      (json_int_t)d->n_file_bytes, "digest", d->digest, "first", first);
  SP_ASSERT(all);
  json_dumpf(all, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
  putchar('\n');
  json_decref(all);
}

static const char *form_of(const char *content_type) {
  if (strncmp(content_type, "text/csv", 8) == 0) return "csv";
  return strcmp(content_type, "application/json") == 0 ? "jsonl" : "kcat";
}

static enum sp_err inspect_recording(const struct job *job, struct sp_error *error) {
  struct sp_description *description;
  enum sp_err err =
      sp_describe(job->path, (size_t)job->n_first, sp_data_catch_signals(), &description, error);
  if (err) return err;
  if (job->is_json)
    print_json(description);
  else
    print_text(description);
  if (description->n_events == 0) {
    fprintf(stderr, "next: servepath import FILE.csv -o %s\n", job->path);
  } else {
    fprintf(stderr, "next: servepath export %s --format %s --limit 10\n", job->path,
            form_of(description->content_type));
  }
  sp_description_free(description);
  return SP_OK;
}

static bool is_result(const char *path) {
  struct stat facts;
  size_t n = strlen(path);
  return (stat(path, &facts) == 0 && S_ISDIR(facts.st_mode)) || (n > 5 && strcmp(path + n - 5, ".json") == 0);
}

static enum sp_err set_option(void *context, const char *flag, const char *value, struct sp_error *error) {
  struct job *job = context;
  if (strcmp(flag, "--json") == 0) {
    job->is_json = true;
    return SP_OK;
  }
  enum sp_err err = sp_units_parse_count(value, &job->n_first, NULL);
  if (!err && job->n_first <= SP_DESCRIBE_EVENTS_MAX) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE, "--events: \"%s\" is not a number from 0 to %d", value,
                 SP_DESCRIBE_EVENTS_MAX);
}

static const struct sp_data_verb verb = {
    .name = "inspect",
    .use = "FILE.sprec|RESULTDIR [OPTIONS]",
    .about = "Describes a recording, which is read and checked to its end, or a result.",
    .notes = "Bytes that are no printable UTF-8 are shown as \\n or \\xNN. Exit: 0 described, 3 missing or "
             "broken, 64 usage.",
    .options = options,
    .operand = "recording or result",
    .take = set_option};

int sp_cmd_inspect(int argc, char **argv) {
  struct job job = {.n_first = 3};
  struct sp_error error = {0};
  int code;
  if (!sp_data_read_args(&verb, argc, argv, &job, &job.path, &code)) return code;
  enum sp_err err = is_result(job.path) ? sp_inspect_result(job.path, job.is_json, &error)
                                        : inspect_recording(&job, &error);
  return err ? sp_data_failed(&verb, &error) : 0;
}
