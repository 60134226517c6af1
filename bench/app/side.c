// Scenario and side -> application.
#include "app/side.h"

#include <stdlib.h>
#include <string.h>

enum sp_err sp_app_side_open(struct sp_app_side *opened, const struct sp_scenario *scenario,
                             const struct sp_side *side, const char *server_address,
                             const struct sp_clock *clock, struct sp_error *error) {
  *opened = (struct sp_app_side){0};
  bool is_noop = strcmp(side->path.path, "noop") == 0;
  if (!is_noop) {
    enum sp_err err =
        sp_model_version_dir(&scenario->model, &opened->model_version, &opened->version_dir, error);
    if (err) return err;
  }
  struct sp_app_env env = {.clock = clock,
                           .conf = &side->app,
                           .input = is_noop ? NULL : &scenario->input,
                           .output = is_noop ? NULL : &scenario->output,
                           .path = side->path.path,
                           .in_flight = side->rpc.in_flight};
  env.path_env = (struct sp_path_env){.model_name = scenario->model.name,
                                      .model_version = opened->model_version,
                                      .version_label = scenario->model.label,
                                      .version_dir = opened->version_dir,
                                      .engine = &side->engine,
                                      .rpc = &side->rpc,
                                      .server_address = server_address};
  return sp_app_new(&env, &opened->app, error);
}

void sp_app_side_close(struct sp_app_side *opened) {
  sp_app_free(opened->app);
  free(opened->version_dir);
  *opened = (struct sp_app_side){0};
}
