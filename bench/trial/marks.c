// Marks of the timeline.
#include "trial/marks.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

void sp_marks_add(struct sp_marks *marks, const char *format, ...) {
  va_list args;
  char *text;
  va_start(args, format);
  SP_ASSERT(vasprintf(&text, format, args) >= 0);
  va_end(args);
  marks->items = sp_realloc(marks->items, (marks->n + 1) * sizeof *marks->items);
  marks->items[marks->n++] = (struct sp_mark){sp_now_ns(), text};
}

static struct sp_timeline_row *row_at(struct sp_result *result, int64_t second) {
  struct sp_timeline_row *row = &result->timeline[0];
  for (size_t i = 0; i < result->n_timeline && result->timeline[i].figures.second <= second; i++)
    row = &result->timeline[i];
  return row;
}

void sp_marks_apply(const struct sp_marks *marks, int64_t t0_ns, struct sp_result *result) {
  for (size_t i = 0; i < marks->n && result->n_timeline; i++) {
    int64_t since_ns = marks->items[i].at_ns - t0_ns;
    int64_t second = since_ns < 0 ? -((-since_ns + SP_NS_PER_S - 1) / SP_NS_PER_S) : since_ns / SP_NS_PER_S;
    struct sp_timeline_row *row = row_at(result, second);
    char *earlier = row->mark;
    row->mark =
        earlier ? sp_format("%s; %s", earlier, marks->items[i].text) : sp_copy_text(marks->items[i].text);
    free(earlier);
  }
}

void sp_marks_done(struct sp_marks *marks) {
  for (size_t i = 0; i < marks->n; i++) free(marks->items[i].text);
  free(marks->items);
  *marks = (struct sp_marks){0};
}
