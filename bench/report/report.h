// Many results as one table: trials of the same case, transport, side and load become one row of medians and ranges, unless
// they measured different things (another build, machine, model, stub...): those stay apart, and a note says by what. Only
// valid, complete trials enter a figure; the others are named with their reason. A row without any valid trial shows the
// complete invalid ones, and says so; one without any complete trial is no row of a table, only a note.
// One thread; everything is owned by the report.
#ifndef SP_REPORT_REPORT_H
#define SP_REPORT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "result/comparison.h"
#include "result/result.h"
#include "result/sweep.h"

struct sp_report_trial {
  char *dir; // of the result
  struct sp_result *result;
};

struct sp_report_comparison { // of compare, or of a gate
  char *dir;
  struct sp_comparison *comparison;
};
struct sp_report_sweep {
  char *dir;
  struct sp_sweep sweep;
};

struct sp_figure {                     // of the trials of a row that count
  size_t n;                            // trials that have a value; 0: nothing to print
  double median, min, max;             // INFINITY: no answer
  bool is_episodic, is_driver_limited; // in any trial
};

struct sp_report_row {
  // Of the first trial. via: "direct", "kafka", or "mock", over which no time means anything.
  const char *name, *via, *side, *arrival;
  char label[96];     // the side, and what is not standard about it: "rpc, 2 apps, exactly-once"
  bool has_response;  // false: the mock broker, or half a driver; its times are not printed
  double rate_per_s;  // as planned; NAN where the loop is closed
  double concurrency; // NAN where it is open
  size_t *trials;     // indices of all of them
  size_t n_trials, n_valid, n_counted; // counted: the valid ones, or all complete ones if none is valid
  struct sp_figure percentiles[SP_PERCENTILES];    // response, ns
  struct sp_figure service_p99;                    // ns
  struct sp_figure offered, achieved;              // per second
  struct sp_figure cpu_app, cpu_server, cpu_total; // us per event
  int64_t n_intended, n_fine, n_answered; // summed over those that count; fine: ok, unchecked, filtered
  int64_t n_checked, n_mismatched;
  bool is_stub; // a stub answered: its answers are no predictions
  char by[64];  // the value of the report's `by`; "" where there is none
};

struct sp_report {
  struct sp_report_trial *trials;
  size_t n_trials;
  struct sp_report_row *rows;
  size_t n_rows;
  struct sp_report_comparison *comparisons;
  size_t n_comparisons;
  struct sp_report_sweep *sweeps;
  size_t n_sweeps;
  const char *
      by; // set before sp_report_group: rows are told apart by this tag or fact too; NULL: none. See report/by.h
};

// Adds the results in `dir`: the folder itself, its folders, and theirs; below a comparison, a sweep or pairs that nobody
// judged (a calibration) three levels more, where their trials lie. Trials that a comparison names elsewhere are taken from there. A result or comparison that is there already (same id) is left out.
// SP_ERR_ENVIRONMENT: nothing there, or something that cannot be read (what came before it stays).
enum sp_err sp_report_add(struct sp_report *report, const char *dir, struct sp_error *error);
// After the last sp_report_add: makes the rows, ordered by case, transport, rate and side.
void sp_report_group(struct sp_report *report);
void sp_report_done(struct sp_report *report);

// At most 110 columns where names are short: table, then notes on what was left out or is wrong. No control characters,
// whatever stands in the files.
void sp_report_print(const struct sp_report *report, FILE *to);
// The same with the checks of each row, and how to repeat it.
void sp_report_write_markdown(const struct sp_report *report, FILE *to);
// A bound's value or limit, with its unit: "10ms", "0.1%"; "-" where there is none. Returns text.
char *sp_report_bound_text(const struct sp_bound *bound, double value, char *text, size_t n);
// Whether a fact says anything on a page: not null, not empty, no document of its own.
bool sp_report_is_shown(const struct sp_fact *fact);
// servepath.report/1, with a final line end; free with free().
char *sp_report_json(const struct sp_report *report);

#endif
