// The engines that exist, one per file; engine.c lists them.
#ifndef SP_ENGINE_ENGINES_H
#define SP_ENGINE_ENGINES_H

#include "engine/engine.h"

extern const struct sp_engine_ops sp_engine_onnxruntime_ops;

#endif
