// Text -> word indices, by the steps that a scenario declares: steps on characters (Unicode code points) first, then the text
// is split at whitespace, then steps on words, a vocabulary, padding.
#ifndef SP_CODEC_TEXT_H
#define SP_CODEC_TEXT_H

#include "base/conf.h"
#include "base/err.h"
#include "base/tensor.h"
#include "codec/scratch.h"

struct sp_text;
// steps: struct sp_step_conf. SP_ERR_USAGE naming the step that is empty, twofold or out of order, the vocabulary without
// <unk>, the length that differs from the tensor's.
enum sp_err sp_text_new(const struct sp_list *steps, const struct sp_tensor_spec *spec, struct sp_text **text,
                        struct sp_error *error);
void sp_text_free(struct sp_text *text);
// scratch->points[0] holds n_points code points, which are used up. Fills the row.
void sp_text_run(const struct sp_text *text, struct sp_scratch *scratch, size_t n_points, void *row);

#endif
