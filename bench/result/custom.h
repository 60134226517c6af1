// The fields of result.json that are more than a member of a struct: written and read by functions of their own.
#ifndef SP_RESULT_CUSTOM_H
#define SP_RESULT_CUSTOM_H

#include "result/fields.h"
#include "result/result.h"

#define SP_CUSTOM(codec)                                                                                     \
  json_t *sp_custom_write_##codec(const void *at);                                                           \
  enum sp_err sp_custom_read_##codec(void *at, const json_t *value, const struct sp_field_place *place)

SP_CUSTOM(verdict); // struct sp_result: from its reasons
SP_CUSTOM(counts);  // struct sp_result
SP_CUSTOM(facts);
SP_CUSTOM(facts_or_null);
SP_CUSTOM(amounts);
SP_CUSTOM(latency);
SP_CUSTOM(stages); // struct sp_stage_figures[SP_STAGE_COUNT]
SP_CUSTOM(met);
SP_CUSTOM(outcome);
SP_CUSTOM(mark);
// Of a comparison (comparison_fields.c).
SP_CUSTOM(outcomes); // int64_t[SP_OUTCOME_COUNT]
SP_CUSTOM(figure);   // double that may be infinite: "infinite"
SP_CUSTOM(interval); // struct sp_compared: its low and high
SP_CUSTOM(compared_verdict);
SP_CUSTOM(gate_verdict);

void sp_facts_done(struct sp_facts *facts);

#endif
