// One checked scenario: YAML, overlays, --set and flags, laid over the defaults of every folder's conf table.
#ifndef SP_SCENARIO_SCENARIO_H
#define SP_SCENARIO_SCENARIO_H

#include "app/conf.h"
#include "base/err.h"
#include "codec/conf.h"
#include "engine/conf.h"
#include "path/conf.h"
#include "replay/conf.h"
#include "rpc/conf.h"
#include "server/conf.h"
#include "stream/conf.h"
#include "trial/conf.h"

struct sp_model_conf {
  char *name;
  char *dir; // holds VERSION/{model.onnx,saved_model.pb,...}; once checked, no longer one such folder itself
  uint64_t version; // 0: the highest number in dir
  char *label;      // version label that servers are asked for in its place; NULL: none
};

struct sp_side {
  char *name; // first: SP_KIND_NAMED
  struct sp_path_conf path;
  struct sp_engine_conf engine;
  struct sp_rpc_conf rpc;
  struct sp_app_conf app;
  struct sp_server_conf server;
  // Its own in place of the scenario's, as sp_scenario_of_side lays them; checked scenarios have them whole:
  struct sp_side_stream_conf stream; // auto: it has none
  struct sp_model_conf model;        // dir NULL: it has none
};

struct sp_scenario {
  char *file;       // the YAML file
  char *folder;     // its folder
  uint64_t version; // of the language: 1
  char *name;
  char *recording; // path of the .sprec
  struct sp_model_conf model;
  struct sp_input_conf input;
  struct sp_output_conf output;
  struct sp_topics_conf topics;
  struct sp_stream_conf stream;
  struct sp_load_conf load;
  bool says_drain; // load.drain was written by somebody, not chosen for the sides
  struct sp_expect_conf expect;
  struct sp_trial_conf placement;
  struct sp_list sides; // struct sp_side
  struct {
    struct sp_properties producer, consumer;
  } kafka;
  char digest[48]; // of the resolved scenario (sp_digest text)
  // Every key with its value after overlays and flags, as JSON that loads as a scenario again; secrets ***. Paths
  // stand relative to the scenario's folder, or by their last part outside of it: the same text on every machine.
  char *resolved_json;
};

extern const struct sp_table sp_scenario_table;

// One flag or --set from the command line, in the order given.
struct sp_setting {
  const char
      *key; // "load.rate"; a side's key stands for every side: "sides.*.threads"; "sides.rpc.threads" for one
  const char *value;  // as a user writes it
  const char *origin; // for messages: "--rate" or "--set"
};

// Reads SCENARIO (a folder holding scenario.yaml, or a YAML file), lays each overlay over it (mappings merge key by key,
// everything else is replaced), then the settings, checks every key, unit and value, and fills in defaults. Paths in a
// file are relative to that file; paths in settings are relative to the working directory.
// `null` takes a key (or a side) away again. Where absent: name is that of the folder, model.name that of model.dir,
// expect.not_ok is -1 (no bound), load.drain is at least 2 deadlines of the sides whose path is rpc.
// SP_ERR_USAGE: `file:line:column: key: what; remedy` with the nearest valid name. SP_ERR_ENVIRONMENT: a file that cannot
// be read. *scenario is allocated; free with sp_scenario_free. Not thread-safe, blocks on files only.
enum sp_err sp_scenario_load(const char *path, const char *const *overlays, size_t n_overlays,
                             const struct sp_setting *settings, size_t n_settings,
                             struct sp_scenario **scenario, struct sp_error *error);
void sp_scenario_free(struct sp_scenario *scenario);

// Where dir is itself a version's folder (models/fraud/2, and no versions in it), it becomes dir and version.
void sp_model_settle_version(struct sp_model_conf *model);

// The folder of the model's version and its number: model.version, or for 0 the highest number in model.dir. *version_dir from
// malloc. SP_ERR_ENVIRONMENT: the folder cannot be read or holds no (or not that) version, naming those it holds.
enum sp_err sp_model_version_dir(const struct sp_model_conf *model, uint64_t *version, char **version_dir,
                                 struct sp_error *error);

// The side of that name, or the first for NULL; NULL if there is none.
const struct sp_side *sp_scenario_side(const struct sp_scenario *scenario, const char *name);

// The scenario as trials of that side have it: the side's transport, broker and model in place of the common ones. It shares all that it points to
// with `scenario`, lives no longer, and is not freed. Of one that is such a view already: the same again.
struct sp_scenario sp_scenario_of_side(const struct sp_scenario *scenario, const struct sp_side *side);
// How events reach that side: "direct", "mock", "kafka" or "HOST:PORT". Borrowed.
const char *sp_scenario_way(const struct sp_scenario *scenario, const struct sp_side *side);
// Whether two sides answer by one version of one model, in whichever of its files.
bool sp_scenario_is_one_model(const struct sp_scenario *scenario, const struct sp_side *a,
                              const struct sp_side *b);

#endif
