// Word lists: vocabularies, levels, stopwords (one a line) and lemmas (form, tab, lemma). Immutable once loaded.
#ifndef SP_CODEC_DICTIONARY_H
#define SP_CODEC_DICTIONARY_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/err.h"

struct sp_dictionary;

enum sp_dictionary_kind {
  SP_DICTIONARY_INDEX, // the line's zero-based index counts: no line twice, at least one line
  SP_DICTIONARY_SET,
  SP_DICTIONARY_PAIRS, // form, tab, lemma: no form twice with different lemmas
};

// Lines end with \n or \r\n; the last one need not. SP_ERR_ENVIRONMENT where the file cannot be read, SP_ERR_USAGE where a line
// is not as its kind wants it: `key: FILE:LINE: what`. `key` is the scenario key that names the file.
enum sp_err sp_dictionary_load(const char *path, enum sp_dictionary_kind kind, const char *key,
                               struct sp_dictionary **dictionary, struct sp_error *error);
void sp_dictionary_free(struct sp_dictionary *dictionary); // NULL is allowed

size_t sp_dictionary_lines(const struct sp_dictionary *dictionary);
// The line's index, -1 if the word is not there.
int64_t sp_dictionary_find(const struct sp_dictionary *dictionary, struct sp_bytes word);
// What stands after the tab of line `i`.
struct sp_bytes sp_dictionary_value(const struct sp_dictionary *dictionary, size_t i);

#endif
