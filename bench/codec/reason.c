// Why an event is malformed.
#include "codec/reason.h"

#include <stdarg.h>
#include <stdio.h>

enum sp_outcome sp_malformed(struct sp_reason *reason, const char *format, ...) {
  if (!reason) return SP_OUTCOME_MALFORMED;
  va_list args;
  va_start(args, format);
  vsnprintf(reason->text, sizeof reason->text, format, args);
  va_end(args);
  return SP_OUTCOME_MALFORMED;
}
