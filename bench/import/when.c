// Reads instants.
#include "import/when.h"

#include "base/clock.h"

struct scan {
  const uint8_t *at, *end;
};

static bool skip(struct scan *scan, char byte) {
  if (scan->at == scan->end || *scan->at != (uint8_t)byte) return false;
  scan->at++;
  return true;
}

static bool is_digit(const struct scan *scan) {
  return scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9';
}

// A decimal number as mantissa * 10^exponent.
struct decimal {
  uint64_t mantissa;
  int exponent;
  bool has_digits;
};

static void read_digits(struct scan *scan, struct decimal *number, bool is_fraction) {
  for (; is_digit(scan); scan->at++) {
    number->has_digits = true;
    if (number->mantissa > (UINT64_MAX - 9) / 10) { // more digits than count
      if (!is_fraction && number->exponent < 1000) number->exponent++;
      continue;
    }
    number->mantissa = 10 * number->mantissa + (uint64_t)(*scan->at - '0');
    if (is_fraction) number->exponent--;
  }
}

static bool read_exponent(struct scan *scan, int *exponent) {
  if (!skip(scan, 'e') && !skip(scan, 'E')) return true;
  bool is_negative = skip(scan, '-');
  if (!is_negative) skip(scan, '+');
  if (!is_digit(scan)) return false;
  int value = 0;
  for (; is_digit(scan); scan->at++) {
    if (value < 10000) value = 10 * value + (*scan->at - '0');
  }
  *exponent += is_negative ? -value : value;
  return true;
}

static bool read_number(struct scan *scan, int unit_exponent, int64_t *ns) {
  bool is_negative = skip(scan, '-');
  if (!is_negative) skip(scan, '+');
  struct decimal number = {0};
  read_digits(scan, &number, false);
  if (skip(scan, '.')) read_digits(scan, &number, true);
  if (!number.has_digits || !read_exponent(scan, &number.exponent)) return false;
  number.exponent += unit_exponent;
  for (; number.exponent > 0 && number.mantissa > 0; number.exponent--) {
    if (number.mantissa > INT64_MAX / 10) return false;
    number.mantissa *= 10;
  }
  for (; number.exponent < 0 && number.mantissa > 0; number.exponent++) number.mantissa /= 10;
  if (number.mantissa > INT64_MAX) return false;
  *ns = is_negative ? -(int64_t)number.mantissa : (int64_t)number.mantissa;
  return true;
}

static bool read_fixed(struct scan *scan, int n_digits, int *value) {
  *value = 0;
  for (int i = 0; i < n_digits; i++, scan->at++) {
    if (!is_digit(scan)) return false;
    *value = 10 * *value + (*scan->at - '0');
  }
  return true;
}

// Days since 1970-01-01 in the proleptic Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms").
static int64_t days_of(int year, int month, int day) {
  year -= month <= 2;
  int era = (year >= 0 ? year : year - 399) / 400;
  int year_of_era = year - era * 400;
  int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return (int64_t)era * 146097 + day_of_era - 719468;
}

static bool read_date(struct scan *scan, int64_t *days) {
  static const int month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int year, month, day;
  if (!read_fixed(scan, 4, &year) || !skip(scan, '-') || !read_fixed(scan, 2, &month) || !skip(scan, '-') ||
      !read_fixed(scan, 2, &day)) {
    return false;
  }
  if (month < 1 || month > 12 || day < 1 || day > month_days[month - 1]) return false;
  bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  if (month == 2 && day == 29 && !is_leap) return false;
  *days = days_of(year, month, day);
  return true;
}

static bool read_clock(struct scan *scan, int64_t *ns) {
  int hour, minute, second = 0;
  if (!read_fixed(scan, 2, &hour) || !skip(scan, ':') || !read_fixed(scan, 2, &minute)) return false;
  if (skip(scan, ':') && !read_fixed(scan, 2, &second)) return false;
  // 24:00 ends a day; second 60 is a leap second, which Unix time counts as the next one.
  if (hour > 24 || minute > 59 || second > 60 || (hour == 24 && minute + second > 0)) return false;
  *ns = ((hour * 60 + minute) * INT64_C(60) + second) * SP_NS_PER_S;
  if (!skip(scan, '.') && !skip(scan, ',')) return true;
  if (!is_digit(scan)) return false;
  for (int64_t unit_ns = SP_NS_PER_S / 10; is_digit(scan); scan->at++, unit_ns /= 10)
    *ns += (*scan->at - '0') * unit_ns;
  return true;
}

static bool read_zone(struct scan *scan, int64_t *ns) {
  int hours = 0, minutes = 0;
  if (skip(scan, 'Z') || skip(scan, 'z') || scan->at == scan->end) return true;
  bool is_west = skip(scan, '-');
  if (!is_west && !skip(scan, '+')) return false;
  if (!read_fixed(scan, 2, &hours)) return false;
  bool has_minutes = skip(scan, ':') || is_digit(scan);
  if ((has_minutes && !read_fixed(scan, 2, &minutes)) || hours > 23 || minutes > 59) return false;
  int64_t offset_ns = (hours * 60 + minutes) * INT64_C(60) * SP_NS_PER_S;
  *ns += is_west ? offset_ns : -offset_ns;
  return true;
}

static bool read_iso8601(struct scan *scan, int64_t *ns) {
  int64_t days, clock_ns = 0;
  if (!read_date(scan, &days)) return false;
  if (skip(scan, 'T') || skip(scan, 't') || (scan->at < scan->end && skip(scan, ' '))) {
    if (!read_clock(scan, &clock_ns)) return false;
    if (!read_zone(scan, &clock_ns)) return false;
  }
  return !__builtin_mul_overflow(days, 86400 * SP_NS_PER_S, ns) && !__builtin_add_overflow(*ns, clock_ns, ns);
}

bool sp_when_parse(struct sp_bytes text, enum sp_when_unit unit, int64_t *ns) {
  static const int exponents[] = {9, 6, 3, 0};
  struct scan scan = {text.data, text.data + text.n};
  while (skip(&scan, ' ')) {
  }
  while (scan.end > scan.at && scan.end[-1] == ' ') scan.end--;
  bool read = unit == SP_WHEN_ISO8601 ? read_iso8601(&scan, ns) : read_number(&scan, exponents[unit], ns);
  return read && scan.at == scan.end;
}
