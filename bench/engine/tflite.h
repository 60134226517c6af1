// The names that the signature of a TFLite file gives to its tensors, which is what the model's makers called them: the graph
// itself only has names such as "serving_default_x:0" and "StatefulPartitionedCall_1:0".
#ifndef SP_ENGINE_TFLITE_H
#define SP_ENGINE_TFLITE_H

#include <stdbool.h>

struct sp_tflite;

// Reads the signature "serving_default" (the first, where none has that name) of the file; NULL where it has no signature, is
// no TFLite file or cannot be read. Hostile bytes are refused, never followed out of the file.
struct sp_tflite *sp_tflite_read(const char *file);
void sp_tflite_free(struct sp_tflite *tflite); // NULL is allowed
// The signature's name for an input (output) that the graph calls `tensor`; NULL if it has none. tflite NULL is allowed.
const char *sp_tflite_name(const struct sp_tflite *tflite, bool is_input, const char *tensor);

#endif
