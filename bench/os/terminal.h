// What a person watches while a command works: one line that is overwritten on a terminal, plain lines now
// and then elsewhere. Everything goes to stderr; stdout is for results.
#ifndef SP_OS_TERMINAL_H
#define SP_OS_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

bool sp_terminal_is(int fd);
// Columns of the terminal behind fd; 80 where it is none or does not say.
unsigned sp_terminal_width(int fd);
// A terminal, NO_COLOR unset or empty (https://no-color.org), TERM not "dumb".
bool sp_terminal_has_color(int fd);

// One thread.
struct sp_live {
  FILE *to;
  bool is_terminal;
  int64_t every_ns; // between plain lines
  int64_t next_ns;
  unsigned n_shown; // columns now on the line
};

// plain_every_ns: how often a line is printed where `to` is no terminal (on one: at most every 100 ms).
void sp_live_init(struct sp_live *live, FILE *to, int64_t plain_every_ns);
// True if a line is due: ask before working one out.
bool sp_live_is_due(const struct sp_live *live, int64_t now_ns);
// Shows the line, cut to the terminal's width (one column a UTF-8 character).
void sp_live_show(struct sp_live *live, int64_t now_ns, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// Removes the line from a terminal before something else is printed there.
void sp_live_clear(struct sp_live *live);

#endif
