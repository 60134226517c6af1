// Fuzz target: any bytes as each message that a peer may send: Predict's and all of KServe's by hand, the rest through
// protobuf-c with its budget. The first byte chooses. Run by tests/fuzz/rpc.sh.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "rpc/kserve.h"
#include "rpc/tfs_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define N_ELEMENTS 64

static void read_predict(struct sp_bytes message, bool is_reply) {
  struct sp_tfs_predict predict;
  const char *reason = NULL;
  bool is_read = is_reply ? sp_tfs_read_reply(message, &predict, &reason)
                          : sp_tfs_read_request(message, &predict, &reason);
  SP_ASSERT(is_read || reason);
  if (!is_read) return;
  for (size_t i = 0; i < predict.n_tensors; i++) {
    uint8_t values[N_ELEMENTS * 8];
    char text[32];
    const struct sp_tfs_tensor *tensor = &predict.tensors[i];
    for (size_t n = 1; n <= N_ELEMENTS; n *= 2) sp_tfs_read_values(tensor, n, values);
    SP_ASSERT(strlen(sp_tfs_tensor_text(tensor, text, sizeof text)) < sizeof text);
  }
}

static void read_infer(struct sp_bytes message, bool is_reply) {
  struct sp_kserve_infer infer;
  const char *reason = NULL;
  bool is_read = is_reply ? sp_kserve_read_reply(message, &infer, &reason)
                          : sp_kserve_read_request(message, &infer, &reason);
  SP_ASSERT(is_read || reason);
  if (!is_read) return;
  SP_ASSERT(infer.version >= -1);
  for (size_t i = 0; i < infer.n_tensors; i++) {
    uint8_t values[N_ELEMENTS * 8];
    char text[32];
    const struct sp_kserve_tensor *tensor = &infer.tensors[i];
    for (size_t n = 1; n <= N_ELEMENTS; n *= 2) sp_kserve_read_values(tensor, n, values);
    SP_ASSERT(strlen(sp_kserve_tensor_text(tensor, text, sizeof text)) < sizeof text);
  }
}

static void read_about_kserve(struct sp_bytes message) {
  struct sp_signature signature;
  struct sp_kserve_model_request request;
  const char *reason = NULL;
  char text[16];
  bool is_so;
  SP_ASSERT(sp_kserve_read_metadata(message, &signature, &reason) || reason);
  SP_ASSERT(signature.n_inputs <= SP_TENSORS_MAX && signature.n_outputs <= SP_TENSORS_MAX);
  sp_kserve_read_model_request(message, &request);
  sp_kserve_read_flag(message, &is_so);
  if (sp_kserve_read_server_metadata(message, text, sizeof text)) SP_ASSERT(strlen(text) < sizeof text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  if (!n) return 0;
  struct sp_bytes message = sp_bytes_of(data + 1, n - 1);
  struct sp_signature signature;
  struct sp_tfs_model_request request;
  const char *reason;
  char service[16];
  bool is_available;
  switch (data[0] % 9) {
  case 0: read_predict(message, false); break;
  case 1: read_predict(message, true); break;
  case 2: sp_tfs_read_metadata_reply(message, &signature, &reason); break;
  case 3: sp_tfs_read_status_reply(message, 1, &is_available); break;
  case 4: sp_tfs_read_metadata_request(message, &request); break;
  case 5: read_infer(message, false); break;
  case 6: read_infer(message, true); break;
  case 7: read_about_kserve(message); break;
  default: sp_health_read_request(message, service, sizeof service); break;
  }
  return 0;
}
