// Any quantity, by trying each kind.
#include "base/quantity.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"

#define EXACT_MAX 9007199254740992.0 // 2^53

bool sp_quantity_parse(const char *text, struct sp_quantity *quantity) {
  struct sp_rate rate;
  int64_t ns;
  uint64_t bytes;
  double number;
  size_t n = strlen(text);
  if (!sp_units_parse_real(text, &number, NULL))
    *quantity = (struct sp_quantity){SP_QUANTITY_NUMBER, number};
  else if (!sp_units_parse_duration(text, &ns, NULL))
    *quantity = (struct sp_quantity){SP_QUANTITY_DURATION, (double)ns};
  else if (!sp_units_parse_rate(text, &rate, NULL))
    *quantity = (struct sp_quantity){SP_QUANTITY_RATE, sp_rate_per_s(&rate)};
  else if (!sp_units_parse_size(text, &bytes, NULL))
    *quantity = (struct sp_quantity){SP_QUANTITY_SIZE, (double)bytes};
  else if (n && text[n - 1] == '%' && !sp_units_parse_share(text, &number, NULL))
    *quantity = (struct sp_quantity){SP_QUANTITY_SHARE, number};
  else
    return false;
  return true;
}

static double whole(double value) {
  return value < 0 ? 0 : value > EXACT_MAX ? EXACT_MAX : nearbyint(value);
}

// Plain digits: no unit's reader knows an exponent.
static char *write_number(double value, const char *unit, char *text, size_t n) {
  char digits[64];
  snprintf(digits, sizeof digits, "%.9f", value);
  for (size_t end = strlen(digits); end > 1 && strchr("0.", digits[end - 1]); end--) {
    bool was_point = digits[end - 1] == '.';
    digits[end - 1] = '\0';
    if (was_point) break;
  }
  snprintf(text, n, "%s%s", digits, unit);
  return text;
}

char *sp_quantity_write(const struct sp_quantity *q, char *text, size_t n) {
  switch (q->kind) {
  case SP_QUANTITY_NUMBER: return write_number(q->value, "", text, n);
  case SP_QUANTITY_DURATION: return sp_units_write_duration((int64_t)whole(q->value), text, n);
  case SP_QUANTITY_RATE: return write_number(q->value, "/s", text, n);
  case SP_QUANTITY_SIZE: return sp_units_write_size((uint64_t)whole(q->value), text, n);
  case SP_QUANTITY_SHARE: break;
  }
  return write_number(q->value * 100, "%", text, n);
}

char *sp_quantity_print(const struct sp_quantity *q, char *text, size_t n) {
  struct sp_quantity rounded = *q;
  if (q->kind == SP_QUANTITY_DURATION) return sp_units_print_duration((int64_t)whole(q->value), text, n);
  if (q->kind == SP_QUANTITY_SIZE) return sp_units_print_size((uint64_t)whole(q->value), text, n);
  double size = fabs(q->value);
  if (size > 0 && isfinite(size)) {
    double step = pow(10, floor(log10(size)) - 2);
    rounded.value = nearbyint(q->value / step) * step;
  }
  return sp_quantity_write(&rounded, text, n);
}
