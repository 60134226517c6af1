// Inside import/: a user's model into the folder of a new scenario.
#ifndef SP_IMPORT_NEW_MODEL_H
#define SP_IMPORT_NEW_MODEL_H

#include <signal.h>

#include "engine/engine.h"

// Copies what `from` names into version_dir, which is made: model.onnx (with weights of the name FILE.data or FILE_data beside
// it), model.tflite, or a folder that holds one of them or saved_model.pb (all of it, but for hidden files). SP_ERR_ENVIRONMENT:
// it cannot be read, is a folder without a model, or the disk. `stop`: as in import.h.
enum sp_err sp_new_model_copy(const char *from, const char *version_dir, const volatile sig_atomic_t *stop,
                              struct sp_error *error);
// Opens it with the first engine that reads such files; *name is the engine's. Errors begin with `from`.
enum sp_err sp_new_model_open(const char *from, const char *version_dir, struct sp_engine **engine,
                              const char **name, struct sp_error *error);

#endif
