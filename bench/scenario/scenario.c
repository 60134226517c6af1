// The table of a scenario, and the way from files and settings to one checked struct.
#include "scenario/scenario.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/units.h"
#include "scenario/bind.h"
#include "scenario/check.h"
#include "scenario/load.h"
#include "scenario/setting.h"
#include "scenario/sides.h"
#include "scenario/yaml.h"

// What the application takes where the scenario says nothing (stream/kafka_app.c).
#define SESSION_TIMEOUT_NS     (10 * SP_NS_PER_S)
#define TRANSACTION_TIMEOUT_NS (10 * SP_NS_PER_S)
#define TAKEOVER_MARGIN_NS     (5 * SP_NS_PER_S)

#define MODEL(field) offsetof(struct sp_model_conf, field)
static const struct sp_key model_keys[] = {
    {"name", SP_KIND_TEXT, MODEL(name), NULL, NULL, NULL, NULL,
     "name for servers and results; that of dir if absent"},
    {"dir", SP_KIND_PATH, MODEL(dir), NULL, NULL, NULL, NULL,
     "folder that holds VERSION/{model.onnx,saved_model.pb,...}, or one of those: DIR/VERSION"},
    {"version", SP_KIND_COUNT, MODEL(version), "0", NULL, NULL, NULL, "version; 0: the highest in dir"},
    {"label", SP_KIND_TEXT, MODEL(label), NULL, NULL, NULL, NULL,
     "version label that a model server is asked for in place of the number"},
    {0},
};
static const struct sp_table model_table = {"model", model_keys, sizeof(struct sp_model_conf), "dir"};

#define SIDE(field) offsetof(struct sp_side, field)
static const struct sp_key side_keys[] = {
    {"", SP_KIND_INLINE, SIDE(path), NULL, NULL, &sp_path_table, NULL, NULL},
    {"", SP_KIND_INLINE, SIDE(engine), NULL, NULL, &sp_engine_table, NULL, NULL},
    {"", SP_KIND_INLINE, SIDE(rpc), NULL, NULL, &sp_rpc_table, NULL, NULL},
    {"", SP_KIND_INLINE, SIDE(app), NULL, NULL, &sp_app_table, NULL, NULL},
    {"server", SP_KIND_TABLE, SIDE(server), NULL, NULL, &sp_server_table, NULL,
     "the reference model server that a trial spawns"},
    {"", SP_KIND_INLINE, SIDE(stream), NULL, NULL, &sp_side_stream_table, NULL, NULL},
    {"model", SP_KIND_TABLE, SIDE(model), NULL, NULL, &model_table, NULL,
     "this side's model in place of the scenario's: a folder, or {version: 2} of the same"},
    {0},
};
static const struct sp_table side_table = {"sides.NAME", side_keys, sizeof(struct sp_side), NULL};

#define KAFKA(field) (offsetof(struct sp_scenario, kafka.field) - offsetof(struct sp_scenario, kafka))
static const struct sp_key kafka_keys[] = {
    {"producer", SP_KIND_PROPERTIES, KAFKA(producer), NULL, NULL, NULL, NULL,
     "librdkafka properties of producers"},
    {"consumer", SP_KIND_PROPERTIES, KAFKA(consumer), NULL, NULL, NULL, NULL,
     "librdkafka properties of consumers"},
    {0},
};
static const struct sp_table kafka_table = {"kafka", kafka_keys, sizeof(((struct sp_scenario *)0)->kafka),
                                            NULL};

#define SCENARIO(field) offsetof(struct sp_scenario, field)
static const struct sp_key scenario_keys[] = {
    {"version", SP_KIND_COUNT, SCENARIO(version), NULL, NULL, NULL, NULL,
     "version of this language: 1; required"},
    {"name", SP_KIND_TEXT, SCENARIO(name), NULL, NULL, NULL, NULL,
     "name of the case; that of its folder if absent"},
    {"recording", SP_KIND_PATH, SCENARIO(recording), NULL, NULL, NULL, NULL,
     "the recording that is replayed; required"},
    {"model", SP_KIND_TABLE, SCENARIO(model), NULL, NULL, &model_table, NULL, "the model; required"},
    {"input", SP_KIND_TABLE, SCENARIO(input), NULL, NULL, &sp_input_table, NULL,
     "how an event becomes tensors; required"},
    {"output", SP_KIND_TABLE, SCENARIO(output), NULL, NULL, &sp_output_table, NULL,
     "how a prediction becomes an answer; required"},
    {"topics", SP_KIND_TABLE, SCENARIO(topics), NULL, NULL, &sp_topics_table, NULL, "Kafka topics"},
    {"stream", SP_KIND_TABLE, SCENARIO(stream), NULL, NULL, &sp_stream_table, NULL, "how events travel"},
    {"load", SP_KIND_TABLE, SCENARIO(load), NULL, NULL, &sp_load_table, NULL, "when events are sent"},
    {"expect", SP_KIND_TABLE, SCENARIO(expect), NULL, NULL, &sp_expect_table, NULL, "what must hold"},
    {"placement", SP_KIND_TABLE, SCENARIO(placement), NULL, NULL, &sp_trial_table, NULL,
     "which processors are used"},
    {"sides", SP_KIND_NAMED, SCENARIO(sides), NULL, NULL, &side_table, NULL,
     "the ways to answer that are compared, by name; at least one"},
    {"kafka", SP_KIND_TABLE, SCENARIO(kafka), NULL, NULL, &kafka_table, NULL,
     "properties handed to librdkafka as they are; secrets as @FILE or $NAME"},
    {0},
};
const struct sp_table sp_scenario_table = {"scenario", scenario_keys, sizeof(struct sp_scenario), NULL};

// --- Reading ---

// What is kept while messages may name places: origins outlive the tree.
struct loader {
  struct sp_origin **origins;
  size_t n_origins;
  struct sp_node *root;
  struct sp_error *error;
};

static const struct sp_origin *add_origin(struct loader *loader, char *name, char *folder) {
  struct sp_origin *origin = sp_alloc(sizeof *origin);
  *origin = (struct sp_origin){name, folder};
  loader->origins = sp_realloc(loader->origins, (loader->n_origins + 1) * sizeof(void *));
  loader->origins[loader->n_origins++] = origin;
  return origin;
}

static void loader_done(struct loader *loader) {
  sp_node_free(loader->root);
  for (size_t i = 0; i < loader->n_origins; i++) {
    free(loader->origins[i]->name);
    free(loader->origins[i]->folder);
    free(loader->origins[i]);
  }
  free(loader->origins);
}

// "." for a file without a folder.
static char *folder_of(const char *file) {
  const char *slash = strrchr(file, '/');
  if (!slash) return sp_copy_text(".");
  return slash == file ? sp_copy_text("/") : sp_format("%.*s", (int)(slash - file), file);
}

// At most one byte more than a scenario may have; sp_yaml_parse refuses it then.
static enum sp_err read_file(const char *path, char **text, size_t *n, struct sp_error *error) {
  FILE *file = fopen(path, "re");
  struct stat status;
  if (file && fstat(fileno(file), &status) == 0 && S_ISDIR(status.st_mode)) {
    fclose(file);
    return sp_fail(error, SP_ERR_ENVIRONMENT, "%.300s is a folder; name a YAML file", path);
  }
  if (!file)
    return sp_fail(error, SP_ERR_ENVIRONMENT,
                   "cannot read %.300s (%s); name a folder that holds scenario.yaml, or a YAML file", path,
                   strerror(errno));
  *text = sp_alloc(SP_YAML_BYTES_MAX + 1);
  *n = fread(*text, 1, SP_YAML_BYTES_MAX + 1, file);
  bool has_failed = ferror(file);
  fclose(file);
  if (!has_failed) return SP_OK;
  free(*text);
  *text = NULL;
  return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot read %.300s: %s", path, strerror(errno));
}

static enum sp_err lay_file(struct loader *loader, const char *path) {
  char *text = NULL;
  size_t n = 0;
  struct sp_node *root;
  enum sp_err err = read_file(path, &text, &n, loader->error);
  if (err) return err;
  const struct sp_origin *origin = add_origin(loader, sp_copy_text(path), folder_of(path));
  err = sp_yaml_parse(origin, sp_bytes_of(text, n), &root, loader->error);
  free(text);
  if (!err && root->kind != SP_NODE_MAPPING) {
    err = sp_node_fail(root, NULL, loader->error, "a scenario is a mapping; write key: value lines");
    sp_node_free(root);
  }
  if (!err) loader->root = sp_node_merge(loader->root, root);
  return err;
}

static enum sp_err lay_settings(struct loader *loader, const struct sp_setting *settings, size_t n_settings) {
  enum sp_err err = SP_OK;
  for (size_t i = 0; i < n_settings && !err; i++) {
    const struct sp_origin *origin = add_origin(loader, sp_copy_text(settings[i].origin), sp_copy_text(""));
    err = sp_setting_apply(loader->root, &sp_scenario_table, origin, &settings[i], loader->error);
  }
  return err;
}

// --- Defaults that depend on other keys ---

static void name_by_folder(struct sp_scenario *scenario) {
  if (scenario->name) return;
  char *whole = realpath(scenario->folder, NULL);
  scenario->name = sp_path_last_part(whole ? whole : scenario->folder);
  free(whole);
}

static int64_t property_ns(const struct sp_properties *properties, const char *name, int64_t standard_ns) {
  for (size_t i = 0; i < properties->n; i++) {
    uint64_t ms;
    if (strcmp(properties->items[i].name, name) == 0 &&
        !sp_units_parse_count(properties->items[i].value, &ms, NULL) && ms < 1000000000)
      standard_ns = (int64_t)ms * SP_NS_PER_MS;
  }
  return standard_ns;
}

// How long what a dead application had taken may stay out of sight: until the group gives it to another one, and, in
// transactions, until the broker has ended the one that was open. A drain that is shorter turns it into losses.
static int64_t takeover_ns(const struct sp_scenario *scenario, const struct sp_side *side) {
  if (sp_scenario_of_side(scenario, side).stream.transport != SP_TRANSPORT_KAFKA) return 0;
  int64_t ns = property_ns(&scenario->kafka.consumer, "session.timeout.ms", SESSION_TIMEOUT_NS);
  if (side->app.delivery == SP_DELIVERY_EXACTLY_ONCE)
    ns += property_ns(&scenario->kafka.producer, "transaction.timeout.ms", TRANSACTION_TIMEOUT_NS);
  return ns + TAKEOVER_MARGIN_NS;
}

// DESIGN §2: the cut-off lies at least 2 deadlines after the last intended instant (sides that never call have none), and by
// default also outlasts what a killed application leaves behind.
static enum sp_err settle_drain(struct sp_scenario *scenario, const struct sp_check_context *check) {
  int64_t least_ns = 0, standard_ns = 0;
  for (size_t i = 0; i < scenario->sides.n; i++) {
    const struct sp_side *side = (const struct sp_side *)scenario->sides.items + i;
    if (!sp_check_is_measured(check, side->name)) continue;
    bool is_rpc = strcmp(side->path.path, "rpc") == 0;
    if (is_rpc && least_ns < 2 * side->rpc.deadline_ns) least_ns = 2 * side->rpc.deadline_ns;
    if (standard_ns < takeover_ns(scenario, side)) standard_ns = takeover_ns(scenario, side);
  }
  if (standard_ns < least_ns) standard_ns = least_ns;
  scenario->says_drain = sp_check_find(check, "load.drain") != NULL;
  if (!scenario->says_drain) {
    if (scenario->load.drain_ns < standard_ns) scenario->load.drain_ns = standard_ns;
    return SP_OK;
  }
  if (scenario->load.drain_ns >= least_ns) return SP_OK;
  char least[SP_UNITS_TEXT_BYTES];
  return sp_check_fail(check, SP_ERR_USAGE, "load.drain",
                       "is less than 2 deadlines; write %s or more, or a shorter deadline",
                       sp_units_write_duration(least_ns, least, sizeof least));
}

static void resolve(struct sp_scenario *scenario) {
  json_t *json = sp_bind_json(&sp_scenario_table, scenario, scenario->folder);
  scenario->resolved_json = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));
  SP_ASSERT(scenario->resolved_json);
  json_decref(json);
  sp_digest_bytes(sp_bytes_of_text(scenario->resolved_json), scenario->digest);
}

static enum sp_err finish(struct loader *loader, const struct sp_load_request *request,
                          struct sp_scenario *scenario) {
  const struct sp_check_context check = {loader->root, scenario, loader->error, request->measured,
                                         request->n_measured};
  enum sp_err err = sp_check_version(loader->root, loader->error);
  if (!err) err = sp_bind(&sp_scenario_table, loader->root, scenario, loader->error);
  if (err) return err;
  name_by_folder(scenario);
  sp_settle_sides(scenario, &check);
  err = sp_check_scenario(&check);
  if (!err) err = settle_drain(scenario, &check);
  if (!err) resolve(scenario);
  return err;
}

static char *scenario_file(const char *path) {
  struct stat status;
  bool is_folder = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
  size_t n = strlen(path);
  return is_folder ? sp_format("%s%sscenario.yaml", path, n && path[n - 1] == '/' ? "" : "/")
                   : sp_copy_text(path);
}

enum sp_err sp_scenario_load_for(const struct sp_load_request *request, struct sp_scenario **scenario,
                                 struct sp_error *error) {
  struct loader loader = {.error = error};
  struct sp_scenario *loaded = sp_alloc(sizeof *loaded);
  loaded->file = scenario_file(request->path);
  loaded->folder = folder_of(loaded->file);
  enum sp_err err = lay_file(&loader, loaded->file);
  for (size_t i = 0; i < request->n_overlays && !err; i++) err = lay_file(&loader, request->overlays[i]);
  if (!err) err = lay_settings(&loader, request->settings, request->n_settings);
  if (!err) err = finish(&loader, request, loaded);
  loader_done(&loader);
  if (err) {
    sp_scenario_free(loaded);
    loaded = NULL;
  }
  *scenario = loaded;
  return err;
}

enum sp_err sp_scenario_load(const char *path, const char *const *overlays, size_t n_overlays,
                             const struct sp_setting *settings, size_t n_settings,
                             struct sp_scenario **scenario, struct sp_error *error) {
  const struct sp_load_request request = {path, overlays, n_overlays, settings, n_settings, NULL, 0};
  return sp_scenario_load_for(&request, scenario, error);
}

void sp_scenario_free(struct sp_scenario *scenario) {
  if (!scenario) return;
  free(scenario->file);
  free(scenario->folder);
  free(scenario->resolved_json);
  sp_bind_free(&sp_scenario_table, scenario);
  free(scenario);
}

const struct sp_side *sp_scenario_side(const struct sp_scenario *scenario, const char *name) {
  const struct sp_side *sides = scenario->sides.items;
  for (size_t i = 0; i < scenario->sides.n; i++) {
    if (!name || strcmp(sides[i].name, name) == 0) return &sides[i];
  }
  return NULL;
}
