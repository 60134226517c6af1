#include "result/document.h"

#include <stdlib.h>

#include "result/file.h"

char *sp_document_text(const struct sp_document *document, const void *base) {
  return sp_fields_print(sp_fields_write(document->fields, base), document->flags);
}

static enum sp_err fail_parse(const struct sp_document *document, const char *file, const json_error_t *why,
                              struct sp_error *error) {
  char place[32] = "";
  if (!(document->flags & JSON_COMPACT)) snprintf(place, sizeof place, ":%d:%d", why->line, why->column);
  return sp_fail(error, SP_ERR_ENVIRONMENT, "%s%s: %s (%s); %s", file, place, document->broken, why->text,
                 document->remedy);
}

enum sp_err sp_document_parse(const struct sp_document *document, const char *text, size_t n_text,
                              const char *file, void *base, struct sp_error *error) {
  const struct sp_field_place place = {file, "", error};
  json_error_t why;
  json_t *json = json_loadb(text, n_text, JSON_REJECT_DUPLICATES, &why);
  enum sp_err err = SP_OK;
  if (!json)
    err = fail_parse(document, file, &why, error);
  else if (!json_is_object(json))
    err = fail_parse(document, file, &(json_error_t){.line = 1, .column = 1, .text = "not an object"}, error);
  if (!err) err = sp_fields_read(document->fields, base, json, &place);
  if (!err && document->check) err = document->check(base, &place);
  json_decref(json);
  return err;
}

enum sp_err sp_document_write(const struct sp_document *document, const void *base, const char *folder,
                              struct sp_error *error) {
  char *text = sp_document_text(document, base);
  enum sp_err err = sp_result_file_write(folder, document->file, text, error);
  free(text);
  return err;
}

enum sp_err sp_document_read(const struct sp_document *document, const char *path, void *base,
                             struct sp_error *error) {
  char *file, *text;
  size_t n_text;
  enum sp_err err = sp_result_file_read(path, document->file, document->noun, &file, &text, &n_text, error);
  if (!err) err = sp_document_parse(document, text, n_text, file, base, error);
  free(text);
  free(file);
  return err;
}
