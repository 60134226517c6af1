// Errors, assertions and memory that cannot be refused.
#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void make_printable(char *text) {
  for (; *text; text++) {
    if ((unsigned char)*text < 0x20 || *text == 0x7f) *text = '?';
  }
}

enum sp_err sp_vfail(struct sp_error *error, enum sp_err code, const char *format, va_list args) {
  if (!error) return code;
  char text[sizeof error->text];
  vsnprintf(text, sizeof text, format, args); // the arguments may point into *error
  make_printable(text);
  memcpy(error->text, text, sizeof text);
  error->code = code;
  return code;
}

enum sp_err sp_fail(struct sp_error *error, enum sp_err code, const char *format, ...) {
  va_list args;
  va_start(args, format);
  sp_vfail(error, code, format, args);
  va_end(args);
  return code;
}

int sp_exit_code(enum sp_err code) {
  switch (code) {
  case SP_OK: return 0;
  case SP_ERR_FAILED: return 1;
  case SP_ERR_INVALID: return 2;
  case SP_ERR_ENVIRONMENT: return 3;
  case SP_ERR_INCONCLUSIVE: return 4;
  case SP_ERR_USAGE: return 64;
  case SP_ERR_INTERNAL: return 70;
  }
  return 70;
}

_Noreturn void sp_panic(const char *file, int line, const char *what) {
  fprintf(stderr, "%s:%d: broken invariant: %s; please report this with the command that caused it\n", file,
          line, what);
  abort();
}

void *sp_alloc(size_t n_bytes) {
  void *memory = calloc(1, n_bytes ? n_bytes : 1);
  if (!memory) sp_panic(__FILE__, __LINE__, "memory is available");
  return memory;
}

void *sp_realloc(void *old, size_t n_bytes) {
  void *memory = realloc(old, n_bytes ? n_bytes : 1);
  if (!memory) sp_panic(__FILE__, __LINE__, "memory is available");
  return memory;
}

char *sp_copy_text(const char *text) {
  if (!text) return NULL;
  size_t n = strlen(text) + 1;
  return memcpy(sp_alloc(n), text, n);
}

char *sp_format(const char *format, ...) {
  va_list args;
  va_start(args, format);
  char *text = NULL;
  int n = vasprintf(&text, format, args);
  va_end(args);
  if (n < 0) sp_panic(__FILE__, __LINE__, "memory is available");
  return text;
}
