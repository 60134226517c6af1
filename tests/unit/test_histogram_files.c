// Logs and percentile tables as files. With a folder as argument it leaves them there, with what we read out of them, for
// tests/peers/histogram.py to hold against the Java reference.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/prng.h"
#include "meter/histogram.h"

#define N_INTERVALS 5
#define START_S     1700000000.125

static char folder[4096];

// The shapes of a response time: what a queue makes, what a stall makes, and the edges of the format.
static int64_t draw(int shape, struct sp_prng *prng, int i) {
  double u = sp_prng_uniform(prng);
  switch (shape) {
  case 0: return (int64_t)(-250000 * log(u));
  case 1: return (int64_t)(1e9 * u);
  case 2: return 12345;
  case 3: return i % 100 ? 20000 + (int64_t)(1000 * u) : (int64_t)(1.4e9 * u);
  case 4: return (int64_t)(pow(10, 12.55 * u));
  case 5: return i % 3 ? 0 : SP_HISTOGRAM_HIGHEST_NS;
  case 6: return (int64_t)(exp(10 + 2 * sqrt(-2 * log(u)) * cos(6.283185307179586 * sp_prng_uniform(prng))));
  default: return i;
  }
}
static const int n_values[] = {100000, 5000, 1, 40000, 30000, 77, 60000, 4096};
#define N_SHAPES (int)(sizeof n_values / sizeof n_values[0])

struct read_back {
  struct sp_histogram total;
  int n_intervals, n_tagged;
  double next_s;
  FILE *figures;
};

static void read_interval(void *context, const char *tag, double start_s, double length_s,
                          const struct sp_histogram *h) {
  struct read_back *back = context;
  if (*tag) {
    assert_string_equal(tag, "queue");
    back->n_tagged++;
    return;
  }
  assert_true(start_s == back->next_s && length_s == 1);
  back->next_s++;
  back->n_intervals++;
  sp_histogram_add(&back->total, h);
  const double qs[] = {0.5, 0.9, 1};
  fprintf(back->figures, "%lld", (long long)h->n);
  for (int i = 0; i < 3; i++) { // the reference prints 0 where there is no value
    fprintf(back->figures, ",%.3f", h->n ? (double)sp_histogram_percentile(h, qs[i], 0) / 1e3 : 0);
  }
  fputc('\n', back->figures);
}

// Writes the log, interval by interval; the sum of them in *total.
static void write_log(const char *path, int shape, struct sp_histogram *total) {
  struct sp_hlog *log;
  struct sp_error error;
  struct sp_histogram h;
  struct sp_prng prng;
  sp_histogram_init(&h);
  sp_prng_init(&prng, (uint64_t)shape, SP_PRNG_TEST);
  assert_int_equal(sp_hlog_open(path, START_S, &log, &error), SP_OK);
  for (int interval = 0; interval < N_INTERVALS; interval++) {
    int first = n_values[shape] * interval / N_INTERVALS,
        end = n_values[shape] * (interval + 1) / N_INTERVALS;
    sp_histogram_reset(&h);
    for (int i = first; i < end; i++) sp_histogram_record(&h, draw(shape, &prng, i));
    sp_histogram_add(total, &h);
    sp_hlog_write(log, "", interval, 1, &h);
    sp_hlog_write(log, "queue", interval, 1, &h);
  }
  assert_int_equal(sp_hlog_close(log, &error), SP_OK);
  sp_histogram_done(&h);
}

static FILE *open_file(const char *name, int shape, char path[4200]) {
  snprintf(path, 4200, "%s/%d.%s", folder, shape, name);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  return file;
}

static void logs_are_read_back(void **state) {
  (void)state;
  for (int shape = 0; shape < N_SHAPES; shape++) {
    char path[4200];
    struct sp_error error;
    struct sp_histogram total;
    struct read_back back = {.figures = open_file("csv", shape, path)};
    sp_histogram_init(&total);
    sp_histogram_init(&back.total);
    FILE *hgrm = open_file("hgrm", shape, path);
    snprintf(path, sizeof path, "%s/%d.hlog", folder, shape);
    write_log(path, shape, &total);
    sp_histogram_write_hgrm(&total, hgrm);
    assert_int_equal(fclose(hgrm), 0);
    assert_int_equal(sp_hlog_read(path, read_interval, &back, &error), SP_OK);
    assert_int_equal(back.n_intervals, N_INTERVALS);
    assert_int_equal(back.n_tagged, N_INTERVALS);
    assert_int_equal(back.total.n, n_values[shape]);
    assert_memory_equal(back.total.counts, total.counts, SP_HISTOGRAM_SLOTS * sizeof *total.counts);
    assert_int_equal(fclose(back.figures), 0);
    sp_histogram_done(&total);
    sp_histogram_done(&back.total);
  }
}

static void ignore_interval(void *context, const char *tag, double start_s, double length_s,
                            const struct sp_histogram *h) {
  (void)context, (void)tag, (void)start_s, (void)length_s, (void)h;
}

static void add_interval(void *context, const char *tag, double start_s, double length_s,
                         const struct sp_histogram *h) {
  (void)start_s, (void)length_s;
  if (*tag == '\0') sp_histogram_add(context, h);
}

// tests/fixtures/histogram/Write.java made both files.
static void a_log_that_java_wrote_is_read_to_the_same_table(void **state) {
  (void)state;
  const char *source = getenv("SOURCE_DIR");
  char path[4200], expected[65536];
  struct sp_error error;
  struct sp_histogram total;
  sp_histogram_init(&total);
  snprintf(path, sizeof path, "%s/tests/fixtures/histogram/java.hlog", source ? source : ".");
  assert_int_equal(sp_hlog_read(path, add_interval, &total, &error), SP_OK);
  snprintf(path, sizeof path, "%s/tests/fixtures/histogram/java.hgrm", source ? source : ".");
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  size_t n_expected = fread(expected, 1, sizeof expected, file);
  fclose(file);
  char *text = NULL;
  size_t n_text = 0;
  FILE *memory = open_memstream(&text, &n_text);
  sp_histogram_write_hgrm(&total, memory);
  fclose(memory);
  assert_int_equal(total.n, 30000);
  assert_int_equal(n_text, n_expected);
  assert_memory_equal(text, expected, n_text);
  free(text);
  sp_histogram_done(&total);
}

static void a_damaged_log_is_refused_with_its_line(void **state) {
  (void)state;
  static const char *const lines[] = {"nonsense",
                                      "1,2",
                                      "1.000,1.000,0.000",
                                      "1.000,1.000,x,HISTFAAAACN42pNp",
                                      "Tag=a",
                                      "Tag=a,1.0,1.0,1.0,HISTFAAAACN42pNpmSzMwMDAzQABz"};
  char path[4200];
  snprintf(path, sizeof path, "%s/damaged.hlog", folder);
  for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
    struct sp_error error;
    FILE *file = fopen(path, "w");
    fprintf(file, "#[Histogram log format version 1.3]\n%s\n", lines[i]);
    fclose(file);
    assert_int_equal(sp_hlog_read(path, ignore_interval, NULL, &error), SP_ERR_ENVIRONMENT);
    assert_non_null(strstr(error.text, "damaged.hlog:2: "));
  }
  unlink(path);
  assert_int_equal(sp_hlog_read(path, ignore_interval, NULL, NULL), SP_ERR_ENVIRONMENT);
}

static void a_full_disk_is_reported_when_the_log_closes(void **state) {
  (void)state;
  struct sp_hlog *log;
  struct sp_error error;
  assert_int_equal(sp_hlog_open("/dev/full", START_S, &log, &error), SP_OK);
  assert_int_equal(sp_hlog_close(log, &error), SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "/dev/full (No space left on device)"));
  assert_int_equal(sp_hlog_open("/nowhere/x.hlog", START_S, &log, &error), SP_ERR_ENVIRONMENT);
}

static void remove_files(void) {
  static const char *const names[] = {"hlog", "hgrm", "csv"};
  char path[4200];
  for (int i = 0; i < N_SHAPES * 3; i++) {
    snprintf(path, sizeof path, "%s/%d.%s", folder, i / 3, names[i % 3]);
    unlink(path);
  }
  rmdir(folder);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(logs_are_read_back),
      cmocka_unit_test(a_log_that_java_wrote_is_read_to_the_same_table),
      cmocka_unit_test(a_damaged_log_is_refused_with_its_line),
      cmocka_unit_test(a_full_disk_is_reported_when_the_log_closes),
  };
  snprintf(folder, sizeof folder, "%s", argc > 1 ? argv[1] : "/tmp/servepath-histogram-XXXXXX");
  if (argc < 2 && !mkdtemp(folder)) return 1;
  int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
  if (argc < 2) remove_files();
  return n_failed;
}
