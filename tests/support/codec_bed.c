// Codecs under test.
#include "support/codec_bed.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void codec_write(struct codec_file *file, const char *text) {
  snprintf(file->dir, sizeof file->dir, "/tmp/sp-codec-XXXXXX");
  assert_non_null(mkdtemp(file->dir));
  snprintf(file->path, sizeof file->path, "%s/words", file->dir);
  FILE *out = fopen(file->path, "wb");
  assert_non_null(out);
  assert_int_equal(fwrite(text, 1, strlen(text), out), strlen(text));
  assert_int_equal(fclose(out), 0);
}

void codec_remove(const struct codec_file *file) {
  assert_int_equal(unlink(file->path), 0);
  assert_int_equal(rmdir(file->dir), 0);
}

void codec_open(struct codec_bed *bed, const struct sp_input_conf *conf) {
  struct sp_error error;
  *bed = (struct codec_bed){0};
  if (sp_decoder_new(conf, &bed->decoder, &error)) fail_msg("%s", error.text);
  const struct sp_tensor_spec *specs = sp_decoder_tensors(bed->decoder, &bed->n_tensors);
  for (size_t i = 0; i < bed->n_tensors; i++) {
    sp_tensor_init(&bed->storage[i], &specs[i], 2);
    bed->tensors[i] = &bed->storage[i];
  }
  bed->scratch = sp_scratch_new();
}

void codec_close(struct codec_bed *bed) {
  for (size_t i = 0; i < bed->n_tensors; i++) sp_tensor_done(&bed->storage[i]);
  sp_scratch_free(bed->scratch);
  sp_decoder_free(bed->decoder);
}

// A copy without anything behind it, so that a sanitizer sees a read past its end.
enum sp_outcome codec_decode(struct codec_bed *bed, struct sp_bytes value) {
  uint8_t *copy = NULL;
  if (value.data) {
    copy = malloc(value.n ? value.n : 1);
    assert_non_null(copy);
    memcpy(copy, value.data, value.n);
  }
  for (size_t i = 0; i < bed->n_tensors; i++) {
    size_t n = bed->storage[i].row_elements * sp_dtype_bytes(bed->storage[i].spec.dtype);
    memset((uint8_t *)bed->storage[i].data + n, 0x2a, n);
  }
  bed->reason.text[0] = 0;
  enum sp_outcome outcome =
      sp_decode(bed->decoder, bed->scratch, sp_bytes_of(copy, value.n), bed->tensors, 1, &bed->reason);
  free(copy);
  for (size_t i = 0; i < bed->n_tensors; i++) {
    for (size_t k = 0; k < bed->storage[i].row_elements; k++)
      assert_true(sp_tensor_get(&bed->storage[i], 0, k) == 0);
  }
  return outcome;
}

void codec_gives(struct codec_bed *bed, const char *event, const double *values, size_t n) {
  if (codec_decode(bed, sp_bytes_of_text(event))) fail_msg("%s: malformed: %s", event, bed->reason.text);
  assert_int_equal(bed->storage[0].row_elements, n);
  for (size_t i = 0; i < n; i++) {
    double given = sp_tensor_get(&bed->storage[0], 1, i);
    if (!(given == values[i] || (isnan(given) && isnan(values[i])))) {
      fail_msg("%s: element %zu is %.17g, not %.17g", event, i, given, values[i]);
    }
  }
}

void codec_is_malformed(struct codec_bed *bed, const char *event, const char *reason) {
  struct sp_bytes value = event ? sp_bytes_of_text(event) : (struct sp_bytes){NULL, 0};
  if (codec_decode(bed, value) != SP_OUTCOME_MALFORMED) fail_msg("%s: is taken", event ? event : "NULL");
  if (strcmp(bed->reason.text, reason) != 0)
    fail_msg("%s: \"%s\", not \"%s\"", event ? event : "NULL", bed->reason.text, reason);
}

void codec_refuses(const struct sp_input_conf *conf, const char *said) {
  struct sp_decoder *decoder = NULL;
  struct sp_error error = {.code = SP_OK};
  enum sp_err err = sp_decoder_new(conf, &decoder, &error);
  if (!err) fail_msg("is taken, but should be refused: %s", said);
  assert_null(decoder);
  if (!strstr(error.text, said)) fail_msg("\"%s\" does not say \"%s\"", error.text, said);
}
