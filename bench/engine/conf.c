// The keys of an engine and their defaults.
#include "engine/conf.h"

// A row is a key.
// clang-format off

#define ENGINE(field) offsetof(struct sp_engine_conf, field)
static const struct sp_key engine_keys[] = {
    {"engine", SP_KIND_TEXT, ENGINE(engine), "onnxruntime", NULL, NULL, "--engine", "library that runs the model in the application: onnxruntime or openvino"},
    {"model_file", SP_KIND_TEXT, ENGINE(model_file), NULL, NULL, NULL, NULL, "which file of the version folder to load (saved_model.pb); default: the first that the engine reads, model.onnx before others"},
    {"intra_threads", SP_KIND_COUNT, ENGINE(intra_threads), "1", NULL, NULL, NULL, "threads inside one inference"},
    {"model_load", SP_KIND_CHOICE, ENGINE(model_load), "once", "once per-event", NULL, "--model-load", "per-event: load the model anew for every event, as some demos do, to show what it costs"},
    {0},
};
const struct sp_table sp_engine_table = {"engine", engine_keys, sizeof(struct sp_engine_conf), NULL};
