// The application of a scenario's side: the model's folder found, the path opened, every request prepared. The same for the
// driver (direct) and for a process of its own (Kafka).
#ifndef SP_APP_SIDE_H
#define SP_APP_SIDE_H

#include "app/app.h"
#include "scenario/scenario.h"

struct sp_app_side {
  struct sp_app *app;
  uint64_t model_version; // 0: noop
  char *version_dir;      // NULL: noop
};

// Zeroes and fills *opened, which borrows everything that it is given. server_address: path rpc; NULL otherwise. Errors as
// sp_model_version_dir and sp_app_new; *opened needs sp_app_side_close all the same.
enum sp_err sp_app_side_open(struct sp_app_side *opened, const struct sp_scenario *scenario,
                             const struct sp_side *side, const char *server_address,
                             const struct sp_clock *clock, struct sp_error *error);
void sp_app_side_close(struct sp_app_side *opened); // after sp_app_stop; zeroed is allowed

#endif
