// Inside import/: CSV columns -> key, time and value.
#ifndef SP_IMPORT_COLUMNS_H
#define SP_IMPORT_COLUMNS_H

#include "import/import.h"
#include "import/mapper.h"
#include "import/rows.h"

struct sp_columns;

// Reads the header row if there is one. SP_ERR_USAGE for a column that is not there.
enum sp_err sp_columns_new(const struct sp_import_conf *conf, struct sp_rows *rows,
                           struct sp_columns **columns, struct sp_error *error);
void sp_columns_free(struct sp_columns *columns); // NULL is allowed
struct sp_bytes sp_columns_header_row(const struct sp_columns *columns);
// As sp_mapper_map.
bool sp_columns_map(struct sp_columns *columns, struct sp_row row, struct sp_event *event, int64_t *time_ns,
                    char why[SP_MAPPER_WHY_BYTES]);

#endif
