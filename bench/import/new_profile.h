// Inside import/: what the columns of a CSV file hold, in one pass over it. Memory: names and at most SP_PROFILE_LEVELS_MAX
// values a column.
#ifndef SP_IMPORT_NEW_PROFILE_H
#define SP_IMPORT_NEW_PROFILE_H

#include <signal.h>

#include "import/import.h"

#define SP_PROFILE_COLUMNS_MAX     4096
#define SP_PROFILE_LEVELS_MAX      1024
#define SP_PROFILE_LEVEL_BYTES_MAX 200

// The distinct values of a column, in the order in which they came.
struct sp_levels {
  size_t n;
  char **items;
  uint16_t *slots; // open addressing; index into items, counted from 1
  bool is_over;    // there are more, or one is too long or none that a line can hold; items are gone
};

// Instants in the order of the rows.
struct sp_instants {
  uint64_t n, n_backward; // values that are such; steps back
  double last;
};

struct sp_column_profile {
  char *name; // as the scenario calls it: printable, no two alike
  uint64_t n_numbers, n_missing, n_na_words, n_texts;
  bool is_whole;   // every number is one that an int64 holds
  double min, max; // of the numbers
  struct sp_levels levels;
  struct sp_instants numbers, iso8601;
};

enum sp_profile_header { SP_PROFILE_HEADER_GUESSED, SP_PROFILE_HEADER_THERE, SP_PROFILE_HEADER_NONE };

struct sp_profile {
  struct sp_column_profile *columns;
  size_t n_columns;
  uint64_t n_rows;
  uint64_t n_odd_rows,
      first_odd_line; // rows with another number of columns: counted, and left out of all else
  bool has_header;
};

// Reads the whole file. SP_ERR_ENVIRONMENT: it cannot be read, is no text, holds no events or too many columns, or its fields are
// not parted by commas. sp_profile_done in any case.
enum sp_err sp_profile_read(const struct sp_import_conf *file, enum sp_profile_header header,
                            struct sp_profile *profile, struct sp_error *error);
void sp_profile_done(struct sp_profile *profile);

// The column of that name, else of that number from 1, else SIZE_MAX.
size_t sp_profile_find(const struct sp_profile *profile, const char *name);
// Numbers alone, beside fields that are missing or say so.
bool sp_profile_is_number(const struct sp_column_profile *column);

#endif
