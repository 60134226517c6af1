// Quantities as people write them, and figures as people read them. Independent of the locale; nothing allocates.
#ifndef SP_BASE_UNITS_H
#define SP_BASE_UNITS_H

#include <stddef.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/err.h"

// --- Reading ---
// Numbers are digits with an optional decimal point: no sign, no exponent, no spaces, no NaN. SP_ERR_USAGE fills *error with
// the value, what is wrong and how to write it (`"2000" has no unit; write 2000/s`), without a place: callers add it.

// ns, us (or µs), ms, s, m, h. Refused: no unit, a part finer than 1 ns, more than INT64_MAX ns.
enum sp_err sp_units_parse_duration(const char *text, int64_t *ns, struct sp_error *error);
// NUMBER/s, /min or /h, exactly: 0.5/s is 5 in 10^10 ns. Zero is allowed.
enum sp_err sp_units_parse_rate(const char *text, struct sp_rate *rate, struct sp_error *error);
// B, KiB, MiB, GiB. Refused: a part of a byte.
enum sp_err sp_units_parse_size(const char *text, uint64_t *bytes, struct sp_error *error);
// "0.1%" or "0.001": 0 to 1.
enum sp_err sp_units_parse_share(const char *text, double *share, struct sp_error *error);
// Digits alone, up to UINT64_MAX.
enum sp_err sp_units_parse_count(const char *text, uint64_t *count, struct sp_error *error);
// Any finite number, with sign and exponent.
enum sp_err sp_units_parse_real(const char *text, double *real, struct sp_error *error);

#define SP_UNITS_TEXT_BYTES 32 // room for every text below

// --- Writing back, so that reading gives the same value ---
// 250us, 10s; negative durations are not written.
char *sp_units_write_duration(int64_t ns, char *text, size_t n);
// 2000/s, 0.5/s, 100/min; exact where the rate came from sp_units_parse_rate, six digits otherwise. {0, 0}: 0/s.
char *sp_units_write_rate(const struct sp_rate *rate, char *text, size_t n);
char *sp_units_write_size(uint64_t bytes, char *text, size_t n); // 64KiB

// --- Figures for tables; all return text ---
// Three digits: 9µs, 12.4µs, 1.33ms, 120s; whole ns below 1µs. Negative: "-".
char *sp_units_print_duration(int64_t ns, char *text, size_t n);
char *sp_units_print_count(uint64_t count, char *text, size_t n); // 34,200
// Events per second: 2,000 or, below 100, three digits: 0.5, 33.3. NaN or negative: "-".
char *sp_units_print_rate(double per_s, char *text, size_t n);
// 100%, 99.98%, 0.1%: never 100% for less than all, never 0% for more than none. NaN or negative: "-".
char *sp_units_print_share(double share, char *text, size_t n);
char *sp_units_print_size(uint64_t bytes, char *text, size_t n); // 1.94GiB

double sp_rate_per_s(const struct sp_rate *rate); // 0 for {0, 0}

#endif
