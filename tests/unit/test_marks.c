// What happened while a trial ran stands in the timeline's second in which it happened.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "trial/marks.h"

#define T0 (100 * SP_NS_PER_S)

static void marks_stand_in_their_second(void **state) {
  (void)state;
  struct sp_result *result = sp_result_new();
  for (int64_t second = -2; second <= 2; second++)
    sp_result_second(result, &(struct sp_second){.second = second}, NULL);
  static const struct {
    int64_t at_ns;
    const char *text;
  } told[] = {{T0 - 5 * SP_NS_PER_S, "before all"},
              {T0 - 1, "last of the warm-up"},
              {T0, "first of the window"},
              {T0 + SP_NS_PER_S, "app 2 killed"},
              {T0 + SP_NS_PER_S + 5, "app 1 assigned 0,1"},
              {T0 + 9 * SP_NS_PER_S, "behind all"}};
  struct sp_marks marks = {0};
  for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
    sp_marks_add(&marks, "%s", told[i].text);
    marks.items[i].at_ns = told[i].at_ns;
  }
  sp_marks_apply(&marks, T0, result);
  static const char *const wanted[] = {"before all", "last of the warm-up", "first of the window",
                                       "app 2 killed; app 1 assigned 0,1", "behind all"};
  for (size_t i = 0; i < 5; i++) assert_string_equal(result->timeline[i].mark, wanted[i]);
  sp_marks_done(&marks);
  sp_result_free(result);
}

static void without_a_timeline_marks_are_nowhere(void **state) {
  (void)state;
  struct sp_result *result = sp_result_new();
  struct sp_marks marks = {0};
  sp_marks_add(&marks, "nothing was measured");
  sp_marks_apply(&marks, T0, result);
  assert_int_equal(result->n_timeline, 0);
  sp_marks_done(&marks);
  sp_result_free(result);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(marks_stand_in_their_second),
      cmocka_unit_test(without_a_timeline_marks_are_nowhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
