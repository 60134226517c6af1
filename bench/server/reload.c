// The thread that looks at the models' folders.
#include "server/reload.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/gate.h"
#include "os/thread.h"
#include "server/versions.h"

#define RECLAIM_NS (2 * SP_NS_PER_MS) // while something waits for its last call

struct known { // a version folder
  uint64_t version;
  uint64_t seen;  // its print at the last look
  uint64_t tried; // that at which it was loaded or refused; 0: never
};

struct watched { // a model
  const struct sp_source *source;
  bool is_lost; // its folder could not be read, which was said
  size_t n;
  struct known *known;
};

struct change {
  size_t n_gone, n_come;
  struct sp_served **gone, **come;
};

struct sp_reload {
  struct sp_reload_env env;
  size_t n;
  struct watched *watched;
  struct sp_gate gate;
  _Atomic bool ends;
  struct sp_thread thread;
};

static struct sp_served *served_of(const struct sp_reload *reload, const struct watched *watched,
                                   uint64_t version) {
  const struct sp_asked asked = {sp_bytes_of_text(watched->source->name), {0}, (int64_t)version};
  char text[64];
  return sp_models_find(sp_current_models(reload->env.current), &asked, text, sizeof text);
}

static void add(struct sp_served ***list, size_t *n, struct sp_served *served) {
  if (!served) return;
  *list = sp_realloc(*list, (*n + 1) * sizeof(struct sp_served *));
  (*list)[(*n)++] = served;
}

// --- One version ---

static void load(const struct sp_reload *reload, const struct watched *watched, struct known *known,
                 struct change *change) {
  const struct sp_source *source = watched->source;
  struct sp_served *served;
  struct sp_error error;
  enum sp_err err =
      sp_served_load(&reload->env.told->loading, source->name, source->dir, known->version, &served, &error);
  uint64_t after = sp_versions_print(source->dir, known->version);
  if (after != known->seen) { // it changed meanwhile: whatever was read may be half of it
    if (!err) sp_served_free(served);
    known->seen = after;
    return;
  }
  known->tried = known->seen;
  if (err) {
    fprintf(stderr, "servepath: model-server: model %s version %llu is left out until its files change: %s\n",
            source->name, (unsigned long long)known->version, error.text);
    return;
  }
  add(&change->gone, &change->n_gone, served_of(reload, watched, known->version));
  add(&change->come, &change->n_come, served);
}

static struct known *known_of(struct watched *watched, const struct sp_version_seen *seen) {
  for (size_t i = 0; i < watched->n; i++) {
    if (watched->known[i].version == seen->version) return &watched->known[i];
  }
  watched->known = sp_realloc(watched->known, (watched->n + 1) * sizeof *watched->known);
  watched->known[watched->n] = (struct known){.version = seen->version};
  return &watched->known[watched->n++];
}

static void look_at_version(const struct sp_reload *reload, struct watched *watched,
                            const struct sp_version_seen *seen, struct change *change) {
  struct known *known = known_of(watched, seen);
  bool is_settled = known->seen == seen->print;
  known->seen = seen->print;
  if (is_settled && known->tried != seen->print) load(reload, watched, known, change);
}

// --- One model ---

static void drop_missing(const struct sp_reload *reload, struct watched *watched,
                         const struct sp_version_seen *seen, size_t n_seen, struct change *change) {
  size_t n_left = 0;
  for (size_t i = 0; i < watched->n; i++) {
    size_t at = 0;
    while (at < n_seen && seen[at].version != watched->known[i].version) at++;
    if (at < n_seen)
      watched->known[n_left++] = watched->known[i];
    else
      add(&change->gone, &change->n_gone, served_of(reload, watched, watched->known[i].version));
  }
  watched->n = n_left;
}

static void look_at_model(const struct sp_reload *reload, struct watched *watched, struct change *change) {
  const struct sp_source *source = watched->source;
  struct sp_version_seen *seen;
  size_t n;
  struct sp_error error;
  if (sp_versions_look(source->dir, &seen, &n, &error)) {
    if (!watched->is_lost) {
      fprintf(stderr, "servepath: model-server: model %s stays as it is: %s\n", source->name, error.text);
    }
    watched->is_lost = true;
    return;
  }
  watched->is_lost = false;
  size_t n_asked = 0;
  for (size_t i = 0; i < n; i++) {
    if (!source->only || seen[i].version == source->only) seen[n_asked++] = seen[i];
  }
  drop_missing(reload, watched, seen, n_asked, change);
  for (size_t i = 0; i < n_asked; i++) look_at_version(reload, watched, &seen[i], change);
  free(seen);
}

static void say(const struct change *change) {
  for (size_t i = 0; i < change->n_come; i++) {
    const struct sp_served *come = change->come[i];
    fprintf(stderr, "servepath: model-server: model %s version %llu is served\n", come->name,
            (unsigned long long)come->version);
  }
  for (size_t i = 0; i < change->n_gone; i++) {
    const struct sp_served *gone = change->gone[i];
    bool is_replaced = false;
    for (size_t k = 0; k < change->n_come; k++) {
      const struct sp_served *come = change->come[k];
      is_replaced = is_replaced || (come->version == gone->version && strcmp(come->name, gone->name) == 0);
    }
    if (is_replaced) continue;
    fprintf(stderr, "servepath: model-server: model %s version %llu is gone\n", gone->name,
            (unsigned long long)gone->version);
  }
}

static void look(const struct sp_reload *reload) {
  struct change change = {0};
  for (size_t i = 0; i < reload->n && !atomic_load(&reload->ends); i++)
    look_at_model(reload, &reload->watched[i], &change);
  if (change.n_gone + change.n_come) {
    struct sp_current *current = reload->env.current;
    sp_current_replace(
        current,
        sp_models_changed(sp_current_models(current), change.gone, change.n_gone, change.come, change.n_come),
        change.gone, change.n_gone);
    say(&change);
    reload->env.changed(reload->env.context);
  }
  free(change.gone);
  free(change.come);
}

// --- The thread ---

static void run(void *context) {
  struct sp_reload *reload = context;
  int64_t next_ns = sp_now_ns() + reload->env.period_ns;
  for (;;) {
    uint32_t seen = sp_gate_look(&reload->gate);
    if (atomic_load(&reload->ends)) return;
    int64_t now_ns = sp_now_ns();
    if (now_ns >= next_ns) {
      look(reload);
      next_ns = sp_now_ns() + reload->env.period_ns;
      continue;
    }
    bool is_clean = sp_current_reclaim(reload->env.current);
    int64_t until_ns = is_clean || next_ns - now_ns < RECLAIM_NS ? next_ns : now_ns + RECLAIM_NS;
    sp_gate_wait(&reload->gate, seen, SP_WAIT_PARK, until_ns);
  }
}

// What was loaded at the start: a folder that has changed since then is another.
static void watch(struct sp_reload *reload, const struct sp_source *source) {
  struct watched *watched = &reload->watched[reload->n++];
  watched->source = source;
  const struct sp_models *models = sp_current_models(reload->env.current);
  for (size_t i = 0; i < models->n; i++) {
    const struct sp_served *served = models->items[i];
    if (served_of(reload, watched, served->version) != served) continue;
    struct known *known = known_of(watched, &(struct sp_version_seen){served->version, 0});
    known->seen = known->tried = served->print;
  }
}

enum sp_err sp_reload_new(const struct sp_reload_env *env, struct sp_reload **made, struct sp_error *error) {
  struct sp_reload *reload = sp_alloc(sizeof *reload);
  reload->env = *env;
  reload->watched = sp_alloc((env->told->n_sources + 1) * sizeof *reload->watched);
  for (size_t i = 0; i < env->told->n_sources; i++) watch(reload, &env->told->sources[i]);
  enum sp_err err = sp_thread_start(&reload->thread, "sp-reload", NULL, run, reload, error);
  if (err)
    sp_reload_free(reload);
  else
    *made = reload;
  return err;
}

void sp_reload_free(struct sp_reload *reload) {
  if (!reload) return;
  atomic_store(&reload->ends, true);
  sp_gate_wake(&reload->gate, INT_MAX);
  sp_thread_join(&reload->thread);
  for (size_t i = 0; i < reload->n; i++) free(reload->watched[i].known);
  free(reload->watched);
  free(reload);
}
