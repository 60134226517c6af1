// Replacing the served set.
#include "server/current.h"

#include <stdlib.h>
#include <string.h>

void sp_current_init(struct sp_current *current, size_t n_readers, struct sp_models *models) {
  *current =
      (struct sp_current){.n_readers = n_readers, .readers = sp_alloc(n_readers * sizeof *current->readers)};
  atomic_store(&current->models, models);
}

void sp_current_replace(struct sp_current *current, struct sp_models *models, struct sp_served *const *gone,
                        size_t n_gone) {
  struct sp_retired *retired = sp_alloc(sizeof *retired);
  retired->models = atomic_exchange(&current->models, models);
  retired->gone = sp_alloc((n_gone + 1) * sizeof(struct sp_served *));
  if (n_gone) memcpy(retired->gone, gone, n_gone * sizeof(struct sp_served *));
  retired->n_gone = n_gone;
  retired->sections = sp_alloc(current->n_readers * sizeof *retired->sections);
  for (size_t i = 0; i < current->n_readers; i++)
    retired->sections[i] = atomic_load_explicit(&current->readers[i].sections, memory_order_seq_cst);
  retired->next = current->retired;
  current->retired = retired;
}

static bool is_unused(const struct sp_current *current, const struct sp_retired *retired) {
  for (size_t i = 0; i < current->n_readers; i++) {
    uint64_t then = retired->sections[i];
    if ((then & 1) && atomic_load_explicit(&current->readers[i].sections, memory_order_acquire) == then)
      return false;
  }
  for (size_t i = 0; i < retired->n_gone; i++) {
    if (atomic_load_explicit(&retired->gone[i]->n_held, memory_order_acquire)) return false;
  }
  return true;
}

static void retired_free(struct sp_retired *retired) {
  for (size_t i = 0; i < retired->n_gone; i++) sp_served_free(retired->gone[i]);
  sp_models_free(retired->models);
  free(retired->gone);
  free(retired->sections);
  free(retired);
}

bool sp_current_reclaim(struct sp_current *current) {
  for (struct sp_retired **at = &current->retired; *at;) {
    struct sp_retired *retired = *at;
    if (is_unused(current, retired)) {
      *at = retired->next;
      retired_free(retired);
    } else {
      at = &retired->next;
    }
  }
  return !current->retired;
}

void sp_current_done(struct sp_current *current) {
  while (current->retired) {
    struct sp_retired *retired = current->retired;
    current->retired = retired->next;
    retired_free(retired);
  }
  struct sp_models *models = atomic_load(&current->models);
  for (size_t i = 0; models && i < models->n; i++) sp_served_free(models->items[i]);
  sp_models_free(models);
  free(current->readers);
}
