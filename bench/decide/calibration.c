// The file of a calibration, and whether it still holds.
#include "decide/calibration.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "os/files.h"
#include "result/custom.h"
#include "result/history.h"

#define FILE_BYTES_MAX 65536
#define DAY_S          86400

#define AT(member) offsetof(struct sp_calibration, member)

static json_t *write_schema(const void *at) {
  (void)at;
  return json_string(SP_CALIBRATION_SCHEMA);
}

static enum sp_err read_schema(void *at, const json_t *value, const struct sp_field_place *place) {
  (void)at;
  if (json_is_string(value) && strcmp(json_string_value(value), SP_CALIBRATION_SCHEMA) == 0) return SP_OK;
  return sp_fields_fail(place, "schema", "\"" SP_CALIBRATION_SCHEMA "\"");
}

static const struct sp_field calibration_fields[] = {
    {.name = "schema",
     .kind = SP_FIELD_CUSTOM,
     .is_required = true,
     .write = write_schema,
     .read = read_schema},
    {.name = "at", .kind = SP_FIELD_TEXT, .offset = AT(at), .is_required = true},
    {.name = "case", .kind = SP_FIELD_TEXT, .offset = AT(case_name), .is_required = true},
    {.name = "side", .kind = SP_FIELD_TEXT, .offset = AT(side), .is_required = true},
    {.name = "fingerprint", .kind = SP_FIELD_TEXT, .offset = AT(fingerprint), .is_required = true},
    {.name = "load_digest", .kind = SP_FIELD_TEXT, .offset = AT(load_digest), .is_required = true},
    {.name = "build", .kind = SP_FIELD_TEXT, .offset = AT(build)},
    {.name = "pairs", .kind = SP_FIELD_COUNT, .offset = AT(n_pairs)},
    {.name = "blocks", .kind = SP_FIELD_COUNT, .offset = AT(n_blocks)},
    {.name = "pause_s", .kind = SP_FIELD_REAL, .offset = AT(pause_s)},
    {.name = "margins",
     .kind = SP_FIELD_CUSTOM,
     .offset = AT(margins),
     .is_required = true,
     .write = sp_custom_write_facts,
     .read = sp_custom_read_facts},
    {0},
};

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
                              .build = sp_copy_text(sp_facts_text_of(&result->build, "version", NULL))};
}

char *sp_calibration_file(const struct sp_result *result) {
  char *fingerprint = fingerprint_of(result), *colon = strchr(fingerprint, ':');
  char *path =
      sp_format("results/calibration-%s.%s-%.12s.json", sp_facts_text_of(&result->scenario, "name", "-"),
                result->side ? result->side : "-", colon ? colon + 1 : fingerprint);
  free(fingerprint);
  return path;
}

enum sp_err sp_calibration_write(const struct sp_calibration *calibration, const char *path,
                                 struct sp_error *error) {
  json_t *object = sp_fields_write(calibration_fields, calibration);
  char *json = json_dumps(object, JSON_INDENT(2));
  SP_ASSERT(json != NULL);
  json_decref(object);
  char *text = sp_format("%s\n", json);
  enum sp_err err = sp_files_make_parent(path, error);
  if (!err) err = sp_files_write(path, sp_bytes_of_text(text), error);
  free(json);
  free(text);
  return err;
}

static enum sp_err check_margins(const struct sp_calibration *calibration, const char *path,
                                 struct sp_error *error) {
  for (size_t i = 0; i < calibration->margins.n; i++) {
    const char *name = calibration->margins.items[i].name;
    double margin = sp_facts_number_of(&calibration->margins, name);
    if (!(margin >= 0 && margin <= SP_GATE_MARGIN_MOST))
      return sp_fail(
          error, SP_ERR_ENVIRONMENT,
          "%s: margins.%s is no share of 0 to %g; measure again: servepath gate SCENARIO --calibrate", path,
          name, SP_GATE_MARGIN_MOST);
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

enum sp_err sp_calibration_read(const char *path, struct sp_calibration *calibration,
                                struct sp_error *error) {
  const struct sp_field_place place = {path, "", error};
  char *text = NULL;
  size_t n = 0;
  enum sp_err err = sp_files_read(path, FILE_BYTES_MAX, &text, &n, error);
  if (err) return err;
  json_error_t why;
  json_t *object = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
  if (json_is_object(object))
    err = sp_fields_read(calibration_fields, calibration, object, &place);
  else
    err = sp_fail(error, SP_ERR_ENVIRONMENT,
                  "%s: no calibration (%s); measure one: servepath gate SCENARIO --calibrate", path,
                  object ? "not an object" : why.text);
  if (!err) err = check_texts(calibration, &place);
  if (!err) err = check_margins(calibration, path, error);
  json_decref(object);
  free(text);
  return err;
}

// Unix time of "2026-11-21T19:09:23.469Z"; -1: not a time.
static int64_t seconds_of(const char *at) {
  struct tm utc = {0};
  return strptime(at, "%Y-%m-%dT%H:%M:%S", &utc) ? (int64_t)timegm(&utc) : -1;
}

bool sp_calibration_fits(const struct sp_calibration *calibration, const struct sp_result *result,
                         int64_t now_s, char *why, size_t n_why) {
  struct sp_calibration own;
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
