// Two small models behind both REST protocols, for a http_server. "affine": x float32 [N, 3] -> twice float32 [N, 3] and sum
// float32 [N, 1] = x0 + 10 x1 + 100 x2. "two": a int64 [N, 2] and b float32 [N, 2] -> total float32 [N, 2] = a + b.
#ifndef SUPPORT_REST_MODELS_H
#define SUPPORT_REST_MODELS_H

#include "support/http_server.h"

struct rest_models {
  bool tells_nothing; // 404 to status and metadata
};
// An http_handler; context: struct rest_models, or NULL.
void rest_models_answer(struct http_exchange *exchange, void *context);

#endif
