// Folder -> model -> events -> scenario; then the scenario is read back, so that what is written can be run.
#include "import/new.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/text_stream.h"
#include "codec/codec.h"
#include "import/new_model.h"
#include "import/new_synthetic.h"
#include "import/new_yaml.h"
#include "os/files.h"
#include "scenario/scenario.h"

struct making {
  const struct sp_new_conf *conf;
  struct sp_new_report *report;
  struct sp_error *error;
  char *version_dir, *recording, *scenario; // paths below the folder
  struct sp_engine *engine;
  const char *engine_name;
  const struct sp_model_io *io;
  struct sp_profile profile;
  struct sp_guess guess;
  struct sp_synthetic synthetic;
};

// It becomes a file name, a model name of servers and a part of topic names.
static enum sp_err check_name(const char *name, struct sp_error *error) {
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  size_t n = strspn(name, allowed);
  if (name[0] == '-' || name[0] == '.' || n == 0 || name[n])
    return sp_fail(error, SP_ERR_USAGE,
                   "NAME \"%.100s\" must be letters, digits, \"_\", \"-\" and \".\", and start with a letter "
                   "or digit; the folder is --out DIR",
                   name);
  return n <= 100 ? SP_OK : sp_fail(error, SP_ERR_USAGE, "NAME is longer than 100 characters");
}

static enum sp_err make_folder(const char *path, struct sp_error *error) {
  if (mkdir(path, 0777) == 0) return SP_OK;
  if (errno == EEXIST)
    return sp_fail(error, SP_ERR_ENVIRONMENT,
                   "%s is there already and stays as it is; choose another NAME or --out", path);
  return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot make the folder %s (%s); check --out", path,
                 strerror(errno));
}

// ---- from rows

static enum sp_err read_rows(struct making *making) {
  const struct sp_new_conf *conf = making->conf;
  const struct sp_import_conf file = {.input = conf->from,
                                      .progress = conf->progress,
                                      .progress_context = conf->progress_context,
                                      .stop = conf->stop};
  return sp_profile_read(&file, conf->header, &making->profile, making->error);
}

// By number: names may stand in the file twice, or not at all.
static char *number_of(size_t column_i) {
  return column_i == SIZE_MAX ? NULL : sp_format("%zu", column_i + 1);
}

static enum sp_err import_rows(struct making *making) {
  const struct sp_new_conf *conf = making->conf;
  char *key = number_of(making->guess.key.i), *time = number_of(making->guess.time.i);
  const struct sp_import_conf import = {.input = conf->from,
                                        .output = making->recording,
                                        .format = SP_IMPORT_CSV,
                                        .has_header_row = making->profile.has_header,
                                        .key = key,
                                        .time = time,
                                        .time_unit = making->guess.time_unit,
                                        .sort = time != NULL,
                                        .skip_bad = true,
                                        .name = conf->name,
                                        .progress = conf->progress,
                                        .progress_context = conf->progress_context,
                                        .stop = conf->stop};
  struct sp_import_report told;
  enum sp_err err = sp_import(&import, &told, making->error);
  free(key);
  free(time);
  making->report->n_events = told.n_events;
  making->report->times_are_real = told.times_are_real;
  making->report->n_skipped = told.n_skipped;
  memcpy(making->report->first_skipped, told.first_skipped, sizeof told.first_skipped);
  return err;
}

static int compare_texts(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum sp_err write_levels(const struct making *making, size_t column_i) {
  const struct sp_levels *levels = &making->profile.columns[column_i].levels;
  char *file = sp_new_levels_file(&making->profile, column_i);
  char *path = sp_format("%s/%s", making->conf->folder, file);
  char *folder = sp_format("%s/levels", making->conf->folder);
  struct sp_text_stream stream;
  FILE *to = sp_text_stream_open(&stream);
  qsort(levels->items, levels->n, sizeof *levels->items, compare_texts);
  for (size_t i = 0; i < levels->n; i++) fprintf(to, "%s\n", levels->items[i]);
  char *text = sp_text_stream_close(&stream);
  enum sp_err err = sp_files_make_dirs(folder, making->error);
  if (!err) err = sp_files_write(path, sp_bytes_of(text, stream.n), making->error);
  free(file);
  free(path);
  free(text);
  free(folder);
  return err;
}

static enum sp_err write_vocabularies(const struct making *making) {
  for (size_t t = 0; t < making->guess.n_tensors; t++) {
    const struct sp_guessed_tensor *tensor = &making->guess.tensors[t];
    for (size_t i = 0; i < tensor->n; i++) {
      if (sp_profile_is_number(&making->profile.columns[tensor->columns[i]])) continue;
      enum sp_err err = write_levels(making, tensor->columns[i]);
      if (err) return err;
    }
  }
  return SP_OK;
}

static enum sp_err from_rows(struct making *making) {
  enum sp_err err = read_rows(making);
  if (!err)
    err = sp_guess_make(&making->profile, making->io, &making->conf->hints, &making->guess, making->error);
  if (!err) err = import_rows(making);
  if (!err) err = write_vocabularies(making);
  making->report->n_odd_rows = making->profile.n_odd_rows;
  making->report->first_odd_line = making->profile.first_odd_line;
  return err;
}

static enum sp_err from_model(struct making *making) {
  enum sp_err err =
      sp_synthetic_plan(making->engine, making->conf->n_synthetic, &making->synthetic, making->error);
  if (!err) err = sp_synthetic_write(&making->synthetic, making->conf, making->recording, making->error);
  making->report->n_events = making->conf->n_synthetic;
  return err;
}

// ---- the scenario

static void write_yaml(struct making *making, struct sp_new_yaml *yaml) {
  const struct sp_new_conf *conf = making->conf;
  const struct sp_guess *guess = &making->guess;
  if (conf->from) {
    const char *slash = strrchr(conf->from, '/');
    const char *joined = *guess->time.why && *guess->key.why ? "; " : "";
    char *made_from = sp_format("from %s", slash ? slash + 1 : conf->from);
    char *why = sp_format("%s%s%s", guess->time.why, joined, guess->key.why);
    sp_new_yaml_head(yaml, conf->name, made_from, why);
    sp_new_yaml_input(yaml, &making->profile, making->io, guess);
    free(made_from);
    free(why);
  } else {
    sp_new_yaml_head(yaml, conf->name, "of synthetic events: they show cost, not correctness of data", "");
    sp_synthetic_yaml(&making->synthetic, yaml);
  }
  sp_new_yaml_tail(yaml, making->io, making->engine_name);
}

static enum sp_err write_scenario(struct making *making) {
  struct sp_text_stream stream;
  struct sp_new_yaml yaml = {.to = sp_text_stream_open(&stream), .line = 1};
  write_yaml(making, &yaml);
  char *text = sp_text_stream_close(&stream);
  making->report->n_guessed = yaml.n_guessed;
  making->report->choose_line = yaml.choose_line;
  enum sp_err err = sp_files_write(making->scenario, sp_bytes_of(text, stream.n), making->error);
  free(text);
  return err;
}

// Where columns are left to choose the scenario is refused at their line, unless they are as many as the model takes and only their
// values do not fit: then `verify` names the column.
static enum sp_err check_scenario(const struct making *making) {
  struct sp_scenario *scenario = NULL;
  struct sp_decoder *decoder = NULL;
  enum sp_err err = sp_scenario_load(making->scenario, NULL, 0, NULL, 0, &scenario, making->error);
  if (err == SP_ERR_USAGE && making->report->choose_line) return SP_OK;
  if (!err) err = sp_decoder_new(&scenario->input, &decoder, making->error);
  sp_decoder_free(decoder);
  sp_scenario_free(scenario);
  return err;
}

static enum sp_err fill(struct making *making) {
  const struct sp_new_conf *conf = making->conf;
  enum sp_err err = sp_new_model_copy(conf->model, making->version_dir, conf->stop, making->error);
  if (!err)
    err = sp_new_model_open(conf->model, making->version_dir, &making->engine, &making->engine_name,
                            making->error);
  if (err) return err;
  making->io = sp_engine_io(making->engine);
  err = conf->from ? from_rows(making) : from_model(making);
  if (!err) err = write_scenario(making);
  return err ? err : check_scenario(making);
}

enum sp_err sp_new(const struct sp_new_conf *conf, struct sp_new_report *report, struct sp_error *error) {
  struct making making = {.conf = conf, .report = report, .error = error};
  *report = (struct sp_new_report){0};
  enum sp_err err = check_name(conf->name, error);
  if (!err) err = make_folder(conf->folder, error);
  if (err) return err;
  making.version_dir = sp_format("%s/models/%s/1", conf->folder, conf->name);
  making.recording = sp_format("%s/%s.sprec", conf->folder, conf->name);
  making.scenario = sp_format("%s/scenario.yaml", conf->folder);
  err = fill(&making);
  if (err) sp_files_remove(conf->folder);
  sp_engine_close(making.engine);
  sp_profile_done(&making.profile);
  sp_guess_done(&making.guess);
  free(making.version_dir);
  free(making.recording);
  free(making.scenario);
  return err;
}
