// Where an engine's shared library is looked for. For the engines of this folder.
#ifndef SP_ENGINE_LIBRARY_H
#define SP_ENGINE_LIBRARY_H

#include "base/err.h"

struct sp_engine_library {
  const char *title;    // "ONNX Runtime"
  const char *variable; // of the environment, naming a copy: "SERVEPATH_ONNXRUNTIME"
  const char *beside;   // path from the executable's folder, where scripts/setup puts it
  const char *name;     // for the system's loader, where neither is there: "libonnxruntime.so"
  const char *setup;    // the command that brings it: "scripts/setup"
};

// Loads it: the copy that the variable names and no other if it is set, else the one beside, else the system's. It stays
// loaded, since such libraries keep threads and thread-local data. SP_ERR_ENVIRONMENT with the loader's reason and the remedy.
enum sp_err sp_engine_library_load(const struct sp_engine_library *library, void **handle,
                                   struct sp_error *error);

#endif
