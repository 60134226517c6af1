// A report's rows in the forms that spreadsheets, build servers and plotters read. One thread.
#ifndef SP_REPORT_FORMS_H
#define SP_REPORT_FORMS_H

#include "report/report.h"

// A line a row and metric, RFC 4180, with a heading: case,via,side,KEY of --by,rate_per_s,arrival,metric,unit,trials,median,min,max,state. Times in ns.
// state: "resolved", "episodic", "no_answer", or "driver_limited"; values are empty where there is none. Text is made printable; a cell that a
// spreadsheet would take for a formula begins with a quote mark (').
void sp_report_write_csv(const struct sp_report *report, FILE *to);
// A suite a row, in it a case for each bound of the scenario and one for predictions, over the trials that count: failed where a trial missed
// it, skipped where it is not resolved. A row without a valid trial is an error. Free with free().
char *sp_report_junit(const struct sp_report *report);

// Row by row the pooled histogram of its trials that count, as HdrHistogram's percentile table in microseconds.
// File name of a row: case-via-side-rate.hgrm, in plain characters, -2, -3... where that is taken; from malloc.
char *sp_report_hgrm_name(const struct sp_report *report, size_t row_i);
// The table, from malloc; NULL in *text where the row has no times. SP_ERR_ENVIRONMENT: a stored histogram is damaged.
enum sp_err sp_report_hgrm(const struct sp_report *report, size_t row_i, char **text, struct sp_error *error);

#endif
