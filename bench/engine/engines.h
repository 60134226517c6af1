// The engines that exist, one per file, and one line each here: engine(NAME) stands for sp_engine_NAME_ops.
#ifndef SP_ENGINE_ENGINES_H
#define SP_ENGINE_ENGINES_H

#include "engine/engine.h"

// clang-format off
#define SP_ENGINES(engine) \
  engine(onnxruntime)      \
  engine(openvino)
// clang-format on

#define SP_ENGINE_DECLARE(name) extern const struct sp_engine_ops sp_engine_##name##_ops;
SP_ENGINES(SP_ENGINE_DECLARE)
#undef SP_ENGINE_DECLARE

// The i-th of them; NULL beyond the last.
const struct sp_engine_ops *sp_engine_nth(size_t i);

#endif
