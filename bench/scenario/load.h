// Loading with all that a command line knows; sp_scenario_load is the short form.
#ifndef SP_SCENARIO_LOAD_H
#define SP_SCENARIO_LOAD_H

#include "scenario/scenario.h"

struct sp_load_request {
  const char *path;
  const char *const *overlays;
  size_t n_overlays;
  const struct sp_setting *settings;
  size_t n_settings;
  const char *const
      *measured; // names of the sides that will run: only their deadlines bound the drain; none: all
  size_t n_measured;
};
enum sp_err sp_scenario_load_for(const struct sp_load_request *request, struct sp_scenario **scenario,
                                 struct sp_error *error);

#endif
