// What the forms of a comparison say in common: words, cells and lines; for report/ alone. One thread. Texts from malloc are as
// the comparison holds them: whoever shows them makes them printable.
#ifndef SP_REPORT_COMPARED_H
#define SP_REPORT_COMPARED_H

#include "report/grid.h"
#include "result/comparison.h"

#define SP_COMPARED_BYTES 96 // room for every cell below; all functions with `cell` return it

bool sp_compared_is_gate(const struct sp_comparison *c);
// Of its interval; NAN: there is none. That of one pair, which is its ratio, has none: level 0.
double sp_compared_level_of(const struct sp_compared *m);
double sp_compared_level(const struct sp_comparison *c); // of the intervals; NAN: there is none
char *sp_compared_percent(double share, char *cell);     // "5 %"; "-"
char *sp_compared_times(double ratio, char *cell);       // "1.33", "0.031", "12.3", "∞"; "-"
char *sp_compared_ratio(const struct sp_comparison *c, const struct sp_compared *m,
                        char *cell); // "1.33 [1.29, 1.38]", with " at 94 %" where the level is another one
// "slower", "no difference beyond 5 %", "inconclusive (needs ~18 pairs)", "void"; "" for exploratory ones.
char *sp_compared_verdict(const struct sp_comparison *c, const struct sp_compared *m, char *cell);
const char *sp_compared_side_name(const struct sp_comparison *c, size_t side_i);
// NULL: not decided on by this gate.
const struct sp_gate_metric *sp_compared_gate_metric(const struct sp_comparison *c,
                                                     const struct sp_metric *metric);
char *sp_compared_gate_verdict(const struct sp_gate_metric *m,
                               char *cell); // "inconclusive (needs ~18 pairs)"

// --- Bounds ---
char *sp_compared_bound_title(const struct sp_bound *bound); // "p99 ≤ 10ms"; from malloc
// "✓ 2.1ms", "✗ no answer", "? 2.1ms"; "? -" of a time over the mock broker, which is an artefact.
char *sp_compared_bound_value(const struct sp_compared_side *side, const struct sp_bound *bound, char *cell);
const struct sp_bound *sp_compared_bound_of(const struct sp_compared_side *side,
                                            const char *name); // NULL: none

// --- Lines, from malloc ---
char *sp_compared_heading(
    const struct sp_comparison *c); // "fraud, 2,000/s poisson, Kafka 4.3.1, 12 pairs, 4 min 58 s"
// "rpc other +96µs, server +31µs, encode +9µs, residual +4µs", largest first, *total: "+140µs"; of the slowest 1 % if slow. NULL: nothing known, of one of them at least.
char *sp_compared_why(const struct sp_explained *e, bool slow, char *total);
// Why metrics are undecided, failed or void, and what fresh pairs said of them; what several share comes once, with the titles of
// all ("response p50, response p99"), and what the verdict says itself not at all.
typedef void sp_compared_note(void *context, const char *titles, const char *text);
void sp_compared_reasons(const struct sp_comparison *c, sp_compared_note *note, void *context);
// Whether a remark says more than the verdict does.
bool sp_compared_is_news(const struct sp_comparison *c, const char *remark);
char *sp_compared_predictions(const struct sp_comparison *c);
// "COMPARED", "FAIL", ...: what a reader must see first.
const char *sp_compared_marker(const struct sp_comparison *c);
char *sp_compared_conclusion(const struct sp_comparison *c); // "PASS: ..."; without a gate the sentence alone

// --- Tables ---
struct sp_compared_grids {
  struct sp_grid decided;     // primary metrics, or the gate's
  struct sp_grid exploratory; // without a verdict
  struct sp_grid cost;        // by process
  struct sp_grid bounds;      // of the scenario
};
// A column a side and one for the ratio where two are compared; else a row a side.
void sp_compared_grids(const struct sp_comparison *c, struct sp_compared_grids *grids);
void sp_compared_grids_done(struct sp_compared_grids *grids);

#endif
