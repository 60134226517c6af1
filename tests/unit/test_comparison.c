// Comparisons: written whole, read back the same; damaged ones refused with file and field. With a folder as argument it leaves
// its comparisons there for tests/peers/comparison_schema.py.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "result/comparison.h"
#include "support/comparison_bed.h"

static char folder[4096];

static struct sp_comparison *begun(void) {
  struct sp_comparison *c = sp_comparison_new();
  c->incomplete = sp_copy_text("under way");
  return c;
}

static const struct {
  const char *name;
  struct sp_comparison *(*make)(void);
} beds[] = {
    {"begun", begun},
    {"two", comparison_bed_two},
    {"three", comparison_bed_three},
    {"gate", comparison_bed_gate},
    {"hostile", comparison_bed_hostile},
};
enum { N_BEDS = sizeof beds / sizeof beds[0] };

static void place(char *path, size_t n, const char *name) {
  snprintf(path, n, "%s/a/%s", folder, name);
}

static void each_is_read_back_the_same(void **state) {
  (void)state;
  for (size_t i = 0; i < N_BEDS; i++) {
    char path[4200];
    struct sp_error error;
    struct sp_comparison *c = beds[i].make(), *back;
    place(path, sizeof path, beds[i].name);
    assert_int_equal(sp_comparison_write(c, path, &error), SP_OK);
    if (sp_comparison_read(path, &back, &error)) fail_msg("%s", error.text);
    char *before = sp_comparison_json(c), *after = sp_comparison_json(back);
    if (i + 1 < N_BEDS) assert_string_equal(before, after); // bytes that are no UTF-8 have become ?
    free(before);
    free(after);
    sp_comparison_free(c);
    sp_comparison_free(back);
  }
}

static void figures_survive(void **state) {
  (void)state;
  char path[4200];
  struct sp_error error;
  struct sp_comparison *c;
  place(path, sizeof path, "three");
  assert_int_equal(sp_comparison_read(path, &c, &error), SP_OK);
  assert_int_equal(c->n_sides, 3);
  assert_int_equal(c->reference_i, 1);
  const struct sp_compared *m = sp_comparison_find(c, 2, "response_p99");
  assert_non_null(m);
  assert_true(isinf(m->side) && isinf(m->ratio) && isinf(m->high) && m->low == 4 && m->level == 0.9375);
  assert_int_equal(m->verdict, SP_VERDICT_WORSE);
  assert_null(sp_comparison_find(c, 0, "response_p99"));
  assert_true(isnan(c->predictions.max_difference));
  assert_int_equal(c->gate.verdict, SP_GATE_NONE);
  sp_comparison_free(c);

  place(path, sizeof path, "gate");
  assert_int_equal(sp_comparison_read(path, &c, &error), SP_OK);
  assert_int_equal(c->gate.verdict, SP_GATE_FAIL);
  assert_int_equal(c->gate.n_metrics, 4);
  assert_string_equal(c->gate.metrics[0].metric->name, "response_p50");
  assert_true(c->gate.metrics[0].fresh_lower == 1.08 && isnan(c->gate.metrics[1].fresh_lower));
  assert_true(c->gate.metrics[2].is_calibrated);
  assert_int_equal(c->exit_code, 1);
  sp_comparison_free(c);

  place(path, sizeof path, "two");
  assert_int_equal(sp_comparison_read(path, &c, &error), SP_OK);
  assert_true(c->explained[0].side_ns[SP_STAGE_SERVER] == 34e3);
  assert_true(isnan(c->explained[0].reference_ns[SP_STAGE_SERVER]));
  assert_true(c->explained[0].side_slow_ns[SP_STAGE_OUTBOUND] == 6 * 252e3);
  assert_true(sp_amounts_get(&c->sides[1].cpu_us_per_event, "server") == 52);
  assert_int_equal(c->sides[1].n_invalid, 1);
  assert_int_equal(c->sides[0].bounds[1].met, SP_MET_YES);
  assert_int_equal(c->trials[3].seed, 2);
  assert_string_equal(c->trials[4].reason, "stolen CPU of 4%, limit 2%");
  sp_comparison_free(c);
}

static void what_is_new_is_absent(void **state) {
  (void)state;
  struct sp_comparison *c = sp_comparison_new();
  assert_int_equal(strlen(c->id), 32);
  assert_non_null(c->started_at);
  assert_true(isnan(c->duration_s) && isnan(c->delta) && isnan(c->predictions.max_difference));
  const struct sp_compared *m = sp_comparison_metric(c);
  assert_true(isnan(m->ratio) && isnan(m->low) && isnan(m->p) && m->n_pairs == 0);
  assert_true(isnan(sp_comparison_explained(c)->side_slow_ns[SP_STAGE_COUNT - 1]));
  assert_true(isnan(sp_comparison_gate_metric(c)->fresh_lower));
  assert_string_equal(sp_comparison_side(c, "rpc", NULL)->label, "rpc");
  sp_comparison_remark(c, "%d of %d", 1, 2);
  assert_string_equal(c->remarks[0], "1 of 2");
  sp_comparison_free(c);
  sp_comparison_free(NULL);
}

// --- Damaged files ---

static enum sp_err read_text(const char *text, size_t n, struct sp_comparison **c, struct sp_error *error) {
  char path[4200];
  snprintf(path, sizeof path, "%s/damaged.json", folder);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_int_equal(fwrite(text, 1, n, file), n);
  assert_int_equal(fclose(file), 0);
  return sp_comparison_read(path, c, error);
}

static json_t *json_of(struct sp_comparison *(*make)(void)) {
  struct sp_comparison *c = make();
  char *text = sp_comparison_json(c);
  json_t *json = json_loads(text, 0, NULL);
  assert_non_null(json);
  free(text);
  sp_comparison_free(c);
  return json;
}

static void half_a_file_is_refused(void **state) {
  (void)state;
  struct sp_comparison *bed = comparison_bed_two(), *c;
  char *text = sp_comparison_json(bed);
  struct sp_error error;
  size_t n = strlen(text);
  for (size_t i = 0; i + 2 < n; i += 97) {
    assert_int_equal(read_text(text, i, &c, &error), SP_ERR_ENVIRONMENT);
    assert_null(c);
    assert_non_null(strstr(error.text, "damaged.json"));
    assert_non_null(strstr(error.text, "not a whole comparison"));
  }
  free(text);
  sp_comparison_free(bed);
}

// The value at a path of keys and indices, replaced; value NULL: removed.
static void alter(json_t *json, const char *path, json_t *value) {
  char key[64];
  for (;;) {
    size_t n = strcspn(path, "/");
    snprintf(key, sizeof key, "%.*s", (int)n, path);
    path += n;
    if (*path == '\0') break;
    path++;
    json = json_is_array(json) ? json_array_get(json, strtoul(key, NULL, 10)) : json_object_get(json, key);
    assert_non_null(json);
  }
  if (!value)
    json_object_del(json, key);
  else if (json_is_array(json))
    json_array_set_new(json, strtoul(key, NULL, 10), value);
  else
    json_object_set_new(json, key, value);
}

static enum sp_err read_altered(struct sp_comparison *(*make)(void), const char *path, json_t *value,
                                struct sp_comparison **c, struct sp_error *error) {
  json_t *json = json_of(make);
  alter(json, path, value);
  char *text = json_dumps(json, 0);
  json_decref(json);
  enum sp_err err = read_text(text, strlen(text), c, error);
  free(text);
  return err;
}

static void refuse(struct sp_comparison *(*make)(void), const char *path, json_t *value, const char *named) {
  struct sp_error error;
  struct sp_comparison *c;
  if (read_altered(make, path, value, &c, &error) != SP_ERR_ENVIRONMENT) fail_msg("%s is accepted", path);
  assert_null(c);
  if (!strstr(error.text, "damaged.json: ") || !strstr(error.text, named))
    fail_msg("%s: %s does not name %s", path, error.text, named);
}

static void values_of_other_types_are_refused(void **state) {
  (void)state;
  struct sp_comparison *(*two)(void) = comparison_bed_two;
  refuse(two, "schema", json_string("servepath.comparison/2"), "servepath.comparison/2");
  refuse(two, "schema", json_string("servepath.result/1"), "servepath.result/1");
  refuse(two, "schema", NULL, "schema");
  refuse(two, "complete", json_integer(1), "complete");
  refuse(two, "pairs", json_integer(-1), "pairs");
  refuse(two, "pairs", json_real(1.5), "pairs");
  refuse(two, "pairs", NULL, "pairs");
  refuse(two, "delta", json_string("5%"), "delta");
  refuse(two, "exit_code", NULL, "exit_code");
  refuse(two, "reference", json_string("nobody"), "reference");
  refuse(two, "reference", json_null(), "reference");
  refuse(two, "sides", json_object(), "sides");
  refuse(two, "sides/1/name", json_null(), "name");
  refuse(two, "sides/0/counts/ok", json_integer(-1), "ok");
  refuse(two, "sides/0/counts/lost", NULL, "lost");
  refuse(two, "sides/0/bounds/0/met", json_integer(1), "met");
  refuse(two, "sides/0/cpu_us_per_event", json_array(), "amounts");
  refuse(two, "metrics", json_null(), "metrics");
  refuse(two, "metrics/0", json_integer(3), "metrics[0]");
  refuse(two, "metrics/0/name", json_integer(3), "metrics[0].name");
  refuse(two, "metrics/1/side", json_string("nobody"), "metrics[1].side");
  refuse(two, "metrics/1/ratio", json_string("NaN"), "figure");
  refuse(two, "metrics/1/interval", json_pack("[f]", 1.0), "metrics[1].interval");
  refuse(two, "metrics/1/verdict", json_string("fine"), "metrics[1].verdict");
  refuse(two, "metrics/1/verdict", NULL, "metrics[1].verdict");
  refuse(two, "stages/0/stages/predict/side_ns", json_true(), "stages[0].side_ns");
  refuse(two, "stages/0/side", NULL, "stages[0].side");
  refuse(two, "predictions", json_array(), "predictions");
  refuse(two, "trials/0/seed", json_string("1"), "trials[0].seed");
  refuse(two, "trials/0/side", json_integer(0), "trials[0].side");
  refuse(two, "remarks", json_pack("[i]", 1), "remarks");
  refuse(two, "gate", json_array(), "gate");
  refuse(comparison_bed_gate, "gate/verdict", json_string("maybe"), "gate.verdict");
  refuse(comparison_bed_gate, "gate/metrics/0/upper", json_array(), "figure");
  refuse(comparison_bed_gate, "gate/metrics", json_object(), "gate.metrics");
}

// Files of before it was told apart have no such field.
static void wrong_answers_that_do_not_count_survive(void **state) {
  (void)state;
  static const char path[] = "sides/1/predictions/mismatched_left_out";
  struct sp_error error;
  struct sp_comparison *c;
  assert_int_equal(read_altered(comparison_bed_two, path, json_integer(3), &c, &error), SP_OK);
  assert_int_equal(c->sides[1].n_mismatched_left_out, 3);
  char *text = sp_comparison_json(c);
  assert_non_null(strstr(text, "\"mismatched_left_out\": 3"));
  free(text);
  sp_comparison_free(c);
  assert_int_equal(read_altered(comparison_bed_two, path, NULL, &c, &error), SP_OK);
  assert_int_equal(c->sides[1].n_mismatched_left_out, 0);
  sp_comparison_free(c);
}

static void what_a_later_version_adds_is_ignored(void **state) {
  (void)state;
  struct sp_error error;
  struct sp_comparison *c;
  assert_int_equal(read_altered(comparison_bed_two, "invented", json_array(), &c, &error), SP_OK);
  sp_comparison_free(c);
  assert_int_equal(
      read_altered(comparison_bed_two, "metrics/0/name", json_string("joules_per_event"), &c, &error), SP_OK);
  assert_int_equal(c->n_metrics, 5);
  assert_null(sp_comparison_find(c, 1, "response_p50"));
  assert_non_null(sp_comparison_find(c, 1, "response_p99"));
  sp_comparison_free(c);
}

static void too_many_sides_are_refused(void **state) {
  (void)state;
  json_t *json = json_of(comparison_bed_two), *sides = json_object_get(json, "sides");
  struct sp_error error;
  struct sp_comparison *c;
  for (int i = 0; i < SP_COMPARISON_SIDES; i++) {
    json_t *side = json_deep_copy(json_array_get(sides, 0));
    char name[24];
    snprintf(name, sizeof name, "side-%d", i);
    json_object_set_new(side, "name", json_string(name));
    json_array_append_new(sides, side);
  }
  json_object_set_new(json, "reference", json_string("side-15"));
  char *text = json_dumps(json, 0);
  assert_int_equal(read_text(text, strlen(text), &c, &error), SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "reference"));
  free(text);
  json_decref(json);
}

static void foreign_files_are_refused(void **state) {
  (void)state;
  static const char *const texts[] = {"", "null", "[]", "{}", "{\"schema\": 1}", "\xff\xfe"};
  struct sp_error error;
  struct sp_comparison *c;
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    assert_int_equal(read_text(texts[i], strlen(texts[i]), &c, &error), SP_ERR_ENVIRONMENT);
    assert_null(c);
  }
  assert_int_equal(sp_comparison_read("/nowhere/at/all", &c, &error), SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "/nowhere/at/all (No such file or directory)"));
  assert_int_equal(sp_comparison_read(folder, &c, &error), SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "comparison.json"));
}

static void a_folder_that_cannot_be_written_is_named(void **state) {
  (void)state;
  struct sp_error error;
  struct sp_comparison *c = begun();
  assert_int_equal(sp_comparison_write(c, "/proc/self/nowhere", &error), SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "/proc/self/nowhere"));
  sp_comparison_free(c);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_is_read_back_the_same),
      cmocka_unit_test(figures_survive),
      cmocka_unit_test(what_is_new_is_absent),
      cmocka_unit_test(half_a_file_is_refused),
      cmocka_unit_test(values_of_other_types_are_refused),
      cmocka_unit_test(wrong_answers_that_do_not_count_survive),
      cmocka_unit_test(what_a_later_version_adds_is_ignored),
      cmocka_unit_test(too_many_sides_are_refused),
      cmocka_unit_test(foreign_files_are_refused),
      cmocka_unit_test(a_folder_that_cannot_be_written_is_named),
  };
  if (argc > 1)
    snprintf(folder, sizeof folder, "%s", argv[1]);
  else
    snprintf(folder, sizeof folder, "/tmp/servepath-test-XXXXXX");
  if (argc <= 1 && !mkdtemp(folder)) return 1;
  int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
  char command[4200];
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  if (argc <= 1 && system(command) != 0) return 1;
  return n_failed;
}
