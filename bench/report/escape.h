// Foreign text in Markdown and CSV that stays text. One thread.
#ifndef SP_REPORT_ESCAPE_H
#define SP_REPORT_ESCAPE_H

#include <stddef.h>
#include <stdio.h>

// Makes foreign text printable (base/printable.h) and writes it so that GitHub-flavoured Markdown shows just that: no markup,
// no HTML, no end of a cell or line, no link, and nobody is mentioned: an invisible word joiner (U+2060) stands behind what would
// start a mention, a reference or an address. NULL: "-".
void sp_markdown_text(FILE *to, const char *text);
// The same of text that is printable already.
void sp_markdown_clean(FILE *to, const char *clean);
// Words of a command as code, quoted for a shell where needed: `servepath run "a b"`. "servepath" is put before where argv starts
// with the verb.
void sp_markdown_command(FILE *to, char *const *words, size_t n);

// One cell of RFC 4180: printable, so that a row is a line; quoted where it must be; behind an apostrophe where a spreadsheet would take it for a
// formula. NULL: empty.
void sp_csv_text(FILE *to, const char *text);

#endif
