// comparison.json first: the page is made from what lies in the folder.
#include "decide/forms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text_stream.h"
#include "os/files.h"
#include "report/comparison.h"
#include "report/html.h"

void sp_forms_relative(struct sp_comparison *c, const char *dir) {
  size_t n = strlen(dir);
  while (n > 1 && dir[n - 1] == '/') n--;
  for (size_t i = 0; i < c->n_trials; i++) {
    char *from = c->trials[i].dir;
    if (!from || strncmp(from, dir, n) != 0 || from[n] != '/') continue;
    char *rest = from + n + strspn(from + n, "/");
    c->trials[i].dir = sp_copy_text(rest);
    free(from);
  }
}

char *sp_forms_markdown(const struct sp_comparison *c) {
  struct sp_text_stream stream;
  sp_comparison_write_markdown(c, sp_text_stream_open(&stream));
  return sp_text_stream_close(&stream);
}

static char *csv_of(const struct sp_comparison *c) {
  struct sp_text_stream stream;
  sp_comparison_write_csv(c, sp_text_stream_open(&stream));
  return sp_text_stream_close(&stream);
}

static enum sp_err write_text(const char *dir, const char *name, char *text, struct sp_error *error) {
  char *path = sp_format("%s/%s", dir, name);
  enum sp_err err = sp_files_write(path, sp_bytes_of_text(text), error);
  free(path);
  free(text);
  return err;
}

static enum sp_err write_page(const struct sp_comparison *c, const char *dir, struct sp_error *error) {
  const char *verb = c->gate.verdict == SP_GATE_NONE ? "compare" : "gate";
  char *page = NULL, *title = sp_format("servepath %s %s", verb, sp_facts_text_of(&c->scenario, "name", dir));
  enum sp_err err = sp_html_of_folder(title, dir, &page, error);
  if (!err)
    err = write_text(dir, "report.html", page, error);
  else
    free(page);
  free(title);
  return err;
}

enum sp_err sp_forms_write(struct sp_comparison *c, const char *dir, struct sp_error *error) {
  sp_forms_relative(c, dir);
  enum sp_err err = sp_comparison_write(c, dir, error);
  if (!err) err = write_text(dir, "report.md", sp_forms_markdown(c), error);
  if (!err) err = write_text(dir, "comparison.csv", csv_of(c), error);
  if (!err) err = write_text(dir, "junit.xml", sp_comparison_junit(c), error);
  return err ? err : write_page(c, dir, error);
}

enum sp_err sp_forms_write_incomplete(struct sp_comparison *c, const char *why, int exit_code,
                                      const char *dir, struct sp_error *error) {
  static const char *const others[] = {"report.md", "comparison.csv", "junit.xml", "report.html"};
  c->complete = false;
  c->exit_code = exit_code;
  free(c->incomplete);
  c->incomplete = sp_copy_text(why);
  if (c->gate.verdict != SP_GATE_NONE) c->gate.verdict = SP_GATE_INCONCLUSIVE;
  sp_forms_relative(c, dir);
  enum sp_err err = sp_comparison_write(c, dir, error);
  for (size_t i = 0; i < sizeof others / sizeof others[0] && !err; i++) {
    char *path = sp_format("%s/%s", dir, others[i]);
    remove(path); // mostly there is none
    free(path);
  }
  return err;
}
