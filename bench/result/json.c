// The fields of result.json. proto/result.schema.json describes the same; the tests validate one against the other.
#include "result/document.h"
#include "result/result.h"
#include "result/tables.h"

static const struct sp_field check_fields[] = {
    FIELD("name", TEXT, sp_check, name),     FIELD("value", REAL, sp_check, value),
    FIELD("limit", REAL, sp_check, limit),   FIELD("met", FLAG, sp_check, met),
    FIELD("remedy", TEXT, sp_check, remedy), {0},
};

const struct sp_field sp_bound_fields[] = {
    FIELD("name", TEXT, sp_bound, name),
    FIELD("limit", REAL, sp_bound, limit),
    FIELD("value", REAL, sp_bound, value),
    CUSTOM("met", met, sp_bound, met),
    {0},
};

static const struct sp_field error_fields[] = {
    CUSTOM("outcome", outcome, sp_error_group, outcome),
    FIELD("code", INT, sp_error_group, code),
    {.name = "text", .kind = SP_FIELD_CHARS, .offset = AT(sp_error_group, text), .item_bytes = 120},
    FIELD("count", COUNT, sp_error_group, count),
    FIELD("first_event", COUNT, sp_error_group, first_event),
    {0},
};

const struct sp_field sp_example_fields[] = {
    FIELD("event", COUNT, sp_prediction_example, event),
    {.name = "text", .kind = SP_FIELD_CHARS, .offset = AT(sp_prediction_example, text), .item_bytes = 160},
    {0},
};

static const struct sp_field second_fields[] = {
    FIELD("t_s", COUNT, sp_timeline_row, figures.second),
    FIELD("sent", COUNT, sp_timeline_row, figures.n_sent),
    FIELD("done", COUNT, sp_timeline_row, figures.n_done),
    FIELD("not_ok", COUNT, sp_timeline_row, figures.n_not_ok),
    FIELD("p50_ns", NS, sp_timeline_row, figures.p50_ns),
    FIELD("p99_ns", NS, sp_timeline_row, figures.p99_ns),
    FIELD("max_ns", NS, sp_timeline_row, figures.max_ns),
    FIELD("backlog", COUNT, sp_timeline_row, figures.backlog),
    CUSTOM("marks", mark, sp_timeline_row, mark),
    {0},
};

static const struct sp_field validity_fields[] = {
    // First: whoever reads a result looks here before anything else.
    {.name = "verdict",
     .kind = SP_FIELD_CUSTOM,
     .write = sp_custom_write_verdict,
     .read = sp_custom_read_verdict},
    {.name = "reasons",
     .kind = SP_FIELD_TEXTS,
     .offset = AT(sp_result, reasons),
     .n_offset = AT(sp_result, n_reasons)},
    {.name = "checks",
     .kind = SP_FIELD_LIST,
     .offset = AT(sp_result, checks),
     .fields = check_fields,
     .item_bytes = sizeof(struct sp_check),
     .n_offset = AT(sp_result, n_checks)},
    {0},
};

static const struct sp_field rate_fields[] = {
    FIELD("offered", REAL, sp_result, offered_per_s),
    FIELD("achieved", REAL, sp_result, achieved_per_s),
    {0},
};

static const struct sp_field prediction_fields[] = {
    FIELD("checked", COUNT, sp_result, predictions.checked),
    FIELD("mismatched", COUNT, sp_result, predictions.mismatched),
    FIELD("max_abs_error", REAL, sp_result, predictions.max_abs_error),
    FIELD("source", TEXT, sp_result, predictions.source),
    {.name = "examples",
     .kind = SP_FIELD_LIST,
     .offset = AT(sp_result, predictions.examples),
     .fields = sp_example_fields,
     .item_bytes = sizeof(struct sp_prediction_example),
     .n_offset = AT(sp_result, predictions.n_examples),
     .most = SP_RESULT_EXAMPLES},
    {0},
};

static const struct sp_field result_fields[] = {
    SCHEMA(SP_RESULT_SCHEMA),
    NEEDED("complete", FLAG, sp_result, complete),
    FIELD("incomplete", TEXT, sp_result, incomplete),
    NEEDED("run_id", TEXT, sp_result, run_id),
    FIELD("started_at", TEXT, sp_result, started_at),
    CUSTOM("tags", facts, sp_result, tags),
    CUSTOM("scenario", facts, sp_result, scenario),
    NEEDED("side", TEXT, sp_result, side),
    FIELD("path", TEXT, sp_result, path),
    FIELD("transport", TEXT, sp_result, transport),
    CUSTOM("broker", facts_or_null, sp_result, broker),
    CUSTOM("server", facts_or_null, sp_result, server),
    CUSTOM("delivery", facts_or_null, sp_result, delivery),
    CUSTOM("model", facts, sp_result, model),
    CUSTOM("recording", facts, sp_result, recording),
    CUSTOM("load", facts, sp_result, load),
    CUSTOM("machine", facts, sp_result, machine),
    CUSTOM("build", facts, sp_result, build),
    {.name = "command",
     .kind = SP_FIELD_TEXTS,
     .offset = AT(sp_result, command),
     .n_offset = AT(sp_result, n_command)},
    FIELD("closed_loop", FLAG, sp_result, closed_loop),
    FIELD("window_s", REAL, sp_result, window_s),
    FIELD("drain_s", REAL, sp_result, drain_s),
    FIELD("backlog_at_t1", NS, sp_result, backlog_at_t1),
    {.name = "validity", .kind = SP_FIELD_OBJECT, .is_required = true, .fields = validity_fields},
    {.name = "bounds",
     .kind = SP_FIELD_LIST,
     .offset = AT(sp_result, bounds),
     .fields = sp_bound_fields,
     .item_bytes = sizeof(struct sp_bound),
     .n_offset = AT(sp_result, n_bounds)},
    {.name = "counts",
     .kind = SP_FIELD_CUSTOM,
     .is_required = true,
     .write = sp_custom_write_counts,
     .read = sp_custom_read_counts},
    {.name = "errors",
     .kind = SP_FIELD_LIST,
     .offset = AT(sp_result, errors),
     .fields = error_fields,
     .item_bytes = sizeof(struct sp_error_group),
     .n_offset = AT(sp_result, n_errors),
     .most = SP_RESULT_ERRORS},
    {.name = "rate_per_s", .kind = SP_FIELD_OBJECT, .fields = rate_fields},
    FIELD("completion", REAL, sp_result, completion),
    CUSTOM("response_ns", latency, sp_result, response),
    CUSTOM("response_ok_ns", latency, sp_result, response_ok),
    CUSTOM("failure_ns", latency, sp_result, failure),
    CUSTOM("service_ns", latency, sp_result, service),
    CUSTOM("lateness_ns", latency, sp_result, lateness),
    CUSTOM("stages_ns", stages, sp_result, stages),
    FIELD("residual_ns", REAL, sp_result, residual_ns),
    CUSTOM("cpu_s", amounts, sp_result, cpu_s),
    CUSTOM("cpu_role_s", amounts, sp_result, cpu_role_s),
    CUSTOM("cpu_us_per_event", amounts, sp_result, cpu_us_per_event),
    CUSTOM("rss_bytes", amounts, sp_result, rss_bytes),
    {.name = "predictions", .kind = SP_FIELD_OBJECT, .fields = prediction_fields},
    {.name = "timeline",
     .kind = SP_FIELD_LIST,
     .offset = AT(sp_result, timeline),
     .fields = second_fields,
     .item_bytes = sizeof(struct sp_timeline_row),
     .n_offset = AT(sp_result, n_timeline)},
    {0},
};

static const struct sp_document document = {
    .fields = result_fields,
    .flags = JSON_INDENT(1),
    .file = SP_RESULT_FILE,
    .noun = "a result",
    .broken = "not a whole result",
    .remedy = "the run was cut off, or this is no result",
};

char *sp_result_json(const struct sp_result *result) {
  return sp_document_text(&document, result);
}

enum sp_err sp_result_write(const struct sp_result *result, const char *folder, struct sp_error *error) {
  return sp_document_write(&document, result, folder, error);
}

enum sp_err sp_result_read(const char *path, struct sp_result **result, struct sp_error *error) {
  *result = sp_result_new();
  enum sp_err err = sp_document_read(&document, path, *result, error);
  if (!err) return SP_OK;
  sp_result_free(*result);
  *result = NULL;
  return err;
}
