// File and byte digests by xxHash.
#include "base/digest.h"

#include <errno.h>
#include <stdio.h>
#include <xxhash.h>

static void write_text(XXH128_hash_t hash, char text[SP_DIGEST_TEXT_BYTES]) {
  snprintf(text, SP_DIGEST_TEXT_BYTES, "xxh128:%016llx%016llx", (unsigned long long)hash.high64,
           (unsigned long long)hash.low64);
}

void sp_digest_bytes(struct sp_bytes bytes, char text[SP_DIGEST_TEXT_BYTES]) {
  write_text(XXH3_128bits(bytes.data, bytes.n), text);
}

enum sp_err sp_digest_file(const char *path, char text[SP_DIGEST_TEXT_BYTES], struct sp_error *error) {
  FILE *file = fopen(path, "rb");
  if (!file) return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot open %s (%s)", path, strerror(errno));
  XXH3_state_t *state = XXH3_createState();
  SP_ASSERT(state && XXH3_128bits_reset(state) == XXH_OK);
  char chunk[65536];
  for (size_t n; (n = fread(chunk, 1, sizeof chunk, file)) > 0;) XXH3_128bits_update(state, chunk, n);
  int failed = ferror(file);
  write_text(XXH3_128bits_digest(state), text);
  XXH3_freeState(state);
  fclose(file);
  return failed ? sp_fail(error, SP_ERR_ENVIRONMENT, "cannot read %s (%s)", path, strerror(errno)) : SP_OK;
}
