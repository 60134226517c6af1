// The interval log that HdrHistogram's log reader and log processor take: format version 1.3.
// Source: HdrHistogram, HistogramLogWriter and HistogramLogReader (G. Tene, public domain).
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "meter/histogram.h"

struct sp_hlog {
  FILE *file;
  char *path;
  struct sp_hdr_encoder *encoder;
  int failed; // errno of the first failed write
};

static void note_failure(struct sp_hlog *log, int result) {
  if (result < 0 && !log->failed) log->failed = errno ? errno : EIO;
}

enum sp_err sp_hlog_open(const char *path, double start_unix_s, struct sp_hlog **log,
                         struct sp_error *error) {
  FILE *file = fopen(path, "we");
  if (!file) return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot write %s (%s)", path, strerror(errno));
  *log = sp_alloc(sizeof **log);
  (*log)->file = file;
  (*log)->path = sp_copy_text(path);
  (*log)->encoder = sp_hdr_encoder_new();
  time_t seconds = (time_t)start_unix_s;
  struct tm utc;
  char date[40];
  gmtime_r(&seconds, &utc);
  strftime(date, sizeof date, "%a %b %d %H:%M:%S UTC %Y", &utc);
  note_failure(
      *log,
      fprintf(file,
              "#[Histogram log format version 1.3]\n"
              "#[StartTime: %.3f (seconds since epoch), %s]\n"
              "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
              start_unix_s, date));
  note_failure(*log, fflush(file));
  return SP_OK;
}

// The reader takes the unit of the maximum to be 1,000,000 of the histogram's.
void sp_hlog_write(struct sp_hlog *log, const char *tag, double start_s, double length_s,
                   const struct sp_histogram *h) {
  int64_t max_ns = h->n ? sp_histogram_slot_highest(sp_histogram_slot_of(h->max_ns)) : 0;
  const char *text = sp_hdr_encoder_text(log->encoder, h);
  note_failure(log, fprintf(log->file, "%s%s%s%.3f,%.3f,%.3f,%s\n", *tag ? "Tag=" : "", tag, *tag ? "," : "",
                            start_s, length_s, (double)max_ns / (double)SP_NS_PER_MS, text));
  note_failure(log, fflush(log->file));
}

enum sp_err sp_hlog_close(struct sp_hlog *log, struct sp_error *error) {
  note_failure(log, fclose(log->file));
  enum sp_err err = SP_OK;
  if (log->failed) {
    err = sp_fail(error, SP_ERR_ENVIRONMENT, "cannot write %s (%s); free some space or choose another --out",
                  log->path, strerror(log->failed));
  }
  sp_hdr_encoder_free(log->encoder);
  free(log->path);
  free(log);
  return err;
}

typedef void interval_function(void *context, const char *tag, double start_s, double length_s,
                               const struct sp_histogram *h);

// One line of an interval: [Tag=TAG,]start,length,max,histogram. Cuts it into pieces in place.
static enum sp_err read_interval(char *line, struct sp_histogram *h, interval_function *interval,
                                 void *context, struct sp_error *error) {
  const char *tag = "";
  char *rest = line;
  if (strncmp(rest, "Tag=", 4) == 0) {
    rest += 4;
    tag = strsep(&rest, ",");
  }
  double figures[3];
  for (int i = 0; i < 3; i++) {
    char *field = rest ? strsep(&rest, ",") : NULL, *end = NULL;
    if (field) figures[i] = strtod(field, &end);
    if (!field || end == field || *end) return sp_fail(error, SP_ERR_ENVIRONMENT, "not an interval of a log");
  }
  if (!rest) return sp_fail(error, SP_ERR_ENVIRONMENT, "an interval without a histogram");
  enum sp_err err = sp_histogram_decode(rest, h, error);
  if (!err) interval(context, tag, figures[0], figures[1], h);
  return err;
}

enum sp_err sp_hlog_read(const char *path, interval_function *interval, void *context,
                         struct sp_error *error) {
  FILE *file = fopen(path, "re");
  if (!file) return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot read %s (%s)", path, strerror(errno));
  struct sp_histogram h;
  sp_histogram_init(&h);
  enum sp_err err = SP_OK;
  char *line = NULL;
  size_t n_line = 0;
  for (int line_number = 1; !err && getline(&line, &n_line, file) > 0; line_number++) {
    line[strcspn(line, "\r\n")] = '\0';
    if (line[0] == '#' || line[0] == '"' || line[0] == '\0') continue;
    struct sp_error why;
    err = read_interval(line, &h, interval, context, &why);
    if (err) sp_fail(error, err, "%s:%d: %s", path, line_number, why.text);
  }
  free(line);
  sp_histogram_done(&h);
  fclose(file);
  return err;
}
