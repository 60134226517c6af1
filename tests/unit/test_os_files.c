// Whole files, folders, the folder of a run, and what is said when the disk does not obey.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/files.h"

static char folder[] = "/tmp/sp-test-files-XXXXXX";

static char *in_folder(const char *name) {
  return sp_format("%s/%s", folder, name);
}

static void expect(enum sp_err got, enum sp_err wanted, const struct sp_error *error, const char *part) {
  assert_int_equal(got, wanted);
  if (!strstr(error->text, part)) fail_msg("\"%s\" is missing in: %s", part, error->text);
}

static void test_folders(void **state) {
  (void)state;
  struct sp_error error;
  char *path = in_folder("a/b/c"), *file = in_folder("a/file"), *below = in_folder("a/file/d");
  assert_int_equal(sp_files_make_dirs(path, &error), SP_OK);
  assert_int_equal(sp_files_make_dirs(path, &error), SP_OK);
  assert_int_equal(access(path, W_OK), 0);
  assert_int_equal(sp_files_write(file, sp_bytes_of_text("x"), &error), SP_OK);
  expect(sp_files_make_dirs(below, &error), SP_ERR_ENVIRONMENT, &error, "/a/file: a file has that name");
  expect(sp_files_make_dirs("/proc/nothing/here", &error), SP_ERR_ENVIRONMENT, &error, "/proc/nothing (");
  free(path);
  free(file);
  free(below);
}

static void test_folder_of_a_file(void **state) {
  (void)state;
  struct sp_error error;
  char *deep = in_folder("of/a/file"), *parent = in_folder("of/a"), *below = in_folder("of/a/file/d");
  assert_int_equal(sp_files_make_parent(deep, &error), SP_OK);
  assert_int_equal(access(parent, W_OK), 0);
  assert_int_equal(access(deep, F_OK), -1);
  assert_int_equal(sp_files_write(deep, sp_bytes_of_text("x"), &error), SP_OK);
  assert_int_equal(sp_files_make_parent(deep, &error), SP_OK);
  expect(sp_files_make_parent(below, &error), SP_ERR_ENVIRONMENT, &error, "/of/a/file: a file has that name");
  assert_int_equal(sp_files_make_parent("name", &error), SP_OK); // here, and in the root: nothing to make
  assert_int_equal(sp_files_make_parent("/name", &error), SP_OK);
  free(deep);
  free(parent);
  free(below);
}

// As root a rename would make a file of the device.
static void test_devices_and_links_stay_what_they_are(void **state) {
  (void)state;
  struct sp_error error;
  struct stat facts;
  char *file = in_folder("target"), *link_path = in_folder("link"), *text = NULL;
  size_t n = 0;
  assert_int_equal(sp_files_write(file, sp_bytes_of_text("longer than that"), &error), SP_OK);
  assert_int_equal(symlink(file, link_path), 0);
  assert_int_equal(sp_files_write(link_path, sp_bytes_of_text("through"), &error), SP_OK);
  assert_int_equal(lstat(link_path, &facts), 0);
  assert_true(S_ISLNK(facts.st_mode));
  assert_int_equal(sp_files_read(file, 100, &text, &n, &error), SP_OK);
  assert_string_equal(text, "through");
  assert_int_equal(sp_files_write("/dev/null", sp_bytes_of_text("x"), &error), SP_OK);
  expect(sp_files_write("/dev/full", sp_bytes_of_text("x"), &error), SP_ERR_ENVIRONMENT, &error, "/dev/full");
  assert_int_equal(stat("/dev/full", &facts), 0);
  assert_true(S_ISCHR(facts.st_mode));
  assert_int_equal(stat("/dev/null", &facts), 0);
  assert_true(S_ISCHR(facts.st_mode));
  free(file);
  free(link_path);
  free(text);
}

static void test_write_replaces_and_read_returns(void **state) {
  (void)state;
  struct sp_error error;
  char *path = in_folder("file"), *text;
  size_t n;
  const size_t n_long = 100000;
  char *content = sp_alloc(n_long);
  memset(content, 'z', n_long);
  content[5] = '\0'; // bytes, not text
  assert_int_equal(sp_files_write(path, sp_bytes_of_text("first"), &error), SP_OK);
  assert_int_equal(sp_files_write(path, sp_bytes_of(content, n_long), &error), SP_OK);
  assert_int_equal(sp_files_read(path, n_long, &text, &n, &error), SP_OK);
  assert_int_equal(n, n_long);
  assert_memory_equal(text, content, n);
  assert_int_equal(text[n], '\0');
  free(text);
  expect(sp_files_read(path, n_long - 1, &text, &n, &error), SP_ERR_ENVIRONMENT, &error,
         "longer than the 99999 bytes");
  assert_int_equal(sp_files_write(path, sp_bytes_of_text(""), &error), SP_OK);
  assert_int_equal(sp_files_read(path, 10, &text, &n, &error), SP_OK);
  assert_int_equal(n, 0);
  assert_string_equal(text, "");
  free(text);
  free(content);
  free(path);
}

static void test_unreadable_and_unwritable(void **state) {
  (void)state;
  struct sp_error error;
  char *text;
  size_t n;
  expect(sp_files_read("/no/file", 10, &text, &n, &error), SP_ERR_ENVIRONMENT, &error,
         "/no/file (No such file");
  assert_null(text);
  expect(sp_files_read(folder, 10, &text, &n, &error), SP_ERR_ENVIRONMENT, &error, "Is a directory");
  expect(sp_files_write("/no/file", sp_bytes_of_text("x"), &error), SP_ERR_ENVIRONMENT, &error,
         "name another place");
}

// The real thing: a device that is always full.
static void test_full_disk(void **state) {
  (void)state;
  struct sp_error error;
  FILE *full = fopen("/dev/full", "w");
  assert_non_null(full);
  assert_int_equal(fputs("x", full), 1);
  assert_int_equal(fclose(full), EOF);
  expect(sp_files_fail_write("results/run", 28, &error), SP_ERR_ENVIRONMENT, &error,
         "results/run: the disk is full");
  assert_non_null(strstr(error.text, "bytes free); make room"));
  char *deep = in_folder("not/made/yet");
  assert_true(sp_files_free_bytes(deep) == sp_files_free_bytes(folder));
  assert_true(sp_files_free_bytes("/") != SIZE_MAX && sp_files_free_bytes("not/there") != SIZE_MAX);
  free(deep);
}

static void test_remove_follows_no_link(void **state) {
  (void)state;
  char *kept = in_folder("kept"), *gone = in_folder("gone"), *link = in_folder("gone/link"),
       *deep = in_folder("gone/a/b");
  char *file = in_folder("kept/file");
  assert_int_equal(sp_files_make_dirs(kept, NULL), SP_OK);
  assert_int_equal(sp_files_make_dirs(deep, NULL), SP_OK);
  assert_int_equal(sp_files_write(file, sp_bytes_of_text("x"), NULL), SP_OK);
  assert_int_equal(symlink(kept, link), 0);
  assert_true(sp_files_remove(gone));
  assert_true(sp_files_remove(gone));
  assert_int_equal(access(gone, F_OK), -1);
  assert_int_equal(access(file, F_OK), 0);
  free(kept);
  free(gone);
  free(link);
  free(deep);
  free(file);
}

static void test_run_dir(void **state) {
  (void)state;
  struct sp_run_dir dir, other;
  struct sp_error error;
  assert_int_equal(sp_run_dir_new(&dir, "abc-1", &error), SP_OK);
  struct stat facts;
  assert_int_equal(stat(dir.path, &facts), 0);
  assert_int_equal(facts.st_mode & 0777, 0700);
  expect(sp_run_dir_new(&other, "abc-1", &error), SP_ERR_ENVIRONMENT, &error, "run abc-1 is under way");
  assert_null(other.path);
  expect(sp_run_dir_new(&other, "a/b", &error), SP_ERR_USAGE, &error, "\"a/b\" cannot name a run");
  expect(sp_run_dir_new(&other, "", &error), SP_ERR_USAGE, &error, "cannot name a run");
  assert_int_equal(sp_run_dir_new(&other, "abc-2", &error), SP_OK); // runs beside each other
  char *file = sp_run_dir_file(&dir, "server.sock");
  assert_int_equal(sp_files_write(file, sp_bytes_of_text("x"), &error), SP_OK);
  assert_true(strlen(file) < 100); // a unix socket's path holds 107 bytes
  sp_run_dir_free(&dir);
  assert_int_equal(access(file, F_OK), -1);
  sp_run_dir_free(&dir);
  sp_run_dir_free(&other);
  free(file);
}

// What a run leaves that was killed before its folder had a lock.
static void test_unfinished_folders_go_when_old(void **state) {
  (void)state;
  char *fresh = in_folder("servepath/new-a-1"), *old = in_folder("servepath/new-b-2");
  assert_int_equal(sp_files_make_dirs(fresh, NULL), SP_OK);
  assert_int_equal(sp_files_make_dirs(old, NULL), SP_OK);
  struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
  assert_int_equal(utimensat(0, old, times, 0), 0);
  assert_int_equal(sp_run_dir_sweep().n_folders, 1);
  assert_int_equal(access(fresh, F_OK), 0);
  assert_int_equal(access(old, F_OK), -1);
  assert_true(sp_files_remove(fresh));
  free(fresh);
  free(old);
}

static void test_a_parent_open_to_others_is_refused(void **state) {
  (void)state;
  struct sp_run_dir dir;
  struct sp_error error;
  char *parent = in_folder("servepath");
  assert_int_equal(chmod(parent, 0777), 0);
  expect(sp_run_dir_new(&dir, "x", &error), SP_ERR_ENVIRONMENT, &error, "only this user may write to");
  assert_int_equal(chmod(parent, 0700), 0);
  free(parent);
}

static int set_up(void **state) {
  (void)state;
  if (!mkdtemp(folder)) return 1;
  return setenv("XDG_RUNTIME_DIR", folder, 1);
}

static int tear_down(void **state) {
  (void)state;
  return !sp_files_remove(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_folders),
      cmocka_unit_test(test_folder_of_a_file),
      cmocka_unit_test(test_write_replaces_and_read_returns),
      cmocka_unit_test(test_devices_and_links_stay_what_they_are),
      cmocka_unit_test(test_unreadable_and_unwritable),
      cmocka_unit_test(test_full_disk),
      cmocka_unit_test(test_remove_follows_no_link),
      cmocka_unit_test(test_run_dir),
      cmocka_unit_test(test_unfinished_folders_go_when_old),
      cmocka_unit_test(test_a_parent_open_to_others_is_refused),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
