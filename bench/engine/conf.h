// What a side may say about its engine.
#ifndef SP_ENGINE_CONF_H
#define SP_ENGINE_CONF_H

#include "base/conf.h"

struct sp_engine_conf {
  char *engine;           // "onnxruntime"
  uint64_t intra_threads; // threads inside one inference
};
extern const struct sp_table sp_engine_table; // struct sp_engine_conf

#endif
