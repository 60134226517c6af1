// The page: whatever texts say, they stay text; its data says what the comparison says. With a folder as argument: pages for
// tests/e2e/report_page.sh, which lets a browser judge.
#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/history.h"
#include "report/html.h"
#include "support/comparison_bed.h"

static const char hostile[] =
    "</script><script>document.title='ran'</script><!--<img src=x onerror=alert(1)>\"'&\xe2\x80\xa8\xff";

// The page of a comparison alone; takes it over.
static char *page_of(struct sp_comparison *comparison, const char *title) {
  struct sp_report_comparison one = {.dir = NULL, .comparison = comparison};
  struct sp_report report = {.comparisons = &one, .n_comparisons = 1};
  struct sp_html html = {.title = title, .report = &report};
  struct sp_error error;
  char *text = NULL;
  size_t n_text = 0;
  FILE *memory = open_memstream(&text, &n_text);
  assert_int_equal(sp_html_write(&html, memory, &error), SP_OK);
  fclose(memory);
  sp_comparison_free(comparison);
  return text;
}

static size_t count_of(const char *text, const char *what) {
  size_t n = 0;
  for (const char *at = text; (at = strstr(at, what)) != NULL; at++) n++;
  return n;
}

// The data element's text, from malloc.
static char *data_of(const char *page) {
  static const char open[] = "id=\"data\">";
  const char *from = strstr(page, open);
  assert_non_null(from);
  from += strlen(open);
  const char *end = strstr(from, "</script>");
  assert_non_null(end);
  return strndup(from, (size_t)(end - from));
}

static void test_text_stays_text(void **state) {
  (void)state;
  struct sp_comparison *comparison = comparison_bed_hostile();
  free(comparison->verdict);
  comparison->verdict = sp_copy_text(hostile);
  char *page = page_of(comparison, hostile), *calm = page_of(comparison_bed_two(), "calm");
  // The same elements, whatever is said in them.
  assert_int_equal(count_of(page, "<script"), count_of(calm, "<script"));
  assert_int_equal(count_of(page, "</script"), count_of(calm, "</script"));
  assert_int_equal(count_of(page, "<!--"), count_of(calm, "<!--"));
  assert_int_equal(count_of(page, "<img"), 0);
  char *data = data_of(page);
  assert_null(strpbrk(data, "<>&"));
  for (const char *at = data; *at; at++) assert_true(*at >= ' ' && *at < 0x7f);
  json_t *json = json_loads(data, 0, NULL);
  assert_non_null(json);
  const json_t *view = json_array_get(json_object_get(json, "views"), 0);
  const char *verdict = json_string_value(json_object_get(json_object_get(view, "comparison"), "verdict"));
  assert_non_null(verdict);
  assert_memory_equal(verdict, hostile, 40); // what is printable stands there as it was
  assert_non_null(strstr(page, "<title>&lt;/script&gt;"));
  json_decref(json);
  free(data);
  free(calm);
  free(page);
}

static void test_nothing_is_asked_for(void **state) {
  (void)state;
  char *page = page_of(comparison_bed_two(), "two");
  assert_non_null(strstr(page, "default-src 'none'; script-src 'sha256-"));
  assert_null(strstr(page, "unsafe-inline"));
  assert_null(strstr(page, "sourceMappingURL"));
  assert_null(strstr(page, " src="));
  assert_null(strstr(page, "<link"));
  assert_null(strstr(page, "@import"));
  assert_null(strstr(page, "url("));
  assert_true(strlen(page) < 300 * 1024);
  free(page);
}

static void test_verdicts_in_words(void **state) {
  (void)state;
  char *page = page_of(comparison_bed_two(), "two"), *data = data_of(page);
  json_t *json = json_loads(data, 0, NULL);
  const json_t *view = json_array_get(json_object_get(json, "views"), 0);
  const json_t *metrics = json_object_get(json_object_get(view, "comparison"), "metrics");
  const json_t *p50 = json_array_get(metrics, 0);
  assert_string_equal(json_string_value(json_object_get(p50, "name")), "response_p50");
  assert_string_equal(json_string_value(json_object_get(p50, "word")), "slower");
  assert_true(json_real_value(json_object_get(p50, "ratio")) > 1);
  json_decref(json);
  free(data);
  free(page);
}

// What was checked is told as the table tells it, whatever else lies in the folder; and one pair has no level.
static void test_predictions_are_those_of_the_table(void **state) {
  (void)state;
  struct sp_comparison *c = comparison_bed_two();
  c->sides[1].n_mismatched = 2;
  c->sides[1].n_mismatched_left_out = 3;
  c->metrics[0].level = 0;
  char *page = page_of(c, "two"), *data = data_of(page);
  json_t *json = json_loads(data, 0, NULL);
  const json_t *comparison = json_object_get(json_array_get(json_object_get(json, "views"), 0), "comparison");
  const json_t *side = json_array_get(json_object_get(comparison, "sides"), 1);
  const json_t *metrics = json_object_get(comparison, "metrics");
  assert_int_equal(json_integer_value(json_object_get(side, "checked")), 120000);
  assert_int_equal(json_integer_value(json_object_get(side, "mismatched")), 2);
  assert_int_equal(json_integer_value(json_object_get(side, "mismatched_left_out")), 3);
  assert_true(json_is_null(json_object_get(json_array_get(metrics, 0), "level")));
  assert_true(json_real_value(json_object_get(json_array_get(metrics, 1), "level")) == 0.99);
  json_decref(json);
  free(data);
  free(page);
}

static void add_run(struct sp_history *history, int i, double p50_ns) {
  struct sp_history_line *line = sp_history_line(history);
  line->at = sp_format("2026-%02d-01T00:00:%02dZ", 1 + i / 10, i % 10);
  line->id = sp_format("%d", i);
  line->verb = sp_copy_text("gate");
  line->case_name = sp_copy_text("fraud");
  line->side = sp_copy_text("candidate");
  line->build = sp_format("b%d%s", i, i == 20 ? hostile : "");
  line->n_trials = 12;
  sp_facts_real(&line->metrics, "response_p50", p50_ns);
}

// A search's line names no metric of a trial.
// A call is laid against the prediction that the other side makes itself, as in the table.
static void test_explanations_are_those_of_the_table(void **state) {
  (void)state;
  char *page = page_of(comparison_bed_two(), "why"), *data = data_of(page);
  json_t *json = json_loads(data, 0, NULL);
  const json_t *comparison = json_object_get(json_array_get(json_object_get(json, "views"), 0), "comparison");
  const json_t *one = json_array_get(json_object_get(comparison, "explained"), 0);
  assert_string_equal(json_string_value(json_object_get(one, "why")),
                      "rpc other +96µs, server +31µs, encode +9µs, residual +4µs");
  assert_string_equal(json_string_value(json_object_get(one, "total")), "+140µs");
  json_decref(json);
  free(data);
  free(page);
}

static void test_history_shows_what_searches_found(void **state) {
  (void)state;
  struct sp_history history = {0};
  char *text = NULL;
  size_t n_text = 0;
  for (int i = 0; i < 3; i++) {
    struct sp_history_line *line = sp_history_line(&history);
    line->at = sp_format("2026-01-01T00:00:%02dZ", i);
    line->case_name = sp_copy_text("fraud");
    line->side = sp_copy_text("rpc");
    sp_facts_real(&line->metrics, "sustainable", 4800 + 10 * i);
  }
  FILE *memory = open_memstream(&text, &n_text);
  sp_report_history_print(&history, memory);
  fclose(memory);
  char *json = sp_report_history_json(&history);
  assert_non_null(strstr(text, "sustainable"));
  assert_non_null(strstr(text, "4,820/s"));
  assert_non_null(strstr(json, "\"metric\":\"sustainable\""));
  free(json);
  free(text);
  sp_history_done(&history);
}

static struct sp_history made_history(void) {
  struct sp_history history = {0};
  for (int i = 0; i < 40; i++)
    add_run(&history, i, (i < 20 ? 400e3 : 480e3) * (1 + 0.01 * ((i * 7) % 5 - 2)));
  return history;
}

static void test_history_names_the_change(void **state) {
  (void)state;
  struct sp_history history = made_history();
  char *text = NULL, *json_text = sp_report_history_json(&history);
  size_t n_text = 0;
  FILE *memory = open_memstream(&text, &n_text);
  sp_report_history_print(&history, memory);
  fclose(memory);
  assert_non_null(strstr(text, "change at run 21 of "));
  assert_int_equal(count_of(text, "change at run"), 1);
  for (const char *at = text; *at; at++) assert_true(!iscntrl((unsigned char)*at) || *at == '\n');
  json_t *json = json_loads(json_text, 0, NULL);
  const json_t *series = json_array_get(json, 0),
               *change = json_array_get(json_object_get(series, "changes"), 0);
  assert_int_equal(json_array_size(json), 1);
  assert_int_equal(json_integer_value(json_object_get(change, "first_i")), 20);
  assert_true(json_number_value(json_object_get(series, "low")) < 480e3);
  assert_true(json_number_value(json_object_get(series, "low")) > 400e3);
  json_decref(json);
  free(json_text);
  free(text);
  sp_history_done(&history);
}

// Ten equal runs lie in their band; of a side that stopped answering, the last answer is not the last word.
static void test_history_of_equal_and_of_missing_values(void **state) {
  (void)state;
  struct sp_history history = {0};
  char *text = NULL;
  size_t n_text = 0;
  for (int i = 0; i < 10; i++) add_run(&history, i, 10e6);
  for (int i = 10; i < 13; i++) add_run(&history, i, INFINITY);
  FILE *memory = open_memstream(&text, &n_text);
  sp_report_history_print(&history, memory);
  fclose(memory);
  assert_null(strstr(text, "outside"));
  assert_null(strstr(text, "change at run"));
  assert_non_null(strstr(text, "no value in the 3 runs since"));
  free(text);
  sp_history_done(&history);
}

static void write_page(const char *dir, const char *name, char *page) {
  char *path = sp_format("%s/%s.html", dir, name);
  FILE *file = fopen(path, "w");
  if (!file || fputs(page, file) < 0 || fclose(file) != 0) exit(3);
  free(path);
  free(page);
}

int main(int argc, char **argv) {
  if (argc > 1) {
    write_page(argv[1], "hostile", page_of(comparison_bed_hostile(), hostile));
    write_page(argv[1], "three", page_of(comparison_bed_three(), "three"));
    write_page(argv[1], "gate", page_of(comparison_bed_gate(), "gate"));
    return 0;
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_text_stays_text),
      cmocka_unit_test(test_nothing_is_asked_for),
      cmocka_unit_test(test_verdicts_in_words),
      cmocka_unit_test(test_predictions_are_those_of_the_table),
      cmocka_unit_test(test_history_names_the_change),
      cmocka_unit_test(test_history_of_equal_and_of_missing_values),
      cmocka_unit_test(test_explanations_are_those_of_the_table),
      cmocka_unit_test(test_history_shows_what_searches_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
