// What a side may say about its engine.
#ifndef SP_ENGINE_CONF_H
#define SP_ENGINE_CONF_H

#include "base/conf.h"

// The second is what some demos do; here to show what it costs.
enum sp_model_load { SP_MODEL_LOAD_ONCE, SP_MODEL_LOAD_PER_EVENT };

struct sp_engine_conf {
  char *engine;           // "onnxruntime", "openvino"
  char *model_file;       // "saved_model.pb"; NULL: the first of those that the engine reads
  uint64_t intra_threads; // threads inside one inference
  int model_load;         // enum sp_model_load
};
extern const struct sp_table sp_engine_table; // struct sp_engine_conf

#endif
