// The live line.
#include "os/terminal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

#define REDRAW_NS (100 * SP_NS_PER_MS)

bool sp_terminal_is(int fd) {
  return isatty(fd) == 1;
}

unsigned sp_terminal_width(int fd) {
  struct winsize size = {0};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

bool sp_terminal_has_color(int fd) {
  const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
  return sp_terminal_is(fd) && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

void sp_live_init(struct sp_live *live, FILE *to, int64_t plain_every_ns) {
  const char *term = getenv("TERM");
  bool can_overwrite = sp_terminal_is(fileno(to)) && term && strcmp(term, "dumb") != 0;
  *live = (struct sp_live){
      .to = to, .is_terminal = can_overwrite, .every_ns = can_overwrite ? REDRAW_NS : plain_every_ns};
}

bool sp_live_is_due(const struct sp_live *live, int64_t now_ns) {
  return now_ns >= live->next_ns;
}

// Bytes of text that fill at most `columns`; *used is how many they do.
static size_t cut(const char *text, unsigned columns, unsigned *used) {
  size_t n = 0;
  *used = 0;
  while (text[n]) {
    bool starts_character = ((unsigned char)text[n] & 0xc0) != 0x80;
    if (starts_character && *used == columns) break;
    *used += starts_character;
    n++;
  }
  return n;
}

static void overwrite(struct sp_live *live, const char *text) {
  unsigned columns, width = sp_terminal_width(fileno(live->to));
  size_t n = cut(text, width > 1 ? width - 1 : 1, &columns); // a full last column wraps on some terminals
  fprintf(live->to, "\r%.*s", (int)n, text);
  if (columns < live->n_shown)
    fprintf(live->to, "%*s\r%.*s", (int)(live->n_shown - columns), "", (int)n, text);
  fflush(live->to);
  live->n_shown = columns;
}

void sp_live_show(struct sp_live *live, int64_t now_ns, const char *format, ...) {
  char text[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  live->next_ns = now_ns + live->every_ns;
  if (live->is_terminal) {
    overwrite(live, text);
  } else {
    fprintf(live->to, "%s\n", text);
    fflush(live->to);
  }
}

void sp_live_clear(struct sp_live *live) {
  if (live->n_shown == 0) return;
  fprintf(live->to, "\r%*s\r", (int)live->n_shown, "");
  fflush(live->to);
  live->n_shown = 0;
}
