// Instants as data files write them. Pure, exact: no floating point.
#ifndef SP_IMPORT_WHEN_H
#define SP_IMPORT_WHEN_H

#include <stdbool.h>

#include "base/bytes.h"

enum sp_when_unit { SP_WHEN_S, SP_WHEN_MS, SP_WHEN_US, SP_WHEN_NS, SP_WHEN_ISO8601 };
#define SP_WHEN_UNITS "s ms us ns iso8601" // the names, in that order

// Text to nanoseconds. Numbers: digits with an optional sign, decimal point and exponent ("1e+05"), spaces around them
// allowed; what is finer than a nanosecond is cut off. ISO 8601: 2013-01-01, 2013-01-01T10:00, 2013-01-01 10:00:00.25,
// each with Z or an offset (+01, +0100, +01:00); without one it is UTC. False: not such a text, or outside int64.
bool sp_when_parse(struct sp_bytes text, enum sp_when_unit unit, int64_t *ns);

#endif
