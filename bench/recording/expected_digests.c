// What a model's version folder holds, so that predictions are known to be of this model whichever path loads it.
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "recording/expected.h"

#define DEPTH_MOST 8 // folders within folders; a link that leads back up ends here

struct walk {
  const char *version_dir;
  struct sp_expected_digest *digests;
  size_t n;
};

static int is_visible(const struct dirent *entry) {
  return entry->d_name[0] != '.';
}

static enum sp_err add_file(struct walk *walk, const char *name, const char *path, struct sp_error *error) {
  char digest[SP_DIGEST_TEXT_BYTES];
  enum sp_err err = sp_digest_file(path, digest, error);
  if (err) return err;
  walk->digests = sp_realloc(walk->digests, (walk->n + 1) * sizeof *walk->digests);
  walk->digests[walk->n++] = (struct sp_expected_digest){sp_copy_text(name), sp_copy_text(digest)};
  return SP_OK;
}

static enum sp_err add_folder(struct walk *walk, const char *folder, int depth, struct sp_error *error);

// `name`: relative to the version folder.
static enum sp_err add(struct walk *walk, const char *name, int depth, struct sp_error *error) {
  char *path = sp_format("%s/%s", walk->version_dir, name);
  struct stat facts;
  enum sp_err err = SP_OK;
  if (stat(path, &facts) != 0)
    err = sp_fail(error, SP_ERR_ENVIRONMENT, "cannot read %s (%s)", path, strerror(errno));
  else if (S_ISDIR(facts.st_mode))
    err = add_folder(walk, name, depth + 1, error);
  else if (S_ISREG(facts.st_mode))
    err = add_file(walk, name, path, error);
  free(path);
  return err;
}

static enum sp_err add_folder(struct walk *walk, const char *folder, int depth, struct sp_error *error) {
  char *path = sp_format("%s%s%s", walk->version_dir, *folder ? "/" : "", folder);
  struct dirent **entries = NULL;
  int n = depth > DEPTH_MOST ? (errno = ELOOP, -1) : scandir(path, &entries, is_visible, alphasort);
  enum sp_err err = SP_OK;
  if (n < 0) err = sp_fail(error, SP_ERR_ENVIRONMENT, "cannot read %s (%s)", path, strerror(errno));
  for (int i = 0; i < n; i++) {
    char *name = sp_format("%s%s%s", folder, *folder ? "/" : "", entries[i]->d_name);
    if (!err) err = add(walk, name, depth, error);
    free(name);
    free(entries[i]);
  }
  free(entries);
  free(path);
  return err;
}

enum sp_err sp_expected_digests(const char *version_dir, struct sp_expected_digest **digests,
                                size_t *n_digests, struct sp_error *error) {
  struct walk walk = {.version_dir = version_dir};
  enum sp_err err = add_folder(&walk, "", 0, error);
  if (!err && walk.n == 0)
    err = sp_fail(error, SP_ERR_ENVIRONMENT, "%s: no model file in this folder", version_dir);
  if (err) {
    sp_expected_digests_free(walk.digests, walk.n);
    return err;
  }
  *digests = walk.digests;
  *n_digests = walk.n;
  return SP_OK;
}

void sp_expected_digests_free(struct sp_expected_digest *digests, size_t n_digests) {
  for (size_t i = 0; i < n_digests; i++) {
    free(digests[i].file);
    free(digests[i].digest);
  }
  free(digests);
}
