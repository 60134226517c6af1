// What the parts of judging share; for decide/judge*.c alone.
#ifndef SP_DECIDE_JUDGE_PARTS_H
#define SP_DECIDE_JUDGE_PARTS_H

#include "decide/judge.h"

#define SP_JUDGE_FAMILY_MOST 24
#define SP_JUDGE_LOPSIDED    5 // trials left out that must not all be of one side

// The trials of whole pairs, each side's in a column: cells[pair * n_sides + side]. Every cell is complete and valid.
struct sp_judge_table {
  const struct sp_judge_trial **cells;
  size_t *pair_i; // the pairs' numbers, ascending
  size_t n_pairs, n_sides;
};
// A redone pair counts by the last trial of each side. Free with sp_judge_table_done.
void sp_judge_table_init(struct sp_judge_table *table, const struct sp_judge_trial *trials, size_t n,
                         size_t n_sides, bool confirming);
void sp_judge_table_done(struct sp_judge_table *table);
bool sp_judge_is_usable(const struct sp_judge_trial *trial);
const struct sp_result *sp_judge_cell(const struct sp_judge_table *table, size_t pair, size_t side_i);
// Log of side / reference: +-INFINITY where one of them has no answer (or is 0), NAN where there is nothing to compare: a
// side without a value, no answer on both; where resolved_only also what is episodic or driver-limited.
double sp_judge_log_ratio(const struct sp_metric *metric, const struct sp_result *side,
                          const struct sp_result *reference, bool resolved_only);

// Valid trials of a side whose pair was measured again because this metric had no figure that a verdict may use.
size_t sp_judge_count_redone(const struct sp_judge_trial *trials, size_t n, size_t side_i,
                             const struct sp_metric *metric);

struct sp_judging { // one comparison under way
  const struct sp_judge_plan *plan;
  const struct sp_judge_trial *trials;
  size_t n;
  struct sp_judge_table pairs, fresh;
  const struct sp_metric *family[SP_JUDGE_FAMILY_MOST];
  size_t n_family;
  bool is_closed_loop, is_mock; // of any side
  char no_verdict[256];         // too many invalid trials: which; "" otherwise
  struct sp_comparison *c;
};

void sp_judge_sides(struct sp_judging *j); // sides with their bounds and labels, and trials
void sp_judge_facts(
    struct sp_judging *j); // of the first trial that counts, and what differs between the sides
void sp_judge_metrics(struct sp_judging *j); // figures and verdicts
void sp_judge_explain(struct sp_judging *j); // where the time goes
void sp_judge_remarks(struct sp_judging *j);
char *sp_judge_sentence(const struct sp_judging *j); // from malloc
int sp_judge_exit_code(const struct sp_judging *j);

// "p99", "p99.9", "not ok": the same of a bound, whose figures sp_report_bound_text has.
const char *sp_judge_bound_name(const struct sp_bound *bound);

#endif
