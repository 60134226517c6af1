// Comparisons made by hand, for the tests of their forms. All from malloc: sp_comparison_free.
#ifndef SUPPORT_COMPARISON_BED_H
#define SUPPORT_COMPARISON_BED_H

#include "result/comparison.h"

// embedded (reference) and rpc over Kafka, 12 pairs: p50 slower, p99 inconclusive, dearer; bounds, stages, predictions, an invalid
// trial, remarks. Complete, exit code 0.
struct sp_comparison *comparison_bed_two(void);
// embedded, rpc (reference) and triton, direct: faster and cheaper, no answer at p99, no difference.
struct sp_comparison *comparison_bed_three(void);
// base and candidate: p50 fails (fresh pairs agree), p99 is inconclusive, CPU and served pass. Exit code 1.
struct sp_comparison *comparison_bed_gate(void);
// The one of two sides, where every text is hostile: markup of every form, control characters, bytes that are no UTF-8.
struct sp_comparison *comparison_bed_hostile(void);
#define COMPARISON_BED_HOSTILE                                                                               \
  "<script>alert(1)</script>|`x`\n\x1b[31m@team #1 **b** [l](http://e.org) www.e.org &lt; \"q\",\r\xff~~s~~"

#endif
