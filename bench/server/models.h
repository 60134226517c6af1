// What the server serves: sets of versions that never change. A new one takes the old one's place (reload.h) while calls go on.
#ifndef SP_SERVER_MODELS_H
#define SP_SERVER_MODELS_H

#include "base/bytes.h"
#include "server/served.h"

// What was said at the start, and holds until the end.
struct sp_source {  // a model
  char *name, *dir; // dir NULL: a stub's
  uint64_t only;    // the one version served; 0: all that are there
};
struct sp_label {
  char *name;
  uint64_t version;
};
struct sp_told {
  size_t n_sources, n_labels;
  struct sp_source *sources;
  struct sp_label *labels;
  struct sp_loading loading;
};
// SP_ERR_USAGE: a name twice or too long, no folder for what is no stub, a label without a version. Fills *told even then.
enum sp_err sp_told_init(struct sp_told *told, const struct sp_server_env *env, size_t n_workers,
                         struct sp_error *error);
void sp_told_done(struct sp_told *told);

struct sp_models {
  const struct sp_told *told; // borrowed
  size_t n;
  struct sp_served *
      *items; // owned by who holds the newest set; in order of the sources, then by version, rising
};

// Every version that is there. SP_ERR_ENVIRONMENT: none, or one that cannot be loaded.
enum sp_err sp_models_load(const struct sp_told *told, const struct sp_server_env *env,
                           struct sp_models **models, struct sp_error *error);
// The same without the versions in `gone` and with those in `come`, which take the place of their like.
struct sp_models *sp_models_changed(const struct sp_models *models, struct sp_served *const *gone,
                                    size_t n_gone, struct sp_served *const *come, size_t n_come);
void sp_models_free(struct sp_models *models); // not the versions; NULL is allowed

// Which version a caller means.
struct sp_asked {
  struct sp_bytes name;
  struct sp_bytes label; // data NULL: none
  int64_t version;       // 0: the highest
};
// NULL with why, and what there is instead, in text.
struct sp_served *sp_models_find(const struct sp_models *models, const struct sp_asked *asked, char *text,
                                 size_t n_text);
enum sp_presence { SP_PRESENCE_UNKNOWN, SP_PRESENCE_EMPTY, SP_PRESENCE_SERVED };
// Whether a model of that name is known, and has a version now.
enum sp_presence sp_models_presence(const struct sp_models *models, const char *name);

#endif
