// What a server without an engine answers.
#ifndef SP_SERVER_STUB_H
#define SP_SERVER_STUB_H

#include <stdbool.h>

#include "server/served.h"

struct sp_stub_told {
  int kind; // enum sp_stub; NONE: no stub
  double fixed_value;
};

// Rows first_row.. of the bench's outputs out of those of its inputs. False: no event of the recording has the tensors of
// row *unknown_row (from first_row).
bool sp_stub_answer(const struct sp_stub_told *stub, const struct sp_served *served,
                    const struct sp_bench *bench, size_t first_row, size_t n_rows, size_t *unknown_row);

#endif
