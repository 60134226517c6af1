// Inside import/: a row -> the instant and the event that it stands for, as the options say.
#ifndef SP_IMPORT_MAPPER_H
#define SP_IMPORT_MAPPER_H

#include "import/import.h"
#include "import/rows.h"
#include "recording/recording.h"

struct sp_mapper;

// Reads the header row of a CSV file from `rows`. SP_ERR_USAGE: an unknown column, a pointer that is none, an option that the
// format does not have.
enum sp_err sp_mapper_new(const struct sp_import_conf *conf, struct sp_rows *rows, struct sp_mapper **mapper,
                          struct sp_error *error);
void sp_mapper_free(struct sp_mapper *mapper); // NULL is allowed
// The rows carry times; otherwise sp_mapper_map leaves *time_ns alone.
bool sp_mapper_has_times(const struct sp_mapper *mapper);
// The header row of what comes out: the file's, or the columns chosen of it. data NULL: none.
struct sp_bytes sp_mapper_header_row(const struct sp_mapper *mapper);

// *event (without its offset) and *time_ns from a row; valid until the next call. False: the row is bad, and `why` says how.
#define SP_MAPPER_WHY_BYTES 200
bool sp_mapper_map(struct sp_mapper *mapper, struct sp_row row, struct sp_event *event, int64_t *time_ns,
                   char why[SP_MAPPER_WHY_BYTES]);

#endif
