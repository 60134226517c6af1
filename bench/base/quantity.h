// Quantities whose kind is only known from how they are written: what ranges and axes are made of. Nothing allocates.
#ifndef SP_BASE_QUANTITY_H
#define SP_BASE_QUANTITY_H

#include <stdbool.h>
#include <stddef.h>

enum sp_quantity_kind {
  SP_QUANTITY_NUMBER,   // 8, 0.5
  SP_QUANTITY_DURATION, // ns
  SP_QUANTITY_RATE,     // per second
  SP_QUANTITY_SIZE,     // bytes
  SP_QUANTITY_SHARE,    // of 1, written with %
};
struct sp_quantity {
  enum sp_quantity_kind kind;
  double value; // in the kind's unit
};

#define SP_QUANTITY_TEXT_BYTES 40

// False: it is none ("exp:2ms", "tfs").
bool sp_quantity_parse(const char *text, struct sp_quantity *quantity);
// As units.h reads it again: 250us, 1500/s, 64KiB, 0.1%, 8. Durations and sizes are rounded to whole ns and bytes. Returns text.
char *sp_quantity_write(const struct sp_quantity *quantity, char *text, size_t n);
// About, with three digits: 1.33ms, 2340/s. Returns text.
char *sp_quantity_print(const struct sp_quantity *quantity, char *text, size_t n);

#endif
