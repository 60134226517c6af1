// Text steps one by one, by hand: each text becomes words whose lines in a vocabulary are known.
#include "support/codec_bed.h"

#include <stdio.h>
#include <string.h>

#define LIST(array)                                                                                          \
  { array, sizeof(array) / sizeof *(array) }
#define N 6

// A declaration with these steps, a vocabulary of those words, and a row of N.
struct bed {
  struct codec_file vocabulary;
  struct sp_step_conf steps[10];
  struct sp_input_tensor_conf tensor;
  int64_t shape[2];
  struct sp_input_conf conf;
};

static void begin(struct bed *bed, const char *vocabulary, const struct sp_step_conf *steps, size_t n_steps) {
  *bed = (struct bed){.shape = {1, N}};
  codec_write(&bed->vocabulary, vocabulary);
  for (size_t i = 0; i < n_steps; i++) bed->steps[i] = steps[i];
  bed->steps[n_steps++].vocabulary = bed->vocabulary.path;
  bed->steps[n_steps++].pad.length = N;
  bed->tensor = (struct sp_input_tensor_conf){
      .name = "tokens", .dtype = "int64", .shape = {bed->shape, 2}, .steps = {bed->steps, n_steps}};
  bed->conf =
      (struct sp_input_conf){.format = SP_INPUT_JSON, .pointer = "/value", .tensors = {&bed->tensor, 1}};
}

// The text, as JSON without escapes, becomes these words (those of `vocabulary` in order are 1, 2, ...; 9 is any other).
static void words_are(struct codec_bed *codec, const char *text, const double *expected, size_t n) {
  char event[512];
  double row[N] = {0};
  memcpy(row, expected, n * sizeof *row);
  snprintf(event, sizeof event, "{\"value\":\"%s\"}", text);
  codec_gives(codec, event, row, N);
}
#define WORDS(codec, text, ...)                                                                              \
  words_are(codec, text, (const double[]){__VA_ARGS__},                                                      \
            sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

#define WITH_STEPS(bed, codec, vocabulary, ...)                                                              \
  do {                                                                                                       \
    const struct sp_step_conf with[] = {__VA_ARGS__};                                                        \
    begin(bed, vocabulary, with, sizeof with / sizeof *with);                                                \
    codec_open(codec, &(bed)->conf);                                                                         \
  } while (0)

static void end(struct bed *bed, struct codec_bed *codec) {
  codec_close(codec);
  codec_remove(&bed->vocabulary);
}

static void text_is_split_at_every_unicode_space(void **state) {
  (void)state;
  struct bed bed;
  struct codec_bed codec;
  begin(&bed, "<pad>\na\nb\nc\n\xc3\xa9\n<unk>\n", NULL, 0);
  codec_open(&codec, &bed.conf);
  WORDS(&codec, "a b  c ", 1, 2, 3);
  WORDS(&codec, "", 0);
  WORDS(&codec, "   ", 0);
  WORDS(&codec, "a\\tb\\nc", 1, 2, 3);
  WORDS(&codec,
        "a\xc2\xa0"
        "b\xe3\x80\x80"
        "c",
        1, 2, 3); // no-break space, ideographic space
  WORDS(&codec,
        "a\xc2\x85"
        "b\xe2\x80\xa8"
        "c",
        1, 2, 3); // next line, line separator
  WORDS(&codec,
        "a\xe2\x80\x8b"
        "b c",
        5, 3); // a zero-width space is no space
  WORDS(&codec, "\xc3\xa9 \\u00e9 e\xcc\x81", 4, 4, 5);
  WORDS(&codec, "a zzz <unk> <pad>", 1, 5, 5, 0);
  WORDS(&codec, "a b c a b c a b c", 1, 2, 3, 1, 2, 3);
  end(&bed, &codec);
}

static void emoji_go(void **state) {
  (void)state;
  struct bed bed;
  struct codec_bed codec;
  WITH_STEPS(&bed, &codec, "<pad>\nab\n\xe2\x86\x8f\n\xe2\x80\x8c\n<unk>\n", {.step = SP_STEP_STRIP_EMOJI});
  WORDS(&codec,
        "a\xf0\x9f\x98\x80"
        "b",
        1); // U+1F600
  WORDS(&codec, "a\\ud83d\\ude00b", 1);
  WORDS(&codec,
        "a\xe2\x9d\xa4\xef\xb8\x8f"
        "b",
        1); // U+2764 U+FE0F
  WORDS(&codec,
        "a\xe2\x80\x8d"
        "b a\xe2\x83\xa3"
        "b",
        1, 1); // U+200D, U+20E3
  WORDS(&codec,
        "a\xf3\xa0\x80\xa0\xf3\xa0\x81\xbf"
        "b",
        1); // U+E0020, U+E007F
  WORDS(&codec,
        "a\xe2\x86\x90\xe2\x87\xbf"
        "b",
        1); // U+2190, U+21FF
  WORDS(&codec,
        "a\xf0\x9f\x80\x80\xf0\x9f\xab\xbf"
        "b",
        1);                                         // U+1F000, U+1FAFF
  WORDS(&codec, "\xe2\x86\x8f \xe2\x80\x8c", 2, 3); // U+218F, U+200C stay
  WORDS(&codec,
        "a\xf0\x9f\xac\x80"
        "b",
        4); // U+1FB00 stays
  end(&bed, &codec);
}

static void urls_go_up_to_the_next_space(void **state) {
  (void)state;
  struct bed bed;
  struct codec_bed codec;
  WITH_STEPS(&bed, &codec, "<pad>\na\nb\nab\nhttp:/x\nwww\n<unk>\n", {.step = SP_STEP_STRIP_URLS});
  WORDS(&codec, "a http://t.co/x?y=1 b", 1, 2);
  WORDS(&codec, "ahttps://t.co/x b", 1, 2);
  WORDS(&codec, "a HTTP://T.CO b", 1, 2);
  WORDS(&codec,
        "a hTTps://x\xc2\xa0"
        "b",
        1, 2);
  WORDS(&codec, "a Www.x.y", 1);
  WORDS(&codec, "awww.x b", 1, 2);
  WORDS(&codec, "http://", 0);
  WORDS(&codec, "http:/x www a", 4, 5, 1);
  WORDS(&codec, "hhttp://x ahttp", 6, 6);
  WORDS(&codec, "a http://x\\nb", 1, 2);
  end(&bed, &codec);
}

static void characters_that_are_no_word_are_replaced(void **state) {
  (void)state;
  struct bed bed;
  struct codec_bed codec;
  WITH_STEPS(&bed, &codec, "<pad>\na\nb\na_1\n\xc2\xbd\n\xe2\x85\xa7\n\xd9\xa3\n<unk>\n", {.replace = {" "}});
  WORDS(&codec, "a,b a-b a'b", 1, 2, 1, 2, 1, 2);
  WORDS(&codec, "a_1 \xc2\xbd \xe2\x85\xa7 \xd9\xa3", 3, 4, 5,
        6); // one half, roman eight, arabic-indic three
  WORDS(&codec,
        "a\xcc\x81"
        "b a\\u0000b",
        1, 2, 1, 2); // combining marks are no letters
  WORDS(&codec,
        "a\xc3\x97"
        "b",
        1, 2); // multiplication sign
  end(&bed, &codec);
  WITH_STEPS(&bed, &codec, "<pad>\naXYb\nXY\n<unk>\n", {.replace = {"XY"}});
  WORDS(&codec, "a,b", 1);
  WORDS(&codec, ".", 2);
  WORDS(&codec, "a b", 1);
  end(&bed, &codec);
  WITH_STEPS(&bed, &codec, "<pad>\nab\n<unk>\n", {.replace = {""}});
  WORDS(&codec, "a-.b", 1);
  WORDS(&codec, "--", 0);
  end(&bed, &codec);
}

static void digits_go_and_letters_fall(void **state) {
  (void)state;
  struct bed bed;
  struct codec_bed codec;
  WITH_STEPS(&bed, &codec, "<pad>\nab\n\xc3\xa4\n\xce\xb1\xcf\x83\ni\n\xc2\xbd\n<unk>\n",
             {.step = SP_STEP_DROP_DIGITS}, {.step = SP_STEP_LOWERCASE});
  WORDS(&codec, "A1B 2a3b4", 1, 1);
  WORDS(&codec, "\xc3\x84 \xce\x91\xce\xa3", 2, 3); // sigma at the end stays the simple one
  WORDS(&codec, "\xc4\xb0", 4);                     // I with dot: the simple mapping is one letter
  WORDS(&codec,
        "a\xd9\xa3"
        "b \xc2\xbd",
        1, 5); // arabic-indic three is Nd, one half is No
  end(&bed, &codec);
}

static void words_are_lemmatised_dropped_and_stopped(void **state) {
  (void)state;
  struct codec_file lemma = {{0}, {0}}, stop = {{0}, {0}};
  codec_write(&lemma, "was\tbe\nrunning\trun\nran\trun\nran\trun\n");
  codec_write(&stop, "the\nbe\nthe\n");
  struct bed bed;
  struct codec_bed codec;
  WITH_STEPS(&bed, &codec, "<pad>\nrun\n\xc3\xa9\xc3\xa9\xc3\xa9\n<unk>\n", {.lemma = lemma.path},
             {.min_length = 3}, {.stopwords = stop.path});
  WORDS(&codec, "running ran runs", 1, 1, 3);
  WORDS(&codec, "the was run", 1); // "be" is too short by then
  WORDS(&codec, "ab \xc3\xa9\xc3\xa9 \xc3\xa9\xc3\xa9\xc3\xa9", 2);
  WORDS(&codec, "The", 3);
  end(&bed, &codec);
  codec_remove(&lemma);
  codec_remove(&stop);
}

static void rows_are_padded_and_cut_on_the_declared_side(void **state) {
  (void)state;
  struct bed bed;
  begin(&bed, "<pad>\n1\n2\n3\n4\n5\n6\n7\n8\n<unk>\n", NULL, 0);
  struct codec_bed codec;
  codec_open(&codec, &bed.conf);
  WORDS(&codec, "1 2", 1, 2, 0, 0, 0, 0);
  WORDS(&codec, "1 2 3 4 5 6 7 8", 1, 2, 3, 4, 5, 6);
  codec_close(&codec);
  bed.steps[1].pad.side = SP_PAD_PRE;
  bed.tensor.dtype = "float32";
  codec_open(&codec, &bed.conf);
  WORDS(&codec, "1 2", 0, 0, 0, 0, 1, 2);
  WORDS(&codec, "1 2 3 4 5 6 7 8", 3, 4, 5, 6, 7, 8);
  end(&bed, &codec);
}

static void text_that_is_none_is_malformed(void **state) {
  (void)state;
  struct bed bed;
  struct codec_bed codec;
  begin(&bed, "<pad>\n<unk>\n", NULL, 0);
  codec_open(&codec, &bed.conf);
  codec_is_malformed(&codec, "{\"value\":5}", "/value: not a string");
  codec_is_malformed(&codec, "{\"value\":null}", "/value: not a string");
  codec_is_malformed(&codec, "{\"text\":\"a\"}", "nothing at /value");
  codec_is_malformed(&codec, "{\"value\":\"a\xff\"}", "not UTF-8");
  codec_is_malformed(&codec, "{\"value\":\"\\ud83d\"}", "not Unicode: half a surrogate pair");
  codec_is_malformed(&codec, "Hello world", "not JSON: a character out of place");
  end(&bed, &codec);
}

static void impossible_steps_are_refused(void **state) {
  (void)state;
  struct codec_file words = {{0}, {0}}, no_unk = {{0}, {0}}, no_tab = {{0}, {0}}, differ = {{0}, {0}};
  codec_write(&words, "<pad>\n<unk>\n");
  codec_write(&no_unk, "a\nb\n");
  codec_write(&no_tab, "a\tb\nc d\n");
  codec_write(&differ, "a\tb\na\tc\n");
  const struct sp_step_conf vocabulary = {.vocabulary = words.path}, pad = {.pad = {.length = N}};
  const struct sp_step_conf lower = {.step = SP_STEP_LOWERCASE}, least = {.min_length = 2};
  struct sp_step_conf both = lower;
  both.min_length = 2;
  const struct {
    struct sp_step_conf steps[4];
    size_t n;
    const char *said;
  } cases[] = {
      {{least, lower, vocabulary, pad},
       4,
       "steps[1]: lowercase works on characters and cannot follow min_length; move it up"},
      {{vocabulary, least, pad}, 3, "steps[1]: min_length works on words and cannot follow vocabulary"},
      {{vocabulary, vocabulary, pad}, 3, "steps[1]: vocabulary works on words and cannot follow vocabulary"},
      {{vocabulary, pad, pad}, 3, "steps[2]: pad needs indices"},
      {{vocabulary, pad, lower}, 3, "steps[2]: lowercase works on characters and cannot follow pad"},
      {{lower, pad, vocabulary}, 3, "steps[1]: pad needs indices; put it right after vocabulary"},
      {{lower, vocabulary}, 2, "end without a row of fixed length"},
      {{lower}, 1, "end without a row of fixed length"},
      {{both, vocabulary, pad}, 3, "steps[0]: sets several steps at once"},
      {{{0}, vocabulary, pad}, 3, "steps[0]: sets no step"},
      {{{.vocabulary = no_unk.path}, pad}, 2, "has no line <unk>"},
      {{{.vocabulary = "/nonexistent"}, pad}, 2, "cannot read /nonexistent"},
      {{{.lemma = no_tab.path}, vocabulary, pad}, 3, ":2: no tab"},
      {{{.lemma = differ.path}, vocabulary, pad}, 3, ":2: \"a\" stands in line 1 already"},
      {{{.replace = {"\xff"}}, vocabulary, pad}, 3, "is not UTF-8"},
      {{vocabulary, {.pad = {.length = N + 1}}}, 2, "pad.length: is 7, but a row of tokens has 6 elements"},
  };
  int64_t shape[] = {1, N};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct sp_input_tensor_conf tensor = {.name = "tokens",
                                          .dtype = "int64",
                                          .shape = {shape, 2},
                                          .steps = {(void *)cases[i].steps, cases[i].n}};
    struct sp_input_conf conf = {.format = SP_INPUT_JSON, .tensors = {&tensor, 1}};
    codec_refuses(&conf, cases[i].said);
  }
  codec_remove(&words);
  codec_remove(&no_unk);
  codec_remove(&no_tab);
  codec_remove(&differ);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_is_split_at_every_unicode_space),
      cmocka_unit_test(emoji_go),
      cmocka_unit_test(urls_go_up_to_the_next_space),
      cmocka_unit_test(characters_that_are_no_word_are_replaced),
      cmocka_unit_test(digits_go_and_letters_fall),
      cmocka_unit_test(words_are_lemmatised_dropped_and_stopped),
      cmocka_unit_test(rows_are_padded_and_cut_on_the_declared_side),
      cmocka_unit_test(text_that_is_none_is_malformed),
      cmocka_unit_test(impossible_steps_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
