// The nearest valid name to one that is unknown, for error messages.
#ifndef SP_BASE_NAMES_H
#define SP_BASE_NAMES_H

#include <stddef.h>

// Edits (insert, delete, replace, swap neighbours) from a to b, letters regardless of case; at most 64 where a text is
// longer than 63 bytes. Optimal string alignment distance.
size_t sp_names_distance(const char *a, const char *b);

// The name that `given` was most likely meant to be: at most one edit for each three bytes (one at least), or `given` is
// the start of exactly one name. NULL if none is near. The first of equally near ones.
const char *sp_names_nearest(const char *given, const char *const *names, size_t n_names);

// "did you mean rate?" if a name is near, else "one of: a, b, c" (cut to fit), into text; returns text. "" for no names.
char *sp_names_suggest(const char *given, const char *const *names, size_t n_names, char *text,
                       size_t n_text);

// Lists of words such as "constant poisson trace" (sp_key.choices): how many there are.
size_t sp_words_count(const char *words);
// Index of `word` in the list, -1 if it is not there.
int sp_words_index(const char *words, const char *word);
// The i-th word into text; "" past the end; returns text.
char *sp_words_nth(const char *words, size_t i, char *text, size_t n_text);
// sp_names_suggest over such a list.
char *sp_words_suggest(const char *words, const char *given, char *text, size_t n_text);

#endif
