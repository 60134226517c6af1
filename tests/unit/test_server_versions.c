// What a look at version folders tells, and which version a caller gets of a set.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/models.h"
#include "server/versions.h"

static char dir[] = "/tmp/servepath-looks-XXXXXX";

static void shell(const char *command) {
  char whole[512];
  snprintf(whole, sizeof whole, "cd %s && %s", dir, command);
  if (system(whole) != 0) fail_msg("%s", whole);
}

static int make_dir(void **state) {
  (void)state;
  strcpy(dir + strlen(dir) - 6, "XXXXXX");
  return mkdtemp(dir) ? 0 : 1;
}

static int remove_dir(void **state) {
  (void)state;
  char command[64];
  snprintf(command, sizeof command, "rm -rf %s", dir);
  return system(command);
}

static void versions_are_positive_numbers_rising(void **state) {
  (void)state;
  shell("mkdir -- 10 9 100 1 0 01 1a -1 1234567890123456789 name; : >7; ln -s 9 11");
  struct sp_version_seen *seen;
  size_t n;
  struct sp_error error;
  assert_int_equal(sp_versions_look(dir, &seen, &n, &error), SP_OK);
  static const uint64_t expected[] = {1, 9, 10, 11, 100};
  assert_int_equal(n, 5);
  for (size_t i = 0; i < n; i++) assert_int_equal(seen[i].version, expected[i]);
  free(seen);
  assert_int_equal(sp_versions_look("/nonexistent", &seen, &n, &error), SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "cannot read model folder /nonexistent"));
}

// Whatever somebody does to a folder shows, and nothing else does.
static void every_change_shows(void **state) {
  (void)state;
  static const char *const changes[] = {
      "echo more >>1/model.onnx",
      "touch -d 2001-01-01 1/model.onnx",
      "cp -p 1/model.onnx 1/copy && mv 1/copy 1/model.onnx", // as large and as old, but another
      "mkdir -p 1/variables/deep",
      "echo x >1/variables/deep/data",
      "echo y >1/variables/deep/data2",
      "mv 1/variables/deep/data2 1/variables/deep/data3",
      "ln -s nowhere 1/link",
      "ln -s .. 1/variables/up", // a circle
      "rm 1/variables/deep/data",
      "chmod 600 1/model.onnx",
      "rm -r 1",
  };
  shell("mkdir 1 && echo model >1/model.onnx");
  uint64_t before = sp_versions_print(dir, 1);
  assert_int_not_equal(before, 0);
  for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
    shell("cat 1/model.onnx >/dev/null && mkdir -p 2 && echo other >2/model.onnx");
    assert_int_equal(sp_versions_print(dir, 1), before);
    shell(changes[i]);
    uint64_t after = sp_versions_print(dir, 1);
    if (after == before) fail_msg("unseen: %s", changes[i]);
    before = after;
  }
  assert_int_equal(before, 0); // gone
}

// --- Sets ---

static struct sp_served *served(const char *name, uint64_t version) {
  return sp_served_new(name, version);
}

static uint64_t found(const struct sp_models *models, const char *name, int64_t version, const char *label,
                      char text[256]) {
  const struct sp_asked asked = {sp_bytes_of_text(name),
                                 label ? sp_bytes_of_text(label) : (struct sp_bytes){0}, version};
  const struct sp_served *is = sp_models_find(models, &asked, text, 256);
  return is ? is->version : 0;
}

static void sets_are_made_of_sets(void **state) {
  (void)state;
  struct sp_source sources[] = {{(char *)(uintptr_t) "b", NULL, 0}, {(char *)(uintptr_t) "a", NULL, 0}};
  struct sp_label labels[] = {{(char *)(uintptr_t) "old", 1}, {(char *)(uintptr_t) "gone", 7}};
  const struct sp_told told = {.n_sources = 2, .sources = sources, .n_labels = 2, .labels = labels};
  const struct sp_models none = {.told = &told};
  struct sp_served *b1 = served("b", 1), *b2 = served("b", 2), *a1 = served("a", 1), *b3 = served("b", 3),
                   *other = served("b", 2);
  struct sp_models *first = sp_models_changed(&none, NULL, 0, (struct sp_served *[]){a1, b2, b1}, 3);
  assert_true(first->items[0] == b1 && first->items[1] == b2 &&
              first->items[2] == a1); // as told, then rising
  struct sp_models *second = sp_models_changed(first, &b2, 1, (struct sp_served *[]){b3, other}, 2);
  assert_int_equal(second->n, 4);
  assert_true(second->items[0] == b1 && second->items[1] == other && second->items[2] == b3);
  char text[256];
  assert_int_equal(found(second, "b", 0, NULL, text), 3);
  assert_int_equal(found(second, "b", 2, NULL, text), 2);
  assert_int_equal(found(second, "b", 0, "old", text), 1);
  assert_int_equal(found(first, "b", 3, NULL, text), 0);
  assert_string_equal(text, "that version is not served; this server has b 1 2, a 1");
  assert_int_equal(found(first, "b", -1, NULL, text), 0);
  assert_int_equal(found(first, "b", 0, "gone", text), 0);
  assert_string_equal(text, "that version is not served; this server has b 1 2, a 1");
  assert_int_equal(found(first, "b", 0, "new", text), 0);
  assert_string_equal(text, "version label \"new\" is unknown; this server has old 1, gone 7");
  assert_int_equal(found(first, "ab", 0, NULL, text), 0);
  assert_string_equal(text, "that model is not served; this server has b 1 2, a 1");
  struct sp_models *last = sp_models_changed(second, &a1, 1, NULL, 0);
  assert_int_equal(sp_models_presence(last, "a"), SP_PRESENCE_EMPTY);
  assert_int_equal(sp_models_presence(last, "b"), SP_PRESENCE_SERVED);
  assert_int_equal(sp_models_presence(last, "c"), SP_PRESENCE_UNKNOWN);
  assert_int_equal(found(last, "a", 0, NULL, text), 0);
  assert_string_equal(text, "that version is not served; this server has b 1 2 3, a (no version)");
  sp_models_free(first);
  sp_models_free(second);
  sp_models_free(last);
  struct sp_served *const all[] = {b1, b2, a1, b3, other};
  for (size_t i = 0; i < 5; i++) sp_served_free(all[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(versions_are_positive_numbers_rising, make_dir, remove_dir),
      cmocka_unit_test_setup_teardown(every_change_shows, make_dir, remove_dir),
      cmocka_unit_test(sets_are_made_of_sets),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
