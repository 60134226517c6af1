// The keys of an engine and their defaults.
#include "engine/conf.h"

// A row is a key.
// clang-format off

#define ENGINE(field) offsetof(struct sp_engine_conf, field)
static const struct sp_key engine_keys[] = {
    {"engine", SP_KIND_TEXT, ENGINE(engine), "onnxruntime", NULL, NULL, "--engine", "library that runs the model in the application"},
    {"intra_threads", SP_KIND_COUNT, ENGINE(intra_threads), "1", NULL, NULL, NULL, "threads inside one inference"},
    {0},
};
const struct sp_table sp_engine_table = {"engine", engine_keys, sizeof(struct sp_engine_conf), NULL};
