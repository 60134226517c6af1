// Huge and broken scenarios: refused in a moment, one line each, whatever the bytes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/prng.h"
#include "fuzz/scenario.c" // NOLINT(bugprone-suspicious-include): the fuzzer's one function
#include "scenario/yaml.h"

#define ROUNDS 1500

static char *read_whole(const char *path, size_t *n) {
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  char *text = sp_alloc(SP_YAML_BYTES_MAX);
  *n = fread(text, 1, SP_YAML_BYTES_MAX, file);
  fclose(file);
  return text;
}

// One to eight bytes changed, doubled, or cut, a piece copied elsewhere.
static size_t mutate(struct sp_prng *prng, char *text, size_t n, size_t room) {
  static const char signs[] = ":{}[],&*!|>'\"%@`#-? \t\n~\0\xff";
  for (uint64_t n_changes = 1 + sp_prng_below(prng, 8); n_changes && n > 1; n_changes--) {
    size_t at = (size_t)sp_prng_below(prng, n), from = (size_t)sp_prng_below(prng, n);
    size_t length = (size_t)sp_prng_below(prng, (n - from < 40 ? n - from : 40) + 1);
    switch (sp_prng_below(prng, 4)) {
    case 0: text[at] = signs[sp_prng_below(prng, sizeof signs - 1)]; break;
    case 1: text[at] = (char)sp_prng_next(prng); break;
    case 2:
      if (n + length < room) {
        char piece[40];
        memcpy(piece, text + from, length);
        memmove(text + at + length, text + at, n - at);
        memcpy(text + at, piece, length);
        n += length;
      }
      break;
    default: n -= length < n - at ? length : n - at; break;
    }
  }
  return n;
}

static void mutated_fixtures_load_or_are_refused(void **state) {
  (void)state;
  static const char *const names[] = {"fraud", "airline", "tweet"};
  struct sp_prng prng;
  sp_prng_init(&prng, 20261107, SP_PRNG_TEST);
  for (size_t i = 0; i < 3; i++) {
    size_t n;
    char *path = sp_format("%s/fixtures/%s/scenario.yaml", getenv("SOURCE_DIR"), names[i]);
    char *original = read_whole(path, &n), *text = sp_alloc(SP_YAML_BYTES_MAX);
    for (size_t round = 0; round < ROUNDS; round++) {
      memcpy(text, original, n);
      size_t n_mutated = mutate(&prng, text, n, SP_YAML_BYTES_MAX);
      uint8_t *exact =
          malloc(n_mutated ? n_mutated : 1); // so that a sanitizer sees any byte read past the end
      memcpy(exact, text, n_mutated);
      LLVMFuzzerTestOneInput(exact, n_mutated);
      free(exact);
    }
    free(path), free(original), free(text);
  }
}

static const char *refuse(const char *text, size_t n) {
  static struct sp_error error;
  const struct sp_origin origin = {"x.yaml", "."};
  struct sp_node *root;
  int64_t from_ns = sp_now_ns();
  assert_int_equal(sp_yaml_parse(&origin, sp_bytes_of(text, n), &root, &error), SP_ERR_USAGE);
  assert_true(sp_now_ns() - from_ns < 10 * SP_NS_PER_S); // not for hours: the limits hold
  return error.text;
}

static char *repeat(const char *piece, size_t times) {
  size_t n = strlen(piece);
  char *text = sp_alloc(n * times + 1);
  for (size_t i = 0; i < n * times; i++) text[i] = piece[i % n];
  return text;
}

static void limits_hold(void **state) {
  (void)state;
  static const struct {
    const char *piece;
    size_t times;
    const char *message;
  } cases[] = {
      {"[", 100000, "x.yaml:1:33: nested too deeply for a scenario"},
      {"{a: ", 100000, "x.yaml:1:126: nested too deeply for a scenario"},
      {"- ", 100000, "x.yaml:1:65: nested too deeply for a scenario"},
      {"- 1\n", 50000, "x.yaml:20000:3: too many values for a scenario"},
      {"- &a 1\n", 1000, "x.yaml:257:6: too many anchors (&)"},
      {"# long\n", 200000, "x.yaml:1:1: larger than 1 MiB: this is no scenario"},
      {"a\x01", 1, "x.yaml:1:2: a byte that is no text; save the file as UTF-8"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char *text = repeat(cases[i].piece, cases[i].times);
    const char *message = refuse(text, strlen(text));
    assert_string_equal(message, cases[i].message);
    free(text);
  }
}

static void a_thousand_laughs_are_refused(void **state) {
  (void)state;
  char text[2048];
  size_t n = (size_t)snprintf(text, sizeof text, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
  for (int i = 1; i < 10; i++) {
    n += (size_t)snprintf(text + n, sizeof text - n, "a%d: &a%d [", i, i);
    for (int j = 0; j < 10; j++)
      n += (size_t)snprintf(text + n, sizeof text - n, "%s*a%d", j ? ", " : "", i - 1);
    n += (size_t)snprintf(text + n, sizeof text - n, "]\n");
  }
  assert_non_null(strstr(refuse(text, n), "aliases repeat too much"));
}

static void bytes_that_are_no_text_are_refused_where_they_stand(void **state) {
  (void)state;
  assert_string_equal(refuse("a: 1\nb: \xff\n", 10),
                      "x.yaml:2:4: a byte that is no text; save the file as UTF-8");
  assert_string_equal(refuse("a: 1\0b: 2\n", 10),
                      "x.yaml:1:5: a byte that is no text; save the file as UTF-8");
  assert_string_equal(refuse("\xff\xfe"
                             "a\0",
                             4),
                      "x.yaml:1:1: a byte that is no text; save the file as UTF-8");
  assert_string_equal(refuse("\xc0\xaf", 2), "x.yaml:1:1: a byte that is no text; save the file as UTF-8");
  assert_string_equal(refuse("\xed\xa0\x80", 3),
                      "x.yaml:1:1: a byte that is no text; save the file as UTF-8");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(mutated_fixtures_load_or_are_refused),
      cmocka_unit_test(limits_hold),
      cmocka_unit_test(a_thousand_laughs_are_refused),
      cmocka_unit_test(bytes_that_are_no_text_are_refused_where_they_stand),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
