// The file of a calibration, and whether it still holds.
#include "decide/calibration.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "os/files.h"
#include "result/document.h"
#include "result/history.h"
#include "result/tables.h"

#define FILE_BYTES_MAX 65536
#define DAY_S          86400

void sp_calibration_done(struct sp_calibration *calibration) {
  char *const texts[] = {calibration->at,          calibration->case_name,   calibration->side,
                         calibration->fingerprint, calibration->load_digest, calibration->build};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) free(texts[i]);
  sp_facts_done(&calibration->margins);
  *calibration = (struct sp_calibration){0};
}

// "": the result does not say.
static char *fingerprint_of(const struct sp_result *result) {
  char *fingerprint = sp_machine_fingerprint(result);
  return fingerprint ? fingerprint : sp_copy_text("");
}

void sp_calibration_of(const struct sp_result *result, struct sp_calibration *calibration) {
  char digest[SP_DIGEST_TEXT_BYTES];
  sp_load_digest(&result->recording, &result->broker, &result->load, digest);
  *calibration =
      (struct sp_calibration){.at = sp_copy_text(result->started_at),
                              .case_name = sp_copy_text(sp_facts_text_of(&result->scenario, "name", "-")),
                              .side = sp_copy_text(result->side ? result->side : "-"),
                              .fingerprint = fingerprint_of(result),
                              .load_digest = sp_copy_text(digest),
                              .mean_of = 1,
                              .build = sp_copy_text(sp_facts_text_of(&result->build, "version", NULL))};
}

char *sp_calibration_file(const struct sp_result *result, size_t mean_of) {
  char suffix[32] = "", *fingerprint = fingerprint_of(result), *colon = strchr(fingerprint, ':');
  if (mean_of > 1) snprintf(suffix, sizeof suffix, "-mean%zu", mean_of);
  char *path =
      sp_format("results/calibration-%s.%s-%.12s%s.json", sp_facts_text_of(&result->scenario, "name", "-"),
                result->side ? result->side : "-", colon ? colon + 1 : fingerprint, suffix);
  free(fingerprint);
  return path;
}

// --- The file ---

static const struct sp_field calibration_fields[] = {
    SCHEMA(SP_CALIBRATION_SCHEMA),
    NEEDED("at", TEXT, sp_calibration, at),
    NEEDED("case", TEXT, sp_calibration, case_name),
    NEEDED("side", TEXT, sp_calibration, side),
    NEEDED("fingerprint", TEXT, sp_calibration, fingerprint),
    NEEDED("load_digest", TEXT, sp_calibration, load_digest),
    FIELD("build", TEXT, sp_calibration, build),
    FIELD("pairs", COUNT, sp_calibration, n_pairs),
    FIELD("blocks", COUNT, sp_calibration, n_blocks),
    FIELD("mean_of", COUNT, sp_calibration, mean_of),
    FIELD("pause_s", REAL, sp_calibration, pause_s),
    NEEDED_CUSTOM("margins", facts, sp_calibration, margins),
    {0},
};

static enum sp_err check_margins(const struct sp_calibration *calibration,
                                 const struct sp_field_place *place) {
  for (size_t i = 0; i < calibration->margins.n; i++) {
    const char *name = calibration->margins.items[i].name;
    double margin = sp_facts_number_of(&calibration->margins, name);
    if (!(margin >= 0 && margin <= SP_GATE_MARGIN_MOST))
      return sp_fail(
          place->error, SP_ERR_ENVIRONMENT,
          "%s: margins.%s is no share of 0 to %g; measure again: servepath gate SCENARIO --calibrate",
          place->file, name, SP_GATE_MARGIN_MOST);
  }
  return SP_OK;
}

// What it is compared by must be there: null stands for "not known" elsewhere.
static enum sp_err check_texts(const struct sp_calibration *calibration, const struct sp_field_place *place) {
  const struct {
    const char *name, *text;
  } texts[] = {{"at", calibration->at},
               {"case", calibration->case_name},
               {"side", calibration->side},
               {"fingerprint", calibration->fingerprint},
               {"load_digest", calibration->load_digest}};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
    if (!texts[i].text) return sp_fields_fail(place, texts[i].name, "a text");
  return SP_OK;
}

static enum sp_err check(const void *base, const struct sp_field_place *place) {
  enum sp_err err = check_texts(base, place);
  return err ? err : check_margins(base, place);
}

static const struct sp_document document = {
    .fields = calibration_fields,
    .flags = JSON_INDENT(2),
    .broken = "no calibration",
    .remedy = "measure one: servepath gate SCENARIO --calibrate",
    .check = check,
};

char *sp_calibration_json(const struct sp_calibration *calibration) {
  return sp_document_text(&document, calibration);
}

enum sp_err sp_calibration_write(const struct sp_calibration *calibration, const char *path,
                                 struct sp_error *error) {
  char *text = sp_calibration_json(calibration);
  enum sp_err err = sp_files_make_parent(path, error);
  if (!err) err = sp_files_write(path, sp_bytes_of_text(text), error);
  free(text);
  return err;
}

enum sp_err sp_calibration_read(const char *path, struct sp_calibration *calibration,
                                struct sp_error *error) {
  char *text = NULL;
  size_t n = 0;
  enum sp_err err = sp_files_read(path, FILE_BYTES_MAX, &text, &n, error);
  if (!err) err = sp_document_parse(&document, text, n, path, calibration, error);
  free(text);
  return err;
}

// --- Whether it holds ---

// Unix time of "2026-11-21T19:09:23.469Z"; -1: not a time.
static int64_t seconds_of(const char *at) {
  struct tm utc = {0};
  return strptime(at, "%Y-%m-%dT%H:%M:%S", &utc) ? (int64_t)timegm(&utc) : -1;
}

bool sp_calibration_fits(const struct sp_calibration *calibration, const struct sp_result *result,
                         size_t mean_of, int64_t now_s, char *why, size_t n_why) {
  struct sp_calibration own;
  size_t its_mean_of =
      calibration->mean_of ? (size_t)calibration->mean_of : 1; // 0: written before there were means
  sp_calibration_of(result, &own);
  int64_t at_s = seconds_of(calibration->at);
  why[0] = '\0';
  if (!own.fingerprint[0] || strcmp(calibration->fingerprint, own.fingerprint) != 0)
    snprintf(why, n_why, "measured on another machine (%.24s, here %.24s)", calibration->fingerprint,
             own.fingerprint);
  else if (strcmp(calibration->case_name, own.case_name) != 0 || strcmp(calibration->side, own.side) != 0)
    snprintf(why, n_why, "of case %.40s, side %.40s, not of %.40s, side %.40s", calibration->case_name,
             calibration->side, own.case_name, own.side);
  else if (strcmp(calibration->load_digest, own.load_digest) != 0)
    snprintf(why, n_why, "of another load, broker or recording");
  else if (its_mean_of != mean_of)
    snprintf(why, n_why, "for --mean-of %zu, not %zu", its_mean_of, mean_of);
  else if (at_s < 0 || now_s - at_s > (int64_t)SP_CALIBRATION_DAYS * DAY_S)
    snprintf(why, n_why, "expired: measured %.10s, more than %d days ago", calibration->at,
             SP_CALIBRATION_DAYS);
  else if (at_s - now_s > DAY_S) // it would never expire
    snprintf(why, n_why, "measured in the future (%.10s): this clock or that one is wrong", calibration->at);
  sp_calibration_done(&own);
  return !why[0];
}

double sp_calibration_margin(const struct sp_calibration *calibration, const struct sp_metric *metric) {
  return sp_facts_number_of(&calibration->margins, metric->name);
}
