// Foreign text in Markdown and CSV.
#include "report/escape.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/printable.h"

#define WORD_JOINER "\xe2\x81\xa0"

// What a renderer, or the site around it, would make a link of.
static bool starts_link(const char *at, const char *text) {
  if (*at == '@') return true;
  if (*at == '#') return isdigit((unsigned char)at[1]) != 0;
  if (*at == ':') return at[1] == '/';
  return *at == '.' && at - text >= 3 && strncasecmp(at - 3, "www", 3) == 0;
}

void sp_markdown_clean(FILE *to, const char *clean) {
  for (const char *at = clean; *at; at++) {
    if (*at == '&')
      fputs("&amp;", to);
    else if (*at == '<')
      fputs("&lt;", to);
    else if (*at == '>')
      fputs("&gt;", to);
    else if (strchr("\\`*_{}[]()#+!|~$", *at))
      fprintf(to, "\\%c", *at);
    else
      fputc(*at, to);
    if (starts_link(at, clean)) fputs(WORD_JOINER, to);
  }
}

void sp_markdown_text(FILE *to, const char *text) {
  char *clean = sp_printable_text(text ? text : "-");
  sp_markdown_clean(to, clean);
  free(clean);
}

void sp_markdown_command(FILE *to, char *const *words, size_t n) {
  fputs(n && strstr(words[0], "servepath") ? "`" : "`servepath ", to);
  for (size_t i = 0; i < n; i++) {
    char *word = sp_printable_text(words[i]);
    for (char *at = word; *at; at++) *at = *at == '`' ? '\'' : *at; // would end the code
    bool is_plain = *word && strcspn(word, " \t\"$&|;<>()*?'\\") == strlen(word);
    const char *quote = is_plain ? "" : strpbrk(word, "\"$") && !strchr(word, '\'') ? "'" : "\"";
    fprintf(to, "%s%s%s%s", i ? " " : "", quote, word, quote);
    free(word);
  }
  fputc('`', to);
}

void sp_csv_text(FILE *to, const char *text) {
  char *clean = sp_printable_text(text ? text : "");
  bool is_formula = clean[0] && strchr("=+-@", clean[0]);
  bool is_quoted = is_formula || clean[0] == ' ' || strpbrk(clean, ",\"'");
  if (is_quoted) fputc('"', to);
  if (is_formula) fputc('\'', to);
  for (const char *at = clean; *at; at++) {
    if (*at == '"') fputc('"', to);
    fputc(*at, to);
  }
  if (is_quoted) fputc('"', to);
  free(clean);
}
