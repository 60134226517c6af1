// Word lists in memory: the file's bytes, its lines, and an open-addressing table of their hashes.
#include "codec/dictionary.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <xxhash.h>

#define FILE_BYTES_MAX ((size_t)256 << 20)

struct line {
  struct sp_bytes word;
  struct sp_bytes value;
};
struct slot {
  uint32_t hash;
  uint32_t line; // counted from 1; 0: the slot is free
};
struct sp_dictionary {
  uint8_t *bytes;
  size_t n_bytes;
  struct line *lines;
  size_t n_lines;
  struct slot *slots;
  size_t mask;
};

static enum sp_err read_file(const char *path, const char *key, struct sp_dictionary *dictionary,
                             struct sp_error *error) {
  FILE *file = fopen(path, "rb");
  struct stat status;
  if (!file || fstat(fileno(file), &status) != 0 || S_ISDIR(status.st_mode)) {
    int why = file && S_ISDIR(status.st_mode) ? EISDIR : errno;
    if (file) fclose(file);
    return sp_fail(error, SP_ERR_ENVIRONMENT, "%s: cannot read %s (%s)", key, path, strerror(why));
  }
  size_t n = (size_t)status.st_size;
  if (n > FILE_BYTES_MAX) {
    fclose(file);
    return sp_fail(error, SP_ERR_USAGE, "%s: %s has %zu bytes; a word list may have 256 MiB", key, path, n);
  }
  dictionary->bytes = sp_alloc(n + 1);
  dictionary->n_bytes = fread(dictionary->bytes, 1, n, file);
  int broken = ferror(file) ? errno : 0;
  fclose(file);
  return broken ? sp_fail(error, SP_ERR_ENVIRONMENT, "%s: cannot read %s (%s)", key, path, strerror(broken))
                : SP_OK;
}

static void split_lines(struct sp_dictionary *dictionary) {
  const uint8_t *at = dictionary->bytes, *end = at + dictionary->n_bytes;
  size_t n = 0;
  for (const uint8_t *p = at; p < end; p++) n += *p == '\n';
  dictionary->lines = sp_alloc((n + 1) * sizeof *dictionary->lines);
  while (at < end) {
    const uint8_t *stop = memchr(at, '\n', (size_t)(end - at));
    const uint8_t *next = stop ? stop + 1 : end;
    if (!stop) stop = end;
    if (stop > at && stop[-1] == '\r') stop--;
    dictionary->lines[dictionary->n_lines++].word = sp_bytes_of(at, (size_t)(stop - at));
    at = next;
  }
}

static uint32_t hash_of(struct sp_bytes word) {
  return (uint32_t)XXH3_64bits(word.data, word.n);
}

static struct slot *slot_of(const struct sp_dictionary *dictionary, struct sp_bytes word, uint32_t hash) {
  for (size_t i = hash & dictionary->mask;; i = (i + 1) & dictionary->mask) {
    struct slot *slot = &dictionary->slots[i];
    if (!slot->line) return slot;
    const struct sp_bytes *there = &dictionary->lines[slot->line - 1].word;
    if (slot->hash == hash && there->n == word.n && memcmp(there->data, word.data, word.n) == 0) return slot;
  }
}

static enum sp_err split_pair(struct line *line, const char *path, size_t i, const char *key,
                              struct sp_error *error) {
  const uint8_t *tab = memchr(line->word.data, '\t', line->word.n);
  if (!tab)
    return sp_fail(error, SP_ERR_USAGE, "%s: %s:%zu: no tab; write form, tab, lemma", key, path, i + 1);
  size_t n = (size_t)(tab - line->word.data);
  line->value = sp_bytes_of(tab + 1, line->word.n - n - 1);
  line->word.n = n;
  return SP_OK;
}

static enum sp_err add_lines(struct sp_dictionary *dictionary, enum sp_dictionary_kind kind, const char *path,
                             const char *key, struct sp_error *error) {
  size_t n_slots = 16;
  while (n_slots < dictionary->n_lines * 2) n_slots *= 2;
  dictionary->slots = sp_alloc(n_slots * sizeof *dictionary->slots);
  dictionary->mask = n_slots - 1;
  for (size_t i = 0; i < dictionary->n_lines; i++) {
    struct line *line = &dictionary->lines[i];
    enum sp_err err = kind == SP_DICTIONARY_PAIRS ? split_pair(line, path, i, key, error) : SP_OK;
    if (err) return err;
    uint32_t hash = hash_of(line->word);
    struct slot *slot = slot_of(dictionary, line->word, hash);
    if (!slot->line) {
      *slot = (struct slot){hash, (uint32_t)(i + 1)};
      continue;
    }
    const struct line *first = &dictionary->lines[slot->line - 1];
    // An empty line stands for no word, so it may come again.
    bool same = kind == SP_DICTIONARY_SET || line->word.n == 0 ||
                (kind == SP_DICTIONARY_PAIRS && first->value.n == line->value.n &&
                 memcmp(first->value.data, line->value.data, line->value.n) == 0);
    if (!same) {
      return sp_fail(error, SP_ERR_USAGE, "%s: %s:%zu: \"%.*s\" stands in line %u already; remove one", key,
                     path, i + 1, (int)(line->word.n < 64 ? line->word.n : 64), (const char *)line->word.data,
                     slot->line);
    }
  }
  return SP_OK;
}

enum sp_err sp_dictionary_load(const char *path, enum sp_dictionary_kind kind, const char *key,
                               struct sp_dictionary **dictionary, struct sp_error *error) {
  struct sp_dictionary *new = sp_alloc(sizeof *new);
  enum sp_err err = read_file(path, key, new, error);
  if (!err) {
    split_lines(new);
    err = add_lines(new, kind, path, key, error);
  }
  if (!err && kind == SP_DICTIONARY_INDEX && new->n_lines == 0) {
    err = sp_fail(error, SP_ERR_USAGE, "%s: %s is empty; it needs a line for each level", key, path);
  }
  if (err) {
    sp_dictionary_free(new);
    return err;
  }
  *dictionary = new;
  return SP_OK;
}

void sp_dictionary_free(struct sp_dictionary *dictionary) {
  if (!dictionary) return;
  free(dictionary->bytes);
  free(dictionary->lines);
  free(dictionary->slots);
  free(dictionary);
}

size_t sp_dictionary_lines(const struct sp_dictionary *dictionary) {
  return dictionary->n_lines;
}

int64_t sp_dictionary_find(const struct sp_dictionary *dictionary, struct sp_bytes word) {
  return (int64_t)slot_of(dictionary, word, hash_of(word))->line - 1;
}

struct sp_bytes sp_dictionary_value(const struct sp_dictionary *dictionary, size_t i) {
  return dictionary->lines[i].value;
}
