// The three kinds of trouble: a broken invariant (SP_ASSERT), a failed call (enum sp_err + struct sp_error), and a failed
// event (an outcome, see outcome.h: it is data and never comes through here).
#ifndef SP_BASE_ERR_H
#define SP_BASE_ERR_H

#include <stdarg.h>
#include <stddef.h>

enum sp_err {
  SP_OK = 0,
  SP_ERR_FAILED,       // exit 1: regression, mismatch, bound missed
  SP_ERR_INVALID,      // exit 2: invalid measurement
  SP_ERR_ENVIRONMENT,  // exit 3: broker, server, file (missing, corrupt), port, disk, library
  SP_ERR_INCONCLUSIVE, // exit 4
  SP_ERR_USAGE,        // exit 64: command line, scenario
  SP_ERR_INTERNAL,     // exit 70
};

// What failed, where, and what to do: one line without line end, e.g.
// `fixtures/fraud/scenario.yaml:14: load.rate: "2000" has no unit; write 2000/s`.
struct sp_error {
  enum sp_err code;
  char text[1024];
};

// Fills *error (NULL is allowed) and returns `code`. A later failure overwrites an earlier one. Control characters in the
// formatted text are replaced by '?', so that foreign bytes cannot drive a terminal.
enum sp_err sp_fail(struct sp_error *error, enum sp_err code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
enum sp_err sp_vfail(struct sp_error *error, enum sp_err code, const char *format, va_list args);

// The process exit code of DESIGN §4 for an error.
int sp_exit_code(enum sp_err code);

// A broken invariant: prints the place and aborts, in release builds too.
_Noreturn void sp_panic(const char *file, int line, const char *what);
#define SP_ASSERT(condition) ((condition) ? (void)0 : sp_panic(__FILE__, __LINE__, #condition))

// Memory that is small and needed: never NULL (aborts when there is none). Free with free().
void *sp_alloc(size_t n_bytes);              // zeroed
void *sp_realloc(void *old, size_t n_bytes); // the new part is not zeroed
char *sp_copy_text(const char *text);        // NULL gives NULL
char *sp_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
