// What is particular about a CSV file, kept in its recording's content type so that export can give the file back:
// `text/csv; columns="a,b"; line-end=crlf; mark=bom`. columns is the header row, in which bytes other than printable ASCII,
// and " % \, are percent-encoded.
#ifndef SP_IMPORT_CSV_TYPE_H
#define SP_IMPORT_CSV_TYPE_H

#include <stdbool.h>

#include "base/bytes.h"

struct sp_csv_type {
  bool has_header;
  struct sp_bytes header; // the header row without its line end
  bool ends_in_crlf, has_mark;
};

// From malloc; never NULL.
char *sp_csv_type_write(const struct sp_csv_type *type);
// False if `text` is not text/csv. header.data is from malloc (NULL without header): free it.
bool sp_csv_type_read(const char *text, struct sp_csv_type *type);

#endif
