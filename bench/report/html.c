// The page: a frame, its style, Chart.js, its script, and the data of the report as JSON that cannot end its element.
#include "report/html.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
#include "base/text_stream.h"
#include "report/html_data.h"
#include "report/page_embed.h"

#define POLICY                                                                                               \
  "default-src 'none'; script-src '" SP_PAGE_HASH_chart "' '" SP_PAGE_HASH_js                                \
  "'; style-src '" SP_PAGE_HASH_css "'; img-src data:; base-uri 'none'; form-action 'none'"

static void write_escaped(const char *text, FILE *to) {
  char *clean = sp_printable_text(text);
  for (const char *at = clean; *at; at++) {
    switch (*at) {
    case '&': fputs("&amp;", to); break;
    case '<': fputs("&lt;", to); break;
    case '>': fputs("&gt;", to); break;
    case '"': fputs("&quot;", to); break;
    case '\'': fputs("&#39;", to); break;
    default: fputc(*at, to);
    }
  }
  free(clean);
}

// JSON in ASCII, and without the characters that an HTML parser looks for: "</script", "<!--" and "&" cannot occur.
static void write_data(const struct sp_html *html, FILE *to) {
  json_t *json = sp_html_data(html);
  char *text = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(6));
  SP_ASSERT(text);
  for (const char *at = text; *at; at++) {
    if (*at == '<' || *at == '>' || *at == '&')
      fprintf(to, "\\u%04x", (unsigned)*at);
    else
      fputc(*at, to);
  }
  free(text);
  json_decref(json);
}

static void write_part(const struct sp_html *html, const char *name, size_t n, FILE *to) {
#define IS(part) (n == strlen(part) && memcmp(name, part, n) == 0)
  if (IS("title"))
    write_escaped(html->title, to);
  else if (IS("policy"))
    fputs(POLICY, to);
  else if (IS("css"))
    fputs((const char *)sp_page_css, to);
  else if (IS("chart"))
    fputs((const char *)sp_page_chart, to);
  else if (IS("js"))
    fputs((const char *)sp_page_js, to);
  else {
    SP_ASSERT(IS("data"));
    write_data(html, to);
  }
#undef IS
}

enum sp_err sp_html_write(const struct sp_html *html, FILE *to, struct sp_error *error) {
  const char *at = (const char *)sp_page_html;
  for (const char *open; (open = strstr(at, "{{")) != NULL;) {
    const char *close = strstr(open, "}}");
    SP_ASSERT(close);
    fwrite(at, 1, (size_t)(open - at), to);
    write_part(html, open + 2, (size_t)(close - open - 2), to);
    at = close + 2;
  }
  fputs(at, to);
  if (fflush(to) == 0 && !ferror(to)) return SP_OK;
  return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot write the page (%s); free some space", strerror(errno));
}

enum sp_err sp_html_of_folder(const char *title, const char *dir, char **text, struct sp_error *error) {
  struct sp_report report = {0};
  *text = NULL;
  enum sp_err err = sp_report_add(&report, dir, error);
  if (!err) {
    sp_report_group(&report);
    struct sp_html html = {.title = title, .report = &report};
    struct sp_text_stream page;
    err = sp_html_write(&html, sp_text_stream_open(&page), error);
    *text = sp_text_stream_close(&page);
  }
  sp_report_done(&report);
  return err;
}
