// What was told at the start, the sets made of it, and looking versions up.
#include "server/models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "server/versions.h"

// --- What was told ---

static enum sp_err add_source(struct sp_told *told, const struct sp_source *source, bool is_stub,
                              struct sp_error *error) {
  if (!source->name || !*source->name || strlen(source->name) >= SP_TFS_MODEL_NAME_BYTES) {
    return sp_fail(error, SP_ERR_USAGE, "--model: a name has 1 to %d bytes; write --model NAME=DIR",
                   SP_TFS_MODEL_NAME_BYTES - 1);
  }
  if (!source->dir && !is_stub)
    return sp_fail(error, SP_ERR_USAGE, "--model %s: write %s=DIR", source->name, source->name);
  for (size_t i = 0; i < told->n_sources; i++) {
    if (strcmp(told->sources[i].name, source->name) != 0) continue;
    return sp_fail(error, SP_ERR_USAGE, "model %s is given twice; a name stands for one folder",
                   source->name);
  }
  told->sources[told->n_sources++] =
      (struct sp_source){sp_copy_text(source->name), sp_copy_text(source->dir), source->only};
  return SP_OK;
}

static bool has_source(const struct sp_told *told, const char *name) {
  for (size_t i = 0; name && i < told->n_sources; i++) {
    if (strcmp(told->sources[i].name, name) == 0) return true;
  }
  return false;
}

static enum sp_err add_labels(struct sp_told *told, const struct sp_properties *labels,
                              struct sp_error *error) {
  told->labels = sp_alloc((labels->n + 1) * sizeof *told->labels);
  for (size_t i = 0; i < labels->n; i++) {
    uint64_t version = 0;
    if (sp_units_parse_count(labels->items[i].value, &version, NULL) || !version || version > INT64_MAX) {
      return sp_fail(error, SP_ERR_USAGE, "labels: %s: \"%s\" is no version; write --label %s=3",
                     labels->items[i].name, labels->items[i].value, labels->items[i].name);
    }
    told->labels[told->n_labels++] = (struct sp_label){sp_copy_text(labels->items[i].name), version};
  }
  return SP_OK;
}

enum sp_err sp_told_init(struct sp_told *told, const struct sp_server_env *env, size_t n_workers,
                         struct sp_error *error) {
  const struct sp_server_conf *conf = env->conf;
  *told = (struct sp_told){.sources = sp_alloc((env->n_models + 1) * sizeof *told->sources),
                           .loading = {.engine = sp_copy_text(conf->engine),
                                       .n_workers = n_workers,
                                       .max_rows = (size_t)conf->max_batch,
                                       .gathers = conf->batch_delay_ns > 0}};
  bool is_stub = conf->stub != SP_STUB_NONE;
  enum sp_err err = add_labels(told, &conf->labels, error);
  for (size_t i = 0; !err && i < env->n_models; i++) {
    const struct sp_source source = {(char *)(uintptr_t)env->models[i].name,
                                     (char *)(uintptr_t)env->models[i].dir, 0};
    err = add_source(told, &source, is_stub, error);
  }
  const struct sp_model_conf *model = env->scenario ? &env->scenario->model : NULL;
  if (!err && model && !has_source(told, model->name)) {
    const struct sp_source source = {model->name, model->dir, model->version};
    err = add_source(told, &source, is_stub, error);
  }
  if (!err && !told->n_sources)
    err = sp_fail(error, SP_ERR_USAGE, "nothing to serve; give --model NAME=DIR or --scenario");
  return err;
}

void sp_told_done(struct sp_told *told) {
  for (size_t i = 0; i < told->n_sources; i++) {
    free(told->sources[i].name);
    free(told->sources[i].dir);
  }
  for (size_t i = 0; i < told->n_labels; i++) free(told->labels[i].name);
  free(told->sources);
  free(told->labels);
  free(told->loading.engine);
}

// --- Sets ---

static struct sp_models *models_new(const struct sp_told *told, size_t n_room) {
  struct sp_models *models = sp_alloc(sizeof *models);
  models->told = told;
  models->items = sp_alloc((n_room + 1) * sizeof(struct sp_served *));
  return models;
}

// A stub without a folder has version 1; where one version is asked for, the others are not looked at.
static enum sp_err list_versions(const struct sp_source *source, struct sp_version_seen **seen, size_t *n,
                                 struct sp_error *error) {
  if (!source->dir || source->only) {
    *seen = sp_alloc(sizeof **seen);
    (*seen)[0].version = source->only ? source->only : 1;
    *n = 1;
    return SP_OK;
  }
  enum sp_err err = sp_versions_look(source->dir, seen, n, error);
  if (err || *n) return err;
  return sp_fail(error, SP_ERR_ENVIRONMENT, "model folder %s holds no version; put the model into %s/1/",
                 source->dir, source->dir);
}

static enum sp_err load_source(struct sp_models *models, const struct sp_source *source,
                               const struct sp_server_env *env, struct sp_error *error) {
  struct sp_version_seen *seen = NULL;
  size_t n = 0;
  enum sp_err err = list_versions(source, &seen, &n, error);
  if (!err) models->items = sp_realloc(models->items, (models->n + n + 1) * sizeof(struct sp_served *));
  for (size_t i = 0; !err && i < n; i++) {
    const struct sp_loading *loading = &models->told->loading;
    struct sp_served *served = NULL;
    err = env->conf->stub != SP_STUB_NONE
              ? sp_served_stub(loading, env, source->name, source->dir, seen[i].version, &served, error)
              : sp_served_load(loading, source->name, source->dir, seen[i].version, &served, error);
    if (!err) models->items[models->n++] = served;
  }
  free(seen);
  return err;
}

enum sp_err sp_models_load(const struct sp_told *told, const struct sp_server_env *env,
                           struct sp_models **made, struct sp_error *error) {
  struct sp_models *models = models_new(told, 0);
  enum sp_err err = SP_OK;
  for (size_t i = 0; !err && i < told->n_sources; i++)
    err = load_source(models, &told->sources[i], env, error);
  if (err) {
    for (size_t i = 0; i < models->n; i++) sp_served_free(models->items[i]);
    sp_models_free(models);
  } else {
    *made = models;
  }
  return err;
}

static bool is_among(const struct sp_served *served, struct sp_served *const *others, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (others[i] == served) return true;
  }
  return false;
}

static size_t source_i(const struct sp_told *told, const char *name) {
  size_t i = 0;
  while (i < told->n_sources && strcmp(told->sources[i].name, name) != 0) i++;
  return i;
}

static void insert(struct sp_models *models, struct sp_served *served) {
  size_t own = source_i(models->told, served->name), i = models->n++;
  for (; i; i--) {
    const struct sp_served *before = models->items[i - 1];
    size_t of = source_i(models->told, before->name);
    if (of < own || (of == own && before->version < served->version)) break;
    models->items[i] = models->items[i - 1];
  }
  models->items[i] = served;
}

struct sp_models *sp_models_changed(const struct sp_models *models, struct sp_served *const *gone,
                                    size_t n_gone, struct sp_served *const *come, size_t n_come) {
  struct sp_models *changed = models_new(models->told, models->n + n_come);
  for (size_t i = 0; i < models->n; i++) {
    if (!is_among(models->items[i], gone, n_gone)) changed->items[changed->n++] = models->items[i];
  }
  for (size_t i = 0; i < n_come; i++) insert(changed, come[i]);
  return changed;
}

void sp_models_free(struct sp_models *models) {
  if (!models) return;
  free(models->items);
  free(models);
}

// --- Looking up ---

static bool is_text(struct sp_bytes bytes, const char *text) {
  return bytes.n == strlen(text) && (!bytes.n || memcmp(bytes.data, text, bytes.n) == 0);
}

// "fraud 1, tweet 1 2, gone (no version)" into text, cut.
static void list_models(const struct sp_models *models, char *text, size_t n) {
  const struct sp_told *told = models->told;
  size_t at = 0;
  text[0] = 0;
  for (size_t s = 0, i = 0; s < told->n_sources && at < n; s++) {
    const char *name = told->sources[s].name;
    size_t first = i;
    at += (size_t)snprintf(text + at, n - at, "%s%s", s ? ", " : "", name);
    for (; i < models->n && at < n && strcmp(models->items[i]->name, name) == 0; i++)
      at += (size_t)snprintf(text + at, n - at, " %llu", (unsigned long long)models->items[i]->version);
    if (i == first && at < n) at += (size_t)snprintf(text + at, n - at, " (no version)");
  }
}

static void list_labels(const struct sp_told *told, char *text, size_t n) {
  size_t at = 0;
  snprintf(text, n, "none");
  for (size_t i = 0; i < told->n_labels && at < n; i++) {
    at += (size_t)snprintf(text + at, n - at, "%s%s %llu", i ? ", " : "", told->labels[i].name,
                           (unsigned long long)told->labels[i].version);
  }
}

// The version that a label stands for; -1: none.
static int64_t labelled(const struct sp_told *told, struct sp_bytes label) {
  for (size_t i = 0; i < told->n_labels; i++) {
    if (is_text(label, told->labels[i].name)) return (int64_t)told->labels[i].version;
  }
  return -1;
}

static void say_missing(const struct sp_models *models, const struct sp_asked *asked, bool has_name,
                        int64_t version, char *text, size_t n_text) {
  char have[160];
  if (has_name && asked->label.data && version < 0) {
    list_labels(models->told, have, sizeof have);
    snprintf(text, n_text, "version label \"%.*s\" is unknown; this server has %s",
             (int)(asked->label.n < 64 ? asked->label.n : 64), (const char *)asked->label.data, have);
    return;
  }
  list_models(models, have, sizeof have);
  snprintf(text, n_text, "%s is not served; this server has %s", has_name ? "that version" : "that model",
           have);
}

struct sp_served *sp_models_find(const struct sp_models *models, const struct sp_asked *asked, char *text,
                                 size_t n_text) {
  int64_t version = asked->label.data ? labelled(models->told, asked->label) : asked->version;
  struct sp_served *best = NULL;
  for (size_t i = 0; i < models->n && version >= 0; i++) {
    struct sp_served *served = models->items[i];
    if (!is_text(asked->name, served->name)) continue;
    if (!version || served->version == (uint64_t)version) best = served; // the last is the highest
  }
  if (best) return best;
  bool has_name = false;
  for (size_t i = 0; i < models->told->n_sources; i++)
    has_name = has_name || is_text(asked->name, models->told->sources[i].name);
  say_missing(models, asked, has_name, version, text, n_text);
  return NULL;
}

enum sp_presence sp_models_presence(const struct sp_models *models, const char *name) {
  for (size_t i = 0; i < models->n; i++) {
    if (strcmp(models->items[i]->name, name) == 0) return SP_PRESENCE_SERVED;
  }
  return has_source(models->told, name) ? SP_PRESENCE_EMPTY : SP_PRESENCE_UNKNOWN;
}
