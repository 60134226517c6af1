// Declarations of codecs as tests write them, and one event through them.
#ifndef SUPPORT_CODEC_BED_H
#define SUPPORT_CODEC_BED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec/codec.h"

#define CODEC_PATH_BYTES 64

// A file with this text, in a folder of its own; removed with codec_remove.
struct codec_file {
  char dir[32];
  char path[CODEC_PATH_BYTES];
};
void codec_write(struct codec_file *file, const char *text);
void codec_remove(const struct codec_file *file);

// A decoder, its scratch, and tensors of two rows.
struct codec_bed {
  struct sp_decoder *decoder;
  struct sp_scratch *scratch;
  struct sp_tensor storage[SP_TENSORS_MAX];
  struct sp_tensor *tensors[SP_TENSORS_MAX];
  size_t n_tensors;
  struct sp_reason reason;
};
void codec_open(struct codec_bed *bed, const struct sp_input_conf *conf);
void codec_close(struct codec_bed *bed);

// Decodes into row 1 (row 0 keeps its zeros) of memory that was filled with other values before.
enum sp_outcome codec_decode(struct codec_bed *bed, struct sp_bytes value);
void codec_gives(struct codec_bed *bed, const char *event, const double *values, size_t n); // of tensor 0
void codec_is_malformed(struct codec_bed *bed, const char *event, const char *reason);
// A declaration that is refused with a text that holds `said`.
void codec_refuses(const struct sp_input_conf *conf, const char *said);

#define GIVES(bed, event, ...)                                                                               \
  codec_gives(bed, event, (const double[]){__VA_ARGS__},                                                     \
              sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

#endif
