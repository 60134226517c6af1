// The table of engines, and what is the same for all of them: lookup, buffers, checks of tensors.
#include "engine/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/names.h"
#include "engine/engines.h"

struct sp_engine {
  const struct sp_engine_ops *ops;
  void *model;
  struct sp_model_io io;
  char *file;    // of the model
  char *library; // name and version
};

struct sp_session {
  const struct sp_engine *engine;
  void *impl;
  size_t max_rows;
  struct sp_tensor inputs[SP_TENSORS_MAX];
  struct sp_tensor outputs[SP_TENSORS_MAX];
};

#define ENTRY(name) &sp_engine_##name##_ops,
static const struct sp_engine_ops *const engines[] = {SP_ENGINES(ENTRY)};
#define N_ENGINES (sizeof engines / sizeof engines[0])

const struct sp_engine_ops *sp_engine_nth(size_t i) {
  return i < N_ENGINES ? engines[i] : NULL;
}

static const struct sp_engine_ops *find_engine(const char *name, struct sp_error *error) {
  const char *names[N_ENGINES];
  for (size_t i = 0; i < N_ENGINES; i++) {
    names[i] = engines[i]->name;
    if (strcmp(names[i], name) == 0) return engines[i];
  }
  char suggestion[128];
  sp_fail(error, SP_ERR_USAGE, "engine: \"%s\" is unknown; %s", name,
          sp_names_suggest(name, names, N_ENGINES, suggestion, sizeof suggestion));
  return NULL;
}

// Whether conf->model_file is one that it reads.
static enum sp_err check_named(const struct sp_engine_ops *ops, const char *named, struct sp_error *error) {
  size_t n = 0;
  for (; ops->model_files[n]; n++) {
    if (strcmp(ops->model_files[n], named) == 0) return SP_OK;
  }
  char suggestion[128];
  return sp_fail(error, SP_ERR_USAGE, "model_file: engine %s does not read \"%s\"; %s", ops->name, named,
                 sp_names_suggest(named, ops->model_files, n, suggestion, sizeof suggestion));
}

static enum sp_err find_file(const struct sp_engine_ops *ops, const struct sp_engine_conf *conf,
                             const char *version_dir, char **file, struct sp_error *error) {
  const char *const only[] = {conf->model_file, NULL};
  *file = NULL;
  enum sp_err err = conf->model_file ? check_named(ops, conf->model_file, error) : SP_OK;
  if (err) return err;
  char missing[256] = "";
  int why = 0;
  for (const char *const *name = conf->model_file ? only : ops->model_files; *name; name++) {
    *file = sp_format("%s/%s", version_dir, *name);
    if (access(*file, R_OK) == 0) return SP_OK;
    if (why == 0 || errno != ENOENT) why = errno;
    size_t n = strlen(missing);
    snprintf(missing + n, sizeof missing - n, "%s%s", n ? ", " : "", *name);
    free(*file);
  }
  return sp_fail(error, SP_ERR_ENVIRONMENT,
                 "cannot read model %s/%s (%s), which engine %s needs; check model.dir and the version",
                 version_dir, missing, strerror(why), ops->name);
}

enum sp_err sp_engine_find_file(const struct sp_engine_conf *conf, const char *version_dir, char **file,
                                struct sp_error *error) {
  const struct sp_engine_ops *ops = find_engine(conf->engine, error);
  return ops ? find_file(ops, conf, version_dir, file, error) : SP_ERR_USAGE;
}

enum sp_err sp_engine_open(const struct sp_engine_conf *conf, const char *version_dir,
                           struct sp_engine **engine, struct sp_error *error) {
  const struct sp_engine_ops *ops = find_engine(conf->engine, error);
  if (!ops) return SP_ERR_USAGE;
  if (conf->intra_threads < 1 || conf->intra_threads > 1024) {
    return sp_fail(error, SP_ERR_USAGE, "intra_threads: %llu is not from 1 to 1024",
                   (unsigned long long)conf->intra_threads);
  }
  char *file;
  enum sp_err err = find_file(ops, conf, version_dir, &file, error);
  if (err) return err;
  struct sp_engine *new = sp_alloc(sizeof *new);
  new->ops = ops;
  new->file = file;
  err = ops->open(conf, file, &new->model, &new->io, error);
  if (err) {
    free(new->file);
    free(new);
    return err;
  }
  new->library = sp_format("%s %s", ops->name, ops->library_version());
  *engine = new;
  return SP_OK;
}

void sp_engine_close(struct sp_engine *engine) {
  if (!engine) return;
  engine->ops->close(engine->model);
  free(engine->file);
  free(engine->library);
  free(engine);
}

const struct sp_model_io *sp_engine_io(const struct sp_engine *engine) {
  return &engine->io;
}
const char *sp_engine_library(const struct sp_engine *engine) {
  return engine->library;
}
const char *sp_engine_model_file(const struct sp_engine *engine) {
  return engine->file;
}

static void session_done(struct sp_session *session) {
  for (size_t i = 0; i < session->engine->io.n_inputs; i++) sp_tensor_done(&session->inputs[i]);
  for (size_t i = 0; i < session->engine->io.n_outputs; i++) sp_tensor_done(&session->outputs[i]);
  free(session);
}

enum sp_err sp_session_new(struct sp_engine *engine, size_t max_rows, struct sp_session **session,
                           struct sp_error *error) {
  SP_ASSERT(max_rows > 0);
  const struct sp_model_io *io = &engine->io;
  for (size_t i = 0; i < io->n_inputs; i++) {
    if (io->inputs[i].shape[0] == 1 && max_rows > 1) {
      return sp_fail(error, SP_ERR_USAGE, "%s: input \"%s\" holds one row and cannot take %zu; use --batch 1",
                     engine->file, io->inputs[i].name, max_rows);
    }
  }
  struct sp_session *new = sp_alloc(sizeof *new);
  new->engine = engine;
  new->max_rows = max_rows;
  for (size_t i = 0; i < io->n_inputs; i++) sp_tensor_init(&new->inputs[i], &io->inputs[i], max_rows);
  for (size_t i = 0; i < io->n_outputs; i++) sp_tensor_init(&new->outputs[i], &io->outputs[i], max_rows);
  enum sp_err err =
      engine->ops->session_new(engine->model, max_rows, new->inputs, new->outputs, &new->impl, error);
  if (err) {
    session_done(new);
    return err;
  }
  *session = new;
  return SP_OK;
}

void sp_session_free(struct sp_session *session) {
  if (!session) return;
  session->engine->ops->session_free(session->impl);
  session_done(session);
}

struct sp_tensor *sp_session_inputs(struct sp_session *session) {
  return session->inputs;
}
const struct sp_tensor *sp_session_outputs(const struct sp_session *session) {
  return session->outputs;
}

enum sp_err sp_session_run(struct sp_session *session, size_t n_rows, struct sp_error *error) {
  SP_ASSERT(n_rows > 0 && n_rows <= session->max_rows);
  return session->engine->ops->run(session->impl, n_rows, error);
}

static bool rows_are_equal(const struct sp_tensor_spec *a, const struct sp_tensor_spec *b) {
  if (a->dtype != b->dtype || a->rank != b->rank) return false;
  for (uint32_t i = 1; i < a->rank; i++) {
    if (a->shape[i] != b->shape[i]) return false;
  }
  return true;
}

static enum sp_err check_one(const char *what, const struct sp_tensor_spec *wanted,
                             const struct sp_tensor_spec *have, size_t n_have, const char *model,
                             struct sp_error *error) {
  const char *names[SP_TENSORS_MAX];
  SP_ASSERT(n_have <= SP_TENSORS_MAX);
  for (size_t i = 0; i < n_have; i++) {
    names[i] = have[i].name;
    if (strcmp(wanted->name, have[i].name) != 0) continue;
    if (wanted->dtype == SP_DTYPE_NONE || rows_are_equal(wanted, &have[i])) return SP_OK;
    char given[128], needed[128];
    return sp_fail(error, SP_ERR_USAGE,
                   "%s: %s \"%s\" is %s in the model, but %s in the scenario; declare it as the model does",
                   model, what, wanted->name, sp_tensor_spec_text(&have[i], needed, sizeof needed),
                   sp_tensor_spec_text(wanted, given, sizeof given));
  }
  char suggestion[512];
  return sp_fail(error, SP_ERR_USAGE, "%s: the model has no %s \"%s\"; %s", model, what, wanted->name,
                 sp_names_suggest(wanted->name, names, n_have, suggestion, sizeof suggestion));
}

enum sp_err sp_model_check(const char *what, const struct sp_tensor_spec *wanted, size_t n_wanted,
                           const struct sp_tensor_spec *have, size_t n_have, const char *model,
                           struct sp_error *error) {
  for (size_t i = 0; i < n_wanted; i++) {
    enum sp_err err = check_one(what, &wanted[i], have, n_have, model, error);
    if (err) return err;
  }
  return SP_OK;
}
