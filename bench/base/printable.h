// Foreign text made fit to be shown: whatever stands in a file or an answer cannot drive a terminal.
#ifndef SP_BASE_PRINTABLE_H
#define SP_BASE_PRINTABLE_H

#include <stddef.h>

// Bytes that a terminal shows as they are: control characters, invalid UTF-8, backslashes, and characters that turn or hide
// text are written \n, \t, \\, \xNN; at most max_bytes of text, then "…". From malloc.
char *sp_printable(const void *bytes, size_t n, size_t max_bytes);
// The same of all of a text.
char *sp_printable_text(const char *text);

#endif
