// Digests that identify files and bytes in results: XXH3, 128 bits, written "xxh128:" and 32 hexadecimal digits.
#ifndef SP_BASE_DIGEST_H
#define SP_BASE_DIGEST_H

#include "base/bytes.h"
#include "base/err.h"

#define SP_DIGEST_TEXT_BYTES 40 // "xxh128:" + 32 + NUL

void sp_digest_bytes(struct sp_bytes bytes, char text[SP_DIGEST_TEXT_BYTES]);
// SP_ERR_ENVIRONMENT naming the file when it cannot be read.
enum sp_err sp_digest_file(const char *path, char text[SP_DIGEST_TEXT_BYTES], struct sp_error *error);

#endif
