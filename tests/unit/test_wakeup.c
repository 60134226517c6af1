// What is asked of the kernel is in force while it is held, and no longer.
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/wakeup.h"

#define DEVICE "/dev/cpu_dma_latency"

// What all requests of the machine come to, in microseconds; -1: this user may not look.
static int32_t in_force_us(void) {
  int32_t us = -1;
  int fd = open(DEVICE, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  assert_int_equal(read(fd, &us, sizeof us), sizeof us);
  close(fd);
  return us;
}

static void test_is_held_until_released(void **state) {
  (void)state;
  struct sp_error error;
  int fd = 7;
  int32_t before_us = in_force_us();
  enum sp_err err = sp_wakeup_hold(7001, &fd, &error);
  if (before_us < 0) { // a container, or no root
    assert_int_equal(err, SP_ERR_ENVIRONMENT);
    assert_int_equal(fd, -1);
    assert_non_null(strstr(error.text, "leave wake_latency out"));
    return;
  }
  assert_int_equal(err, SP_OK);
  assert_true(in_force_us() <= 8); // rounded up; others may ask for less at the same time
  assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
  int held = fd;
  sp_wakeup_release(&fd);
  assert_int_equal(fd, -1);
  assert_int_equal(fcntl(held, F_GETFD), -1);
  if (before_us > 8) assert_true(in_force_us() > 8 || in_force_us() == 0); // 0: somebody else's, since then
  sp_wakeup_release(&fd);
}

static void test_nothing_is_asked_unless_wanted(void **state) {
  (void)state;
  struct sp_error error;
  int fd = 7;
  assert_int_equal(sp_wakeup_hold(-1, &fd, &error), SP_OK);
  assert_int_equal(fd, -1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_is_held_until_released),
      cmocka_unit_test(test_nothing_is_asked_unless_wanted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
