// Why an event is malformed, in words that counts can group by.
#ifndef SP_CODEC_REASON_H
#define SP_CODEC_REASON_H

#include "codec/codec.h"

// Fills *reason (NULL is allowed) and returns SP_OUTCOME_MALFORMED. Arguments come from the scenario, never from the event.
enum sp_outcome sp_malformed(struct sp_reason *reason, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
