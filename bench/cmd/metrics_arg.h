// --metrics of gate and compare: what a verdict is made of.
#ifndef SP_CMD_METRICS_ARG_H
#define SP_CMD_METRICS_ARG_H

#include "result/metric.h"

// "response_p50,cpu_per_event" -> family[most], *n. list NULL: not given, and *n stays. SP_ERR_USAGE: a name that is none (with the nearest
// one), one that stands there twice, more than `most`. verb: whose help names them.
enum sp_err sp_metrics_arg_read(const char *list, const char *verb, size_t most,
                                const struct sp_metric **family, size_t *n, struct sp_error *error);

#endif
