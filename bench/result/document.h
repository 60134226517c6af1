// A JSON file of one object whose fields a table names, as a C struct both ways. One thread.
#ifndef SP_RESULT_DOCUMENT_H
#define SP_RESULT_DOCUMENT_H

#include "result/fields.h"

struct sp_document {
  const struct sp_field *fields;
  size_t flags;       // jansson's, of the text; JSON_COMPACT: a line of a file, whose place its reader names
  const char *file;   // "result.json"; this and `noun` only where it is written to and read from folders
  const char *noun;   // "a result"
  const char *broken; // what a text that is no JSON object is: "not a whole result"
  const char *remedy; // "the run was cut off, or this is no result"
  // What must hold beyond the types of the fields; NULL: nothing.
  enum sp_err (*check)(const void *base, const struct sp_field_place *place);
};

// With a line end at its end; free with free().
char *sp_document_text(const struct sp_document *document, const void *base);
// SP_ERR_ENVIRONMENT naming `file` (for messages) and the line or the field. `base` stays free-able.
enum sp_err sp_document_parse(const struct sp_document *document, const char *text, size_t n_text,
                              const char *file, void *base, struct sp_error *error);
// FOLDER/FILE, as sp_result_file_write does it.
enum sp_err sp_document_write(const struct sp_document *document, const void *base, const char *folder,
                              struct sp_error *error);
// The file `path`, or PATH/FILE where it is a folder. SP_ERR_ENVIRONMENT as above, and where it cannot be read.
enum sp_err sp_document_read(const struct sp_document *document, const char *path, void *base,
                             struct sp_error *error);

#endif
