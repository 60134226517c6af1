// Roles to processors.
#include "trial/placement.h"

#include <stdio.h>
#include <string.h>

static void write_text(struct sp_placement *placement) {
  char driver[32], app[32], server[32], broker[32];
  if (sp_cpus_is_empty(&placement->driver) && sp_cpus_is_empty(&placement->app) &&
      sp_cpus_is_empty(&placement->server) && sp_cpus_is_empty(&placement->broker)) {
    snprintf(placement->text, sizeof placement->text, "none");
    return;
  }
  snprintf(placement->text, sizeof placement->text, "driver=%s,app=%s,server=%s",
           sp_cpus_text(&placement->driver, driver, sizeof driver),
           sp_cpus_text(&placement->app, app, sizeof app),
           sp_cpus_text(&placement->server, server, sizeof server));
  if (CPU_EQUAL(&placement->broker.set, &placement->driver.set)) return;
  size_t n = strlen(placement->text);
  snprintf(placement->text + n, sizeof placement->text - n, ",broker=%s",
           sp_cpus_text(&placement->broker, broker, sizeof broker));
}

static void place_as_standard(struct sp_placement *placement) {
  struct sp_cpus allowed;
  sp_cpus_allowed(&allowed);
  if (sp_cpus_count(&allowed) < 2) return;
  int first = sp_cpus_nth(&allowed, 0);
  placement->driver = sp_cpus_one(first);
  CPU_CLR((size_t)first, &allowed.set);
  placement->app = placement->server = allowed;
}

enum sp_err sp_placement_resolve(const struct sp_trial_conf *conf, struct sp_placement *placement,
                                 struct sp_error *error) {
  static const char *const roles[] = {"driver", "app", "server", "broker"};
  struct sp_cpus cpus[4], allowed;
  memset(placement, 0, sizeof *placement);
  sp_cpus_allowed(&allowed);
  sp_cpus_text(&allowed, placement->allowed, sizeof placement->allowed);
  if (!conf->cpus) {
    place_as_standard(placement);
  } else {
    enum sp_err err = sp_cpus_parse_roles("placement.cpus", conf->cpus, roles, 4, cpus, error);
    if (err) return err;
    placement->driver = cpus[0];
    placement->app = cpus[1];
    placement->server = cpus[2];
    placement->broker = cpus[3];
  }
  if (sp_cpus_is_empty(&placement->broker)) placement->broker = placement->driver;
  write_text(placement);
  return SP_OK;
}
