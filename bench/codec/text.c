// Text steps. Properties of characters come from utf8proc's Unicode tables, those of the first 12,288 from a copy that is
// quicker to reach.
#include "codec/text.h"

#include <stdlib.h>
#include <utf8proc.h>

#include "codec/conf.h"
#include "codec/dictionary.h"
#include "codec/element.h"
#include "codec/utf8.h"

#define N_QUICK 0x3000

enum property { IS_WORD = 1, IS_DIGIT = 2, IS_SPACE = 4 };

enum kind {
  STRIP_EMOJI,
  STRIP_URLS,
  REPLACE,
  DROP_DIGITS,
  LOWERCASE,
  LEMMA,
  MIN_LENGTH,
  STOPWORDS,
  VOCABULARY,
  PAD
};
static const struct {
  const char *name;
  enum stage { CHARACTERS, WORDS, INDICES, ROW } stage;
  const char *works_on;
} kinds[] = {
    [STRIP_EMOJI] = {"strip_emoji", CHARACTERS, "characters"},
    [STRIP_URLS] = {"strip_urls", CHARACTERS, "characters"},
    [REPLACE] = {"replace", CHARACTERS, "characters"},
    [DROP_DIGITS] = {"drop_digits", CHARACTERS, "characters"},
    [LOWERCASE] = {"lowercase", CHARACTERS, "characters"},
    [LEMMA] = {"lemma", WORDS, "words"},
    [MIN_LENGTH] = {"min_length", WORDS, "words"},
    [STOPWORDS] = {"stopwords", WORDS, "words"},
    [VOCABULARY] = {"vocabulary", INDICES, "words"},
    [PAD] = {"pad", ROW, "indices"},
};

struct step {
  enum kind kind;
  struct sp_dictionary *words; // LEMMA, STOPWORDS, VOCABULARY
  size_t length;               // MIN_LENGTH, PAD
  bool pads_before;            // PAD
  int64_t unknown;             // VOCABULARY: index of <unk>
  uint32_t *by;                // REPLACE
  size_t n_by;
};

struct sp_text {
  size_t n_steps;
  struct step *steps;
  enum sp_dtype dtype;
  uint8_t quick[N_QUICK]; // enum property
};

// ---- properties of characters

static uint8_t look_up(uint32_t c) {
  if ((c >= '\t' && c <= '\r') || c == 0x85) return IS_SPACE;
  switch (utf8proc_category((utf8proc_int32_t)c)) {
  case UTF8PROC_CATEGORY_LU:
  case UTF8PROC_CATEGORY_LL:
  case UTF8PROC_CATEGORY_LT:
  case UTF8PROC_CATEGORY_LM:
  case UTF8PROC_CATEGORY_LO:
  case UTF8PROC_CATEGORY_NL:
  case UTF8PROC_CATEGORY_NO: return IS_WORD;
  case UTF8PROC_CATEGORY_ND: return IS_WORD | IS_DIGIT;
  case UTF8PROC_CATEGORY_ZS:
  case UTF8PROC_CATEGORY_ZL:
  case UTF8PROC_CATEGORY_ZP: return IS_SPACE;
  default: return c == '_' ? IS_WORD : 0;
  }
}

static inline uint8_t properties(const struct sp_text *text, uint32_t c) {
  return c < N_QUICK ? text->quick[c] : look_up(c);
}

static bool is_emoji(uint32_t c) {
  return (c >= 0x1f000 && c <= 0x1faff) || (c >= 0x2600 && c <= 0x27bf) || (c >= 0x2300 && c <= 0x23ff) ||
         (c >= 0x2b00 && c <= 0x2bff) || (c >= 0x2190 && c <= 0x21ff) || (c >= 0xfe00 && c <= 0xfe0f) ||
         c == 0x200d || c == 0x20e3 || (c >= 0xe0020 && c <= 0xe007f);
}

// ---- the plan

// What the step sets, and how many things: exactly one is right.
static int read_kind(const struct sp_step_conf *conf, enum kind *kind) {
  static const enum kind of_word[] = {[SP_STEP_STRIP_EMOJI] = STRIP_EMOJI,
                                      [SP_STEP_STRIP_URLS] = STRIP_URLS,
                                      [SP_STEP_DROP_DIGITS] = DROP_DIGITS,
                                      [SP_STEP_LOWERCASE] = LOWERCASE};
  const struct {
    bool is_set;
    enum kind kind;
  } settings[] = {
      {conf->replace.non_word != NULL, REPLACE}, {conf->lemma != NULL, LEMMA},
      {conf->min_length > 0, MIN_LENGTH},        {conf->stopwords != NULL, STOPWORDS},
      {conf->vocabulary != NULL, VOCABULARY},    {conf->pad.length > 0, PAD},
  };
  int n = 0;
  if (conf->step != SP_STEP_NONE) {
    *kind = of_word[conf->step];
    n++;
  }
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
    if (!settings[i].is_set) continue;
    *kind = settings[i].kind;
    n++;
  }
  return n;
}

static enum sp_err read_replace(const char *by, const char *key, struct step *step, struct sp_error *error) {
  const uint8_t *at = (const uint8_t *)by, *end = at + strlen(by);
  step->by = sp_alloc((size_t)(end - at) * sizeof *step->by);
  while (at < end) {
    size_t n = sp_utf8_decode(at, end, &step->by[step->n_by++]);
    if (!n) return sp_fail(error, SP_ERR_USAGE, "%s.replace.non_word: is not UTF-8; correct it", key);
    at += n;
  }
  return SP_OK;
}

static enum sp_err read_vocabulary(const char *file, const char *key, enum sp_dtype dtype, struct step *step,
                                   struct sp_error *error) {
  enum sp_err err = sp_dictionary_load(file, SP_DICTIONARY_INDEX, key, &step->words, error);
  if (err) return err;
  step->unknown = sp_dictionary_find(step->words, sp_bytes_of_text("<unk>"));
  if (step->unknown < 0) {
    return sp_fail(error, SP_ERR_USAGE,
                   "%s.vocabulary: %s has no line <unk> for words it does not list; add one", key, file);
  }
  size_t last = sp_dictionary_lines(step->words) - 1;
  size_t most = dtype == SP_DTYPE_FLOAT32 ? (size_t)1 << 24 : dtype == SP_DTYPE_UINT8 ? UINT8_MAX : INT32_MAX;
  if (last <= most) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE, "%s.vocabulary: %s cannot hold the index %zu; use a wider dtype", key,
                 sp_dtype_name(dtype), last);
}

static enum sp_err read_pad(const struct sp_step_conf *conf, const char *key,
                            const struct sp_tensor_spec *spec, struct step *step, struct sp_error *error) {
  step->length = conf->pad.length;
  step->pads_before = conf->pad.side == SP_PAD_PRE;
  size_t wanted = sp_tensor_row_elements(spec);
  if (step->length == wanted) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE, "%s.pad.length: is %zu, but a row of %s has %zu elements; correct one",
                 key, step->length, spec->name, wanted);
}

static enum sp_err read_step(const struct sp_step_conf *conf, const char *key,
                             const struct sp_tensor_spec *spec, struct step *step, struct sp_error *error) {
  switch (step->kind) {
  case REPLACE: return read_replace(conf->replace.non_word, key, step, error);
  case LEMMA: return sp_dictionary_load(conf->lemma, SP_DICTIONARY_PAIRS, key, &step->words, error);
  case MIN_LENGTH: step->length = conf->min_length; return SP_OK;
  case STOPWORDS: return sp_dictionary_load(conf->stopwords, SP_DICTIONARY_SET, key, &step->words, error);
  case VOCABULARY: return read_vocabulary(conf->vocabulary, key, spec->dtype, step, error);
  case PAD: return read_pad(conf, key, spec, step, error);
  case STRIP_EMOJI:
  case STRIP_URLS:
  case DROP_DIGITS:
  case LOWERCASE: break;
  }
  return SP_OK;
}

// Characters, then words, then one vocabulary, then one pad.
static enum sp_err check_order(const struct sp_text *text, size_t i, const char *key,
                               struct sp_error *error) {
  enum kind kind = text->steps[i].kind;
  enum stage stage = kinds[kind].stage, before = i ? kinds[text->steps[i - 1].kind].stage : CHARACTERS;
  if (stage == ROW && before != INDICES) {
    return sp_fail(error, SP_ERR_USAGE, "%s: pad needs indices; put it right after vocabulary", key);
  }
  if (stage > before || (stage == before && stage <= WORDS)) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE, "%s: %s works on %s and cannot follow %s; move it up", key,
                 kinds[kind].name, kinds[kind].works_on, kinds[text->steps[i - 1].kind].name);
}

static enum sp_err add_step(struct sp_text *text, const struct sp_step_conf *conf, const char *key,
                            const struct sp_tensor_spec *spec, struct sp_error *error) {
  struct step *step = &text->steps[text->n_steps++];
  int n_set = read_kind(conf, &step->kind);
  if (n_set != 1) {
    return sp_fail(error, SP_ERR_USAGE,
                   "%s: %s; write one of strip_emoji, strip_urls, replace, drop_digits, lowercase, lemma, "
                   "min_length, stopwords, vocabulary, pad",
                   key, n_set ? "sets several steps at once" : "sets no step");
  }
  enum sp_err err = check_order(text, text->n_steps - 1, key, error);
  return err ? err : read_step(conf, key, spec, step, error);
}

enum sp_err sp_text_new(const struct sp_list *steps, const struct sp_tensor_spec *spec, struct sp_text **text,
                        struct sp_error *error) {
  struct sp_text *new = sp_alloc(sizeof *new);
  new->dtype = spec->dtype;
  new->steps = sp_alloc(steps->n * sizeof *new->steps);
  for (uint32_t c = 0; c < N_QUICK; c++) new->quick[c] = look_up(c);
  enum sp_err err = SP_OK;
  for (size_t i = 0; !err && i < steps->n; i++) {
    char *key = sp_format("input.tensors[%s].steps[%zu]", spec->name, i);
    err = add_step(new, &((const struct sp_step_conf *)steps->items)[i], key, spec, error);
    free(key);
  }
  if (!err && (new->n_steps == 0 || new->steps[new->n_steps - 1].kind != PAD)) {
    err = sp_fail(error, SP_ERR_USAGE,
                  "input.tensors[%s].steps: end without a row of fixed length; end with vocabulary and pad",
                  spec->name);
  }
  if (!err && spec->dtype == SP_DTYPE_BOOL) {
    err = sp_fail(error, SP_ERR_USAGE, "input.tensors[%s].dtype: bool cannot hold word indices; use int64",
                  spec->name);
  }
  if (err) {
    sp_text_free(new);
    return err;
  }
  *text = new;
  return SP_OK;
}

void sp_text_free(struct sp_text *text) {
  if (!text) return;
  for (size_t i = 0; i < text->n_steps; i++) {
    sp_dictionary_free(text->steps[i].words);
    free(text->steps[i].by);
  }
  free(text->steps);
  free(text);
}

// ---- steps on characters: in place, where they do not make more of them

static size_t strip_emoji(uint32_t *points, size_t n) {
  size_t kept = 0;
  for (size_t i = 0; i < n; i++) {
    if (points[i] < 0x200d || !is_emoji(points[i])) points[kept++] = points[i];
  }
  return kept;
}

static bool starts_with(const uint32_t *points, size_t n, const char *lower) {
  for (size_t i = 0; lower[i]; i++) {
    uint32_t c = i < n ? points[i] : 0;
    if (c >= 'A' && c <= 'Z') c |= 0x20;
    if (c != (uint32_t)lower[i]) return false;
  }
  return true;
}

static bool starts_url(const uint32_t *points, size_t n) {
  uint32_t c = points[0] | 0x20;
  if (c == 'h') return starts_with(points, n, "http://") || starts_with(points, n, "https://");
  return c == 'w' && starts_with(points, n, "www.");
}

static size_t strip_urls(const struct sp_text *text, uint32_t *points, size_t n) {
  size_t kept = 0;
  for (size_t i = 0; i < n;) {
    if (!starts_url(points + i, n - i)) {
      points[kept++] = points[i++];
      continue;
    }
    while (i < n && !(properties(text, points[i]) & IS_SPACE)) i++;
  }
  return kept;
}

// Into the other buffer if one character may become several.
static size_t replace(const struct sp_text *text, const struct step *step, struct sp_scratch *scratch,
                      size_t n) {
  const uint32_t *in = scratch->points[0];
  uint32_t *out = step->n_by > 1 ? sp_scratch_points(scratch, 1, n * step->n_by) : scratch->points[0];
  size_t kept = 0;
  for (size_t i = 0; i < n; i++) {
    if (properties(text, in[i]) & IS_WORD) {
      out[kept++] = in[i];
    } else {
      for (size_t k = 0; k < step->n_by; k++) out[kept++] = step->by[k];
    }
  }
  if (out != scratch->points[0]) {
    uint32_t *swap = scratch->points[0];
    size_t room = scratch->room_points[0];
    scratch->points[0] = scratch->points[1];
    scratch->room_points[0] = scratch->room_points[1];
    scratch->points[1] = swap;
    scratch->room_points[1] = room;
  }
  return kept;
}

static size_t drop_digits(const struct sp_text *text, uint32_t *points, size_t n) {
  size_t kept = 0;
  for (size_t i = 0; i < n; i++) {
    if (!(properties(text, points[i]) & IS_DIGIT)) points[kept++] = points[i];
  }
  return kept;
}

static void lowercase(uint32_t *points, size_t n) {
  for (size_t i = 0; i < n; i++) {
    uint32_t c = points[i];
    if (c < 0x80) {
      points[i] = c >= 'A' && c <= 'Z' ? c + 32 : c;
    } else {
      points[i] = (uint32_t)utf8proc_tolower((utf8proc_int32_t)c);
    }
  }
}

static size_t on_characters(const struct sp_text *text, const struct step *step, struct sp_scratch *scratch,
                            size_t n) {
  uint32_t *points = scratch->points[0];
  switch (step->kind) {
  case STRIP_EMOJI: return strip_emoji(points, n);
  case STRIP_URLS: return strip_urls(text, points, n);
  case REPLACE: return replace(text, step, scratch, n);
  case DROP_DIGITS: return drop_digits(text, points, n);
  default: lowercase(points, n); return n;
  }
}

// ---- words

static size_t split(const struct sp_text *text, struct sp_scratch *scratch, size_t n) {
  const uint32_t *points = scratch->points[0];
  uint8_t *out = sp_scratch_bytes(scratch, n * 4);
  struct sp_bytes *words = sp_scratch_words(scratch, n / 2 + 1);
  size_t n_words = 0;
  for (size_t i = 0; i < n;) {
    if (properties(text, points[i]) & IS_SPACE) {
      i++;
      continue;
    }
    uint8_t *start = out;
    for (; i < n && !(properties(text, points[i]) & IS_SPACE); i++) out += sp_utf8_encode(points[i], out);
    words[n_words++] = sp_bytes_of(start, (size_t)(out - start));
  }
  return n_words;
}

static size_t n_characters(struct sp_bytes word) {
  size_t n = 0;
  for (size_t i = 0; i < word.n; i++) n += (word.data[i] & 0xc0) != 0x80;
  return n;
}

static size_t on_words(const struct step *step, struct sp_bytes *words, size_t n) {
  size_t kept = 0;
  for (size_t i = 0; i < n; i++) {
    struct sp_bytes word = words[i];
    if (step->kind == LEMMA) {
      int64_t at = sp_dictionary_find(step->words, word);
      if (at >= 0) word = sp_dictionary_value(step->words, (size_t)at);
    } else if (step->kind == MIN_LENGTH) {
      if (word.n < step->length || n_characters(word) < step->length) continue;
    } else if (sp_dictionary_find(step->words, word) >= 0) { // STOPWORDS
      continue;
    }
    words[kept++] = word;
  }
  return kept;
}

// Vocabulary and pad at once: words beyond the row need no index.
static void fill_row(const struct step *vocabulary, const struct step *pad, const struct sp_bytes *words,
                     size_t n, enum sp_dtype dtype, void *row) {
  size_t length = pad->length, n_kept = n < length ? n : length, n_zeros = length - n_kept;
  if (pad->pads_before) words += n - n_kept;
  memset(row, 0, length * sp_dtype_bytes(dtype)); // all bits zero is 0 in every element type
  size_t at = pad->pads_before ? n_zeros : 0;
  for (size_t i = 0; i < n_kept; i++) {
    int64_t index = sp_dictionary_find(vocabulary->words, words[i]);
    sp_element_store(dtype, row, at + i, (double)(index < 0 ? vocabulary->unknown : index));
  }
}

void sp_text_run(const struct sp_text *text, struct sp_scratch *scratch, size_t n_points, void *row) {
  const struct step *step = text->steps;
  for (; kinds[step->kind].stage == CHARACTERS; step++)
    n_points = on_characters(text, step, scratch, n_points);
  size_t n_words = split(text, scratch, n_points);
  for (; kinds[step->kind].stage == WORDS; step++) n_words = on_words(step, scratch->words, n_words);
  fill_row(step, step + 1, scratch->words, n_words, text->dtype, row);
}
