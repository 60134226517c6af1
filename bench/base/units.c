// Quantities: read exactly (integers and powers of ten), written back, and printed for people.
#include "base/units.h"

#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

// --- Reading ---

struct decimal { // mantissa / 10^places
  uint64_t mantissa;
  unsigned places;
};

__extension__ typedef unsigned __int128 wide; // no product of two uint64_t overflows it

struct unit {
  const char *name;
  uint64_t scale;
};

static const struct unit duration_units[] = {{"ns", 1},
                                             {"us", 1000},
                                             {"µs", 1000},
                                             {"ms", 1000000},
                                             {"s", 1000000000},
                                             {"m", UINT64_C(60000000000)},
                                             {"h", UINT64_C(3600000000000)},
                                             {NULL, 0}};
static const struct unit rate_units[] = {
    {"/s", 1000000000}, {"/min", UINT64_C(60000000000)}, {"/h", UINT64_C(3600000000000)}, {NULL, 0}};
static const struct unit size_units[] = {
    {"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {NULL, 0}};

static enum sp_err too_large(const char *text, struct sp_error *error) {
  return sp_fail(error, SP_ERR_USAGE, "\"%.40s\" is too large", text);
}

// Digits with an optional point; *rest is what follows. Zeros at the end of the fraction are dropped.
static enum sp_err parse_decimal(const char *text, const char *example, struct decimal *decimal,
                                 const char **rest, struct sp_error *error) {
  bool has_digits = false, in_fraction = false;
  unsigned n_zeros = 0; // of the fraction, not yet known to matter
  *decimal = (struct decimal){0, 0};
  *rest = text;
  const char *at = text;
  for (;; at++) {
    if (*at == '.' && !in_fraction && has_digits) {
      in_fraction = true;
      continue;
    }
    if (*at < '0' || *at > '9') break;
    has_digits = true;
    if (in_fraction && *at == '0') {
      n_zeros++;
      continue;
    }
    unsigned n_shifts = n_zeros + 1;
    if (in_fraction) decimal->places += n_shifts;
    for (; n_shifts; n_shifts--) {
      if (decimal->mantissa && __builtin_mul_overflow(decimal->mantissa, 10, &decimal->mantissa))
        return too_large(text, error);
    }
    n_zeros = 0;
    if (__builtin_add_overflow(decimal->mantissa, (uint64_t)(*at - '0'), &decimal->mantissa))
      return too_large(text, error);
  }
  if (!has_digits || at[-1] == '.')
    return sp_fail(error, SP_ERR_USAGE, "\"%.40s\" is not a number with a unit; write for example %s", text,
                   example);
  *rest = at;
  return SP_OK;
}

// The unit that `rest` is; `all` lists them for messages.
static enum sp_err find_unit(const char *text, const char *rest, const struct unit *units, const char *usual,
                             const char *all, uint64_t *scale, struct sp_error *error) {
  *scale = 1;
  if (!*rest) return sp_fail(error, SP_ERR_USAGE, "\"%.40s\" has no unit; write %.40s%s", text, text, usual);
  for (const struct unit *unit = units; unit->name; unit++) {
    if (strcmp(unit->name, rest) == 0) {
      *scale = unit->scale;
      return SP_OK;
    }
  }
  return sp_fail(error, SP_ERR_USAGE, "\"%.40s\" has the unknown unit \"%.20s\"; write %.*s%s (or %s)", text,
                 rest, rest - text > 40 ? 40 : (int)(rest - text), text, usual, all);
}

static bool pow10_u64(unsigned exponent, uint64_t *power) {
  *power = 1;
  for (; exponent; exponent--) {
    if (__builtin_mul_overflow(*power, 10, power)) return false;
  }
  return true;
}

// mantissa * scale / 10^places, which must be whole and at most `max`.
static enum sp_err scale_decimal(const char *text, const struct decimal *decimal, uint64_t scale,
                                 uint64_t max, const char *smallest, uint64_t *out, struct sp_error *error) {
  uint64_t divisor;
  *out = 0;
  // 10^20 is past every scale here: so fine a fraction cannot be whole (its last digit is not zero).
  bool is_whole = pow10_u64(decimal->places, &divisor);
  wide product = (wide)decimal->mantissa * scale;
  if (!is_whole || product % divisor != 0)
    return sp_fail(error, SP_ERR_USAGE, "\"%.40s\" is finer than %s", text, smallest);
  if (product / divisor > max) return too_large(text, error);
  *out = (uint64_t)(product / divisor);
  return SP_OK;
}

enum sp_err sp_units_parse_duration(const char *text, int64_t *ns, struct sp_error *error) {
  struct decimal decimal;
  const char *rest;
  uint64_t scale, value;
  enum sp_err err = parse_decimal(text, "10s", &decimal, &rest, error);
  if (!err) err = find_unit(text, rest, duration_units, "s", "ns, us, ms, m, h", &scale, error);
  if (!err) err = scale_decimal(text, &decimal, scale, INT64_MAX, "1ns", &value, error);
  if (!err) *ns = (int64_t)value;
  return err;
}

enum sp_err sp_units_parse_rate(const char *text, struct sp_rate *rate, struct sp_error *error) {
  struct decimal decimal;
  const char *rest;
  uint64_t scale, power;
  enum sp_err err = parse_decimal(text, "2000/s", &decimal, &rest, error);
  if (!err) err = find_unit(text, rest, rate_units, "/s", "/min, /h", &scale, error);
  if (err) return err;
  if (!pow10_u64(decimal.places, &power) || __builtin_mul_overflow(scale, power, &power))
    return sp_fail(error, SP_ERR_USAGE, "\"%.40s\" has too many decimals", text);
  *rate = (struct sp_rate){decimal.mantissa, power};
  return SP_OK;
}

enum sp_err sp_units_parse_size(const char *text, uint64_t *bytes, struct sp_error *error) {
  struct decimal decimal;
  const char *rest;
  uint64_t scale;
  enum sp_err err = parse_decimal(text, "64KiB", &decimal, &rest, error);
  if (!err) err = find_unit(text, rest, size_units, "KiB", "B, MiB, GiB", &scale, error);
  if (!err) err = scale_decimal(text, &decimal, scale, UINT64_MAX, "1B", bytes, error);
  return err;
}

enum sp_err sp_units_parse_share(const char *text, double *share, struct sp_error *error) {
  struct decimal decimal;
  const char *rest;
  enum sp_err err = parse_decimal(text, "0.1%", &decimal, &rest, error);
  if (err) return err;
  bool is_percent = strcmp(rest, "%") == 0;
  if (*rest && !is_percent)
    return sp_fail(error, SP_ERR_USAGE, "\"%.40s\" is not a share; write for example 0.1%% or 0.001", text);
  // Read in one step, so that 0.1% is the double nearest to 0.001.
  char number[64];
  snprintf(number, sizeof number, "%llue-%u", (unsigned long long)decimal.mantissa,
           decimal.places + (is_percent ? 2U : 0U));
  double value = strtod(number, NULL); // no decimal point: every locale reads it alike
  if (value > 1)
    return sp_fail(error, SP_ERR_USAGE, "\"%.40s\" is more than all%s", text,
                   is_percent ? "; write 0% to 100%" : "; write 0 to 1, or a percentage as 1%");
  *share = value;
  return SP_OK;
}

enum sp_err sp_units_parse_count(const char *text, uint64_t *count, struct sp_error *error) {
  uint64_t value = 0;
  for (const char *at = text; *at; at++) {
    if (*at < '0' || *at > '9')
      return sp_fail(error, SP_ERR_USAGE,
                     "\"%.40s\" is not a whole number; write digits only, for example 64", text);
    if (__builtin_mul_overflow(value, 10, &value) ||
        __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
      return too_large(text, error);
  }
  if (!*text) return sp_fail(error, SP_ERR_USAGE, "\"\" is not a whole number; write digits, for example 64");
  *count = value;
  return SP_OK;
}

static const char *skip_digits(const char *at) {
  while (*at >= '0' && *at <= '9') at++;
  return at;
}

static bool is_real(const char *at) {
  if (*at == '-' || *at == '+') at++;
  const char *digits = at;
  at = skip_digits(at);
  if (at == digits) return false;
  if (*at == '.') {
    digits = ++at;
    at = skip_digits(at);
    if (at == digits) return false;
  }
  if (*at == 'e' || *at == 'E') {
    at++;
    if (*at == '-' || *at == '+') at++;
    digits = at;
    at = skip_digits(at);
    if (at == digits) return false;
  }
  return *at == '\0';
}

enum sp_err sp_units_parse_real(const char *text, double *real, struct sp_error *error) {
  if (!is_real(text))
    return sp_fail(error, SP_ERR_USAGE, "\"%.40s\" is not a number; write for example 0.5 or 1e-5", text);
  locale_t plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
  SP_ASSERT(plain);
  double value = strtod_l(text, NULL, plain);
  freelocale(plain);
  if (!isfinite(value)) return too_large(text, error);
  *real = value;
  return SP_OK;
}

// --- Writing back ---

char *sp_units_write_duration(int64_t ns, char *text, size_t n) {
  SP_ASSERT(ns >= 0);
  static const struct unit units[] = {{"s", 1000000000}, {"ms", 1000000}, {"us", 1000}, {"ns", 1}};
  size_t i = 0;
  while ((uint64_t)ns % units[i].scale != 0) i++;
  snprintf(text, n, "%llu%s", (unsigned long long)((uint64_t)ns / units[i].scale), units[i].name);
  return text;
}

// mantissa / 10^places as digits with a point.
static void write_decimal(uint64_t mantissa, unsigned places, const char *unit, char *text, size_t n) {
  char digits[SP_UNITS_TEXT_BYTES];
  int n_digits = snprintf(digits, sizeof digits, "%0*llu", (int)places + 1, (unsigned long long)mantissa);
  int n_whole = n_digits - (int)places;
  snprintf(text, n, "%.*s%s%s%s", n_whole, digits, places ? "." : "", digits + n_whole, unit);
}

char *sp_units_write_rate(const struct sp_rate *rate, char *text, size_t n) {
  for (const struct unit *unit = rate_units; unit->name && rate->per_ns; unit++) {
    uint64_t power = rate->per_ns / unit->scale;
    unsigned places = 0;
    if (rate->per_ns % unit->scale != 0) continue;
    for (; power % 10 == 0; power /= 10) places++;
    if (power != 1) continue;
    write_decimal(rate->n, places, unit->name, text, n);
    return text;
  }
  snprintf(text, n, "%.6g/s", sp_rate_per_s(rate));
  return text;
}

char *sp_units_write_size(uint64_t bytes, char *text, size_t n) {
  int i = 3;
  while (i > 0 && (bytes == 0 || bytes % size_units[i].scale != 0)) i--;
  snprintf(text, n, "%llu%s", (unsigned long long)(bytes / size_units[i].scale), size_units[i].name);
  return text;
}

// --- Figures ---

// Three digits, zeros at the end of the fraction dropped, always with a point.
static void print_three_digits(double value, const char *unit, char *text, size_t n) {
  unsigned places = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  uint64_t mantissa = (uint64_t)llround(value * (places == 2 ? 100 : places == 1 ? 10 : 1));
  for (; places && mantissa % 10 == 0; mantissa /= 10) places--;
  write_decimal(mantissa, places, unit, text, n);
}

char *sp_units_print_duration(int64_t ns, char *text, size_t n) {
  double value = (double)ns;
  if (ns < 0)
    snprintf(text, n, "-");
  else if (ns < SP_NS_PER_US)
    snprintf(text, n, "%dns", (int)ns);
  else if (value < 999.5e3)
    print_three_digits(value / 1e3, "µs", text, n);
  else if (value < 999.5e6)
    print_three_digits(value / 1e6, "ms", text, n);
  else
    print_three_digits(value / 1e9, "s", text, n);
  return text;
}

char *sp_units_print_count(uint64_t count, char *text, size_t n) {
  char digits[SP_UNITS_TEXT_BYTES], grouped[SP_UNITS_TEXT_BYTES] = "";
  size_t n_digits = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)count), n_grouped = 0;
  for (size_t i = 0; i < n_digits; i++) {
    if (i && (n_digits - i) % 3 == 0) grouped[n_grouped++] = ',';
    grouped[n_grouped++] = digits[i];
  }
  snprintf(text, n, "%.*s", (int)n_grouped, grouped);
  return text;
}

char *sp_units_print_rate(double per_s, char *text, size_t n) {
  if (!(per_s >= 0) || per_s > 1e18)
    snprintf(text, n, "-");
  else if (per_s < 99.95)
    print_three_digits(per_s, "", text, n);
  else
    sp_units_print_count((uint64_t)llround(per_s), text, n);
  return text;
}

char *sp_units_print_share(double share, char *text, size_t n) {
  if (!(share >= 0) || share > 1) {
    snprintf(text, n, "-");
    return text;
  }
  uint64_t hundredths = (uint64_t)llround(share * 10000); // of a percent
  if (hundredths == 0 && share > 0)
    snprintf(text, n, "<0.01%%");
  else if (hundredths == 10000 && share < 1)
    snprintf(text, n, ">99.99%%");
  else
    write_decimal(hundredths % 100 == 0  ? hundredths / 100
                  : hundredths % 10 == 0 ? hundredths / 10
                                         : hundredths,
                  hundredths % 100 == 0  ? 0
                  : hundredths % 10 == 0 ? 1
                                         : 2,
                  "%", text, n);
  return text;
}

char *sp_units_print_size(uint64_t bytes, char *text, size_t n) {
  int i = 3;
  while (i > 0 && bytes < size_units[i].scale) i--;
  if (i == 0)
    snprintf(text, n, "%lluB", (unsigned long long)bytes);
  else
    print_three_digits((double)bytes / (double)size_units[i].scale, size_units[i].name, text, n);
  return text;
}

double sp_rate_per_s(const struct sp_rate *rate) {
  return rate->per_ns ? (double)rate->n * 1e9 / (double)rate->per_ns : 0;
}
