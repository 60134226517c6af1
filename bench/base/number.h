// Decimal text <-> binary floating point: correctly rounded, fast, independent of any locale, and without allocation.
#ifndef SP_BASE_NUMBER_H
#define SP_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Reads the longest prefix of [at, end) that is [+-]?(digits[.digits*]|.digits)([eE][+-]?digits)? in ASCII, as the nearest
// double (ties to even; infinite above its range). Returns the bytes used; 0 if none is there, *value is then untouched.
// Never reads at `end`. No "nan", "inf" or hexadecimal. Eisel and Lemire's algorithm (D. Lemire, Number Parsing at a
// Gigabyte per Second, 2021) up to 19 digits and powers of -65 to 40; strtod beyond.
size_t sp_number_scan(const uint8_t *at, const uint8_t *end, double *value);

// Reads the longest prefix that is [+-]?digits and fits an int64. Returns the bytes used; 0 if none or too large.
size_t sp_number_scan_int64(const uint8_t *at, const uint8_t *end, int64_t *value);

#define SP_FLOAT_TEXT_BYTES  16 // "-1.23456789e-38"
#define SP_DOUBLE_TEXT_BYTES 26 // "-1.2345678901234567e-308"

// The fewest decimal digits that give the number back when read as the nearest double (and then rounded to float). In
// plain notation from 1e-4 up to 1e9 (1e17), otherwise as 1.5e-7. The number is finite. Returns the length; no NUL is written.
size_t sp_float_text(float value, char *text);
size_t sp_double_text(double value, char *text);

#endif
