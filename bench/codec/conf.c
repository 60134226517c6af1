// The keys of `input:` and `output:` and their defaults.
#include "codec/conf.h"

// A row is a key.
// clang-format off

#define COLUMN(field) offsetof(struct sp_column_conf, field)
static const struct sp_key column_keys[] = {
    {"column", SP_KIND_TEXT, COLUMN(column), NULL, NULL, NULL, NULL, "name of the CSV column"},
    {"vocabulary", SP_KIND_PATH, COLUMN(vocabulary), NULL, NULL, NULL, NULL,
     "levels, one a line: the value becomes its line index"},
    {"one_hot", SP_KIND_PATH, COLUMN(one_hot), NULL, NULL, NULL, NULL,
     "levels, one a line: the value becomes a slot of ones and zeros"},
    {"missing", SP_KIND_RAW, COLUMN(missing), "malformed", NULL, NULL, NULL,
     "an empty or NA field: malformed, nan, own_code or a number"},
    {"unknown", SP_KIND_RAW, COLUMN(unknown), "malformed", NULL, NULL, NULL,
     "a level not listed, a number not readable: malformed, nan, own_code or a number"},
    {0},
};
static const struct sp_table column_table = {"input.tensors[].columns[]", column_keys,
                                             sizeof(struct sp_column_conf), "column"};

static const struct sp_key replace_keys[] = {
    {"non_word", SP_KIND_TEXT, 0, NULL, NULL, NULL, NULL,
     "what each character that is no letter, number or _ becomes"},
    {0},
};
static const struct sp_table replace_table = {"input.tensors[].steps[].replace", replace_keys, sizeof(char *),
                                              NULL};

#define STEP(field) offsetof(struct sp_step_conf, field)
static const struct sp_key pad_keys[] = {
    {"side", SP_KIND_CHOICE, STEP(pad.side) - STEP(pad), "post", "post pre", NULL, NULL,
     "where zeros are added and tokens cut"},
    {"length", SP_KIND_COUNT, STEP(pad.length) - STEP(pad), NULL, NULL, NULL, NULL, "tokens in all"},
    {0},
};
static const struct sp_table pad_table = {"input.tensors[].steps[].pad", pad_keys,
                                          sizeof(((struct sp_step_conf *)0)->pad), NULL};

static const struct sp_key step_keys[] = {
    {"step", SP_KIND_CHOICE, STEP(step), "none", "none strip_emoji strip_urls drop_digits lowercase", NULL,
     NULL, "a step without settings"},
    {"replace", SP_KIND_TABLE, STEP(replace), NULL, NULL, &replace_table, NULL, "replace characters"},
    {"lemma", SP_KIND_PATH, STEP(lemma), NULL, NULL, NULL, NULL,
     "form, tab, lemma: a token becomes its lemma"},
    {"min_length", SP_KIND_COUNT, STEP(min_length), NULL, NULL, NULL, NULL,
     "drop tokens with fewer characters"},
    {"stopwords", SP_KIND_PATH, STEP(stopwords), NULL, NULL, NULL, NULL, "drop these tokens, one a line"},
    {"vocabulary", SP_KIND_PATH, STEP(vocabulary), NULL, NULL, NULL, NULL,
     "a token becomes its line index; others that of <unk>"},
    {"pad", SP_KIND_TABLE, STEP(pad), NULL, NULL, &pad_table, NULL, "cut or fill with zeros"},
    {0},
};
static const struct sp_table step_table = {"input.tensors[].steps[]", step_keys, sizeof(struct sp_step_conf),
                                           "step"};

#define TENSOR(field) offsetof(struct sp_input_tensor_conf, field)
static const struct sp_key tensor_keys[] = {
    {"name", SP_KIND_TEXT, TENSOR(name), NULL, NULL, NULL, NULL, "the model's input"},
    {"dtype", SP_KIND_TEXT, TENSOR(dtype), "float32", NULL, NULL, NULL,
     "element type: float32 float64 int32 int64 uint8 bool"},
    {"shape", SP_KIND_COUNTS, TENSOR(shape), NULL, NULL, NULL, NULL,
     "shape of one event, the first dimension 1"},
    {"columns", SP_KIND_LIST, TENSOR(columns), NULL, NULL, &column_table, NULL,
     "csv: the columns that fill it, in order"},
    {"steps", SP_KIND_LIST, TENSOR(steps), NULL, NULL, &step_table, NULL,
     "json text: the steps that fill it, in order"},
    {"pointer", SP_KIND_TEXT, TENSOR(pointer), NULL, NULL, NULL, NULL,
     "json: where this tensor's value stands"},
    {0},
};
static const struct sp_table tensor_table = {"input.tensors[]", tensor_keys,
                                             sizeof(struct sp_input_tensor_conf), NULL};

#define INPUT(field) offsetof(struct sp_input_conf, field)
static const struct sp_key input_keys[] = {
    {"format", SP_KIND_CHOICE, INPUT(format), "csv", "csv json tensor_proto_json raw", NULL, NULL,
     "what an event's value is"},
    {"pointer", SP_KIND_TEXT, INPUT(pointer), NULL, NULL, NULL, NULL, "json: JSON pointer of the value used"},
    {"header", SP_KIND_TEXTS, INPUT(header), NULL, NULL, NULL, NULL, "csv: names of the columns, in order"},
    {"tensors", SP_KIND_LIST, INPUT(tensors), NULL, NULL, &tensor_table, NULL, "the model's inputs"},
    {0},
};
const struct sp_table sp_input_table = {"input", input_keys, sizeof(struct sp_input_conf), NULL};

#define OUTPUT(field) offsetof(struct sp_output_conf, field)
static const struct sp_key output_keys[] = {
    {"format", SP_KIND_CHOICE, OUTPUT(format), "json", "json text tensor_proto_json", NULL, NULL,
     "what an answer's value is"},
    {"tensor", SP_KIND_TEXT, OUTPUT(tensor), NULL, NULL, NULL, NULL, "the model's output that is answered"},
    {"as", SP_KIND_CHOICE, OUTPUT(as), "array", "array probability label", NULL, NULL,
     "all values, the first one, or a label by threshold"},
    {"threshold", SP_KIND_REAL, OUTPUT(threshold), "0.5", NULL, NULL, NULL,
     "label: the second label from this score up"},
    {"labels", SP_KIND_TEXTS, OUTPUT(labels), NULL, NULL, NULL, NULL,
     "label: two words, below and from the threshold"},
    {"template", SP_KIND_TEXT, OUTPUT(template_text), NULL, NULL, NULL, NULL,
     "text with {label} and {score}"},
    {0},
};
const struct sp_table sp_output_table = {"output", output_keys, sizeof(struct sp_output_conf), NULL};
