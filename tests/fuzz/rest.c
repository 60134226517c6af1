// Fuzz target: any bytes as the answer of a REST server, through both protocols. The first byte chooses. Run by
// tests/fuzz/rest.sh.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "rpc/rest.h"
#include "rpc/rest_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

// The network's half is not linked, and not reached from here.
enum sp_err sp_rest_reach(const struct sp_rest_link *link, const char *path, struct sp_rest_answer *answer,
                          struct sp_error *error) {
  (void)link, (void)path, (void)answer, (void)error;
  abort();
}
void sp_rest_ask(const struct sp_rest_link *link, const char *path, struct sp_bytes body, int64_t timeout_ns,
                 struct sp_rest_answer *answer) {
  (void)link, (void)path, (void)body, (void)timeout_ns, (void)answer;
  abort();
}
char *sp_rest_escape(const char *name) {
  (void)name;
  abort();
}

#define N_ROWS 3
static const struct sp_tensor_spec specs[] = {
    {"score", SP_DTYPE_FLOAT32, 2, {1, 1}},  {"score", SP_DTYPE_INT64, 1, {1}},
    {"score", SP_DTYPE_BOOL, 3, {1, 2, 2}},  {"score", SP_DTYPE_FLOAT64, 2, {1, 4}},
    {"score", SP_DTYPE_UINT8, 4, {1, 1, 2}},
};

static void read_reply(const struct sp_rest_protocol *protocol, struct sp_bytes reply, size_t choice) {
  struct sp_tensor output;
  char text[120] = "";
  sp_tensor_init(&output, &specs[choice % (sizeof specs / sizeof specs[0])], N_ROWS);
  size_t n_rows = 1 + choice % N_ROWS;
  bool is_read = protocol->read_reply(reply, &output, n_rows, text, sizeof text);
  SP_ASSERT(is_read == !*text);
  for (size_t i = 0; is_read && i < n_rows * output.row_elements; i++) {
    double value = sp_tensor_get(&output, i / output.row_elements, i % output.row_elements);
    SP_ASSERT(value - value == 0); // finite
  }
  sp_tensor_done(&output);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  if (!n) return 0;
  // Exactly as long as it is, so that a read beyond its end is seen.
  uint8_t *copy = malloc(n);
  memcpy(copy, data + 1, n - 1);
  struct sp_bytes reply = sp_bytes_of(copy, n - 1);
  const struct sp_rest_protocol *protocol = data[0] & 1 ? &sp_rest_tfs : &sp_rest_kserve;
  char text[120];
  if (data[0] & 2) {
    struct sp_signature signature = {0};
    if (protocol->read_outputs(reply, "", &signature, text, sizeof text))
      SP_ASSERT(signature.n_outputs > 0 && signature.n_outputs <= SP_TENSORS_MAX);
  } else {
    read_reply(protocol, reply, data[0] >> 2);
  }
  SP_ASSERT(strlen(sp_rest_error_text(reply, text, sizeof text)) < sizeof text);
  free(copy);
  return 0;
}
