// Looks at the models' folders while the server serves: new versions are loaded and served, gone ones dropped.
//
// A new folder is loaded when two looks in a row saw it alike, so that one being copied is left alone until it is whole; one
// that cannot be loaded is said so once on stderr, and tried again when it changes. A served version whose folder changes is
// loaded anew in the same way and served as it was until then. A model folder that cannot be read changes nothing.
#ifndef SP_SERVER_RELOAD_H
#define SP_SERVER_RELOAD_H

#include "server/current.h"

struct sp_reload;

struct sp_reload_env {
  const struct sp_told *told; // outlives it
  struct sp_current *current; // from now on replaced by its thread alone
  int64_t period_ns;
  void (*changed)(void *context); // after another set took the place of the last, on its thread
  void *context;
};
enum sp_err sp_reload_new(const struct sp_reload_env *env, struct sp_reload **reload, struct sp_error *error);
// Joins its thread. What waits for a last call is left to sp_current_done. NULL is allowed.
void sp_reload_free(struct sp_reload *reload);

#endif
