// What happened to a trial's processes, and when: noted while it runs, put into the timeline afterwards.
#ifndef SP_TRIAL_MARKS_H
#define SP_TRIAL_MARKS_H

#include "result/result.h"

struct sp_mark {
  int64_t at_ns; // CLOCK_MONOTONIC
  char *text;
};
struct sp_marks {
  struct sp_mark *items;
  size_t n;
};

void sp_marks_add(struct sp_marks *marks, const char *format, ...)
    __attribute__((format(printf, 2, 3))); // now
// Into the rows of the seconds that they fall in; what lies before the first row or behind the last goes there.
void sp_marks_apply(const struct sp_marks *marks, int64_t t0_ns, struct sp_result *result);
void sp_marks_done(struct sp_marks *marks);

#endif
