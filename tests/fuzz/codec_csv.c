// Fuzzing the CSV decoder: any bytes are either decoded or malformed with a reason, and decoding them again gives the same.
// tests/fuzz/codec.sh builds and runs it.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/codec.h"

#define N_TENSORS 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct sp_decoder *make_decoder(void) {
  char path[] = "/tmp/sp-fuzz-XXXXXX";
  int file = mkstemp(path);
  SP_ASSERT(file >= 0 && write(file, "A\nB\n\"\n", 6) == 6 && close(file) == 0);
  struct sp_column_conf reals[] = {{.column = "a"}, {.column = "b", .missing = "nan", .unknown = "-1"}};
  struct sp_column_conf wholes[] = {
      {.column = "c"},
      {.column = "d", .vocabulary = path, .missing = "own_code", .unknown = "own_code"},
      {.column = "d", .one_hot = path, .missing = "0", .unknown = "own_code"}};
  struct sp_input_tensor_conf tensors[N_TENSORS] = {
      {.name = "x", .dtype = "float32", .shape = {(int64_t[]){1, 2}, 2}, .columns = {reals, 2}},
      {.name = "y", .dtype = "int64", .shape = {(int64_t[]){1, 6}, 2}, .columns = {wholes, 3}}};
  struct sp_input_conf conf = {.header = {(char *[]){"a", "b", "c", "d", "e"}, 5},
                               .tensors = {tensors, N_TENSORS}};
  struct sp_decoder *decoder = NULL;
  SP_ASSERT(sp_decoder_new(&conf, &decoder, NULL) == SP_OK);
  unlink(path);
  return decoder;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  static struct sp_decoder *decoder; // one for the whole run, never freed
  static struct sp_scratch *scratch;
  if (!decoder) {
    decoder = make_decoder();
    scratch = sp_scratch_new();
  }
  size_t n_tensors;
  const struct sp_tensor_spec *specs = sp_decoder_tensors(decoder, &n_tensors);
  struct sp_tensor storage[2 * N_TENSORS], *first[N_TENSORS], *second[N_TENSORS];
  for (size_t i = 0; i < N_TENSORS; i++) {
    sp_tensor_init(first[i] = &storage[i], &specs[i], 1);
    sp_tensor_init(second[i] = &storage[N_TENSORS + i], &specs[i], 1);
  }
  struct sp_reason reason = {""};
  enum sp_outcome outcome = sp_decode(decoder, scratch, sp_bytes_of(data, n), first, 0, &reason);
  SP_ASSERT(outcome == SP_OUTCOME_NONE || (outcome == SP_OUTCOME_MALFORMED && reason.text[0]));
  SP_ASSERT(sp_decode(decoder, scratch, sp_bytes_of(data, n), second, 0, &reason) == outcome);
  for (size_t i = 0; i < N_TENSORS; i++) {
    size_t n_bytes = first[i]->row_elements * sp_dtype_bytes(first[i]->spec.dtype);
    SP_ASSERT(outcome || memcmp(first[i]->data, second[i]->data, n_bytes) == 0);
    sp_tensor_done(first[i]);
    sp_tensor_done(second[i]);
  }
  return 0;
}
