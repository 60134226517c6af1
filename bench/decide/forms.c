// comparison.json first: the page is made from what lies in the folder.
#include "decide/forms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text_stream.h"
#include "os/files.h"
#include "report/comparison.h"
#include "report/html.h"

// "../base/001" for /x/base/001 seen from /x/out, both without links. From malloc.
static char *seen_from(const char *folder, const char *path) {
  char *from = sp_format("%s/", strcmp(folder, "/") == 0 ? "" : folder), *to = sp_format("%s/", path);
  size_t n_common = 0; // bytes up to the last folder that both lie below
  for (size_t i = 0; from[i] && from[i] == to[i]; i++) n_common = from[i] == '/' ? i + 1 : n_common;
  struct sp_text_stream stream;
  FILE *seen = sp_text_stream_open(&stream);
  for (const char *at = from + n_common; *at; at++) {
    if (*at == '/') fputs("../", seen);
  }
  fputs(strcmp(from, to) == 0 ? "./" : to + n_common, seen);
  char *text = sp_text_stream_close(&stream);
  text[strlen(text) - 1] = '\0'; // without the last slash
  free(from);
  free(to);
  return text;
}

// NULL: it is not there. From malloc.
static char *place_outside(const char *dir, const char *trial) {
  char *folder = realpath(dir, NULL), *path = realpath(trial, NULL);
  char *place = folder && path ? seen_from(folder, path) : NULL;
  free(folder);
  free(path);
  return place;
}

void sp_forms_relative(struct sp_comparison *c, const char *dir) {
  size_t n = strlen(dir);
  while (n > 1 && dir[n - 1] == '/') n--;
  for (size_t i = 0; i < c->n_trials; i++) {
    char *from = c->trials[i].dir;
    if (!from) continue;
    bool is_below = strncmp(from, dir, n) == 0 && from[n] == '/';
    char *place = is_below ? sp_copy_text(from + n + strspn(from + n, "/")) : place_outside(dir, from);
    if (!place) continue; // gone: whoever reads it says so
    c->trials[i].dir = place;
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
