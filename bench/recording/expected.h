// Expected predictions: expected/MODEL-VERSION.jsonl beside a recording. First line a header, then a line per event:
// {"schema":"servepath.expected/1","model":…,"version":…,"recording":…,"recording_digest":…,"model_digests":{FILE:DIGEST},
//  "tensor":…,"n":…,"source":…} and {"i":0,"v":[…]}. An event may be missing (unchecked) or have "outcome":"malformed".
#ifndef SP_RECORDING_EXPECTED_H
#define SP_RECORDING_EXPECTED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct sp_expected_digest {
  char *file;   // relative to the model's version folder
  char *digest; // sp_digest_file
};

struct sp_expected {
  char *source; // "self" where verify --update wrote it
  char *tensor;
  char *recording_digest;
  size_t n_events;      // of the recording
  size_t n_values;      // values per event (row elements), the same for all
  double *values;       // n_events x n_values; NaN where the file says null
  unsigned char *known; // per event: 0 nothing expected, 1 values, 2 malformed expected
  size_t n_digests;
  struct sp_expected_digest *digests;
};

// `n_events`: of the recording; more lines, or an index beyond it, is refused. SP_ERR_ENVIRONMENT with line number.
// *expected is NULL with SP_OK where the file does not exist.
enum sp_err sp_expected_load(const char *path, size_t n_events, struct sp_expected **expected,
                             struct sp_error *error);
void sp_expected_free(struct sp_expected *expected);
// SP_OK if it holds for this recording and this model file (name relative to the version folder, digest); otherwise
// SP_ERR_ENVIRONMENT naming what differs and `servepath verify --update`.
enum sp_err sp_expected_holds_for(const struct sp_expected *expected, const char *recording_digest,
                                  const char *model_file, const char *model_digest, struct sp_error *error);
// The digest of every file in a model's version folder and in its folders, by name; hidden files are left out.
// SP_ERR_ENVIRONMENT: the folder or a file cannot be read, or there is none.
enum sp_err sp_expected_digests(const char *version_dir, struct sp_expected_digest **digests,
                                size_t *n_digests, struct sp_error *error);
void sp_expected_digests_free(struct sp_expected_digest *digests, size_t n_digests);
// Writes a file marked `source: self`; refuses (SP_ERR_USAGE) to replace one whose source is not "self".
enum sp_err sp_expected_save(const char *path, const struct sp_expected *expected, const char *model,
                             const char *version, const char *recording, struct sp_error *error);

#endif
