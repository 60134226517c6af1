// JSON events: what is JSON, what a pointer finds, which numbers a tensor takes; TensorProto; raw bytes.
#include "support/codec_bed.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/json.h"

#define LIST(array)                                                                                          \
  { array, sizeof(array) / sizeof *(array) }
#define SHAPE(...)                                                                                           \
  { (int64_t[]){__VA_ARGS__}, sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t) }

static const char *find(const char *document, const char *text, struct sp_json *found) {
  struct sp_json_pointer pointer;
  assert_int_equal(sp_json_pointer_init(&pointer, text, "pointer", NULL), SP_OK);
  const char *why = sp_json_find(sp_bytes_of_text(document), &pointer, 1, found);
  sp_json_pointer_done(&pointer);
  return why;
}

static void found_is(const char *document, const char *pointer, const char *expected) {
  struct sp_json found = {NULL, NULL};
  const char *why = find(document, pointer, &found);
  if (why) fail_msg("%s: %s", document, why);
  if (!expected) {
    assert_null(found.at);
    return;
  }
  if (!found.at) {
    fail_msg("%s: nothing at %s", document, pointer);
    return;
  }
  if ((size_t)(found.end - found.at) != strlen(expected) ||
      memcmp(found.at, expected, strlen(expected)) != 0) {
    fail_msg("%s at %s: %.*s", document, pointer, (int)(found.end - found.at), (const char *)found.at);
  }
}

static void pointers_find_values(void **state) {
  (void)state;
  // RFC 6901, section 5.
  const char *document =
      "{\"foo\": [\"bar\", \"baz\"], \"\": 0, \"a/b\": 1, \"c%d\": 2, \"e^f\": 3, \"g|h\": 4, \"i\\\\j\": 5, "
      "\"k\\\"l\": 6, \" \": 7, \"m~n\": 8}";
  found_is(document, "", document);
  found_is(document, "/foo", "[\"bar\", \"baz\"]");
  found_is(document, "/foo/0", "\"bar\"");
  found_is(document, "/", "0");
  found_is(document, "/a~1b", "1");
  found_is(document, "/c%d", "2");
  found_is(document, "/e^f", "3");
  found_is(document, "/g|h", "4");
  found_is(document, "/i\\j", "5");
  found_is(document, "/k\"l", "6");
  found_is(document, "/ ", "7");
  found_is(document, "/m~0n", "8");
  found_is(document, "/foo/2", NULL);
  found_is(document, "/foo/-", NULL);
  found_is(document, "/foo/01", NULL);
  found_is(document, "/nothing", NULL);
  found_is("{\"\\u0061\\u00e9\":1}", "/a\xc3\xa9", "1");
  found_is("{\"0\":[[1,2],[3,{\"x\":4}]]}", "/0/1/1/x", "4");
  found_is(" 5 ", "", "5");
}

static void the_last_of_equal_keys_counts(void **state) {
  (void)state;
  found_is("{\"a\":1,\"a\":2}", "/a", "2");
  found_is("{\"a\":{\"b\":1},\"a\":{\"c\":2}}", "/a/b", NULL);
  found_is("{\"a\":{\"b\":1},\"a\":5}", "/a/b", NULL);
  found_is("{\"a\":{\"b\":1},\"\\u0061\":{\"b\":2}}", "/a/b", "2");
}

static const char *const no_json[] = {"",
                                      " ",
                                      "{",
                                      "[",
                                      "[1",
                                      "[1,",
                                      "[1,]",
                                      "{,}",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "{\"a\":1",
                                      "{\"a\":1,}",
                                      "{a:1}",
                                      "01",
                                      "-",
                                      "+1",
                                      "1.",
                                      ".5",
                                      "1e",
                                      "1e+",
                                      "nul",
                                      "nullx",
                                      "True",
                                      "NaN",
                                      "Infinity",
                                      "'a'",
                                      "\"a",
                                      "\"\\x\"",
                                      "\"\\\"",
                                      "\"\\u12\"",
                                      "\"\\u12g4\"",
                                      "\"\t\"",
                                      "1 2",
                                      "[1 2]",
                                      "\"\xff\"",
                                      "\"\xc0\x80\"",
                                      "\"\xed\xa0\x80\"",
                                      "\"\xf4\x90\x80\x80\"",
                                      "\"\xe2\x82\"",
                                      "\"\\ud800\"",
                                      "\"\\ud800\\u0041\"",
                                      "\"\\ud800\\ud800\"",
                                      "\"\\udc00\"",
                                      "\xef\xbb\xbf{}",
                                      "[1}",
                                      "{\"a\":1]",
                                      "--1",
                                      "1.5.5",
                                      "[1,,2]",
                                      "\"a\" \"b\""};

static const char *const json[] = {"0",
                                   "-0",
                                   "-0.5E-10",
                                   "1e+5",
                                   "[]",
                                   "{}",
                                   "[ ]",
                                   "{ }",
                                   "\"\"",
                                   "true",
                                   "false",
                                   "null",
                                   "\"\\u0000\\ud83d\\ude00\\/\"",
                                   "[[],{}]",
                                   "\"\xf0\x9f\x98\x80\xed\x9f\xbf\"",
                                   "\r\n\t {\"a\" : [ 1 , 2 ] } \n"};

static void what_is_not_json_is_refused(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof no_json / sizeof *no_json; i++) {
    struct sp_json found = {NULL, NULL};
    const char *why = find(no_json[i], "", &found);
    if (!why) fail_msg("%s is taken", no_json[i]);
  }
}

static void what_is_json_is_taken(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof json / sizeof *json; i++) {
    struct sp_json found = {NULL, NULL};
    const char *why = find(json[i], "", &found);
    if (why) fail_msg("%s: %s", json[i], why);
  }
}

static void deep_documents_are_refused_without_harm(void **state) {
  (void)state;
  static char text[200001];
  struct sp_json found = {NULL, NULL};
  memset(text, '[', 200000);
  assert_non_null(strstr(find(text, "", &found), "nested more than 128 deep"));
  memset(text, '[', 128);
  memset(text + 128, ']', 128);
  text[256] = 0;
  assert_null(find(text, "", &found));
}

// ---- numbers

static void numbers_fill_a_tensor(void **state) {
  (void)state;
  struct sp_input_tensor_conf tensors[] = {{.name = "x", .dtype = "float32", .shape = SHAPE(1, 2, 2)}};
  struct sp_input_conf conf = {.format = SP_INPUT_JSON, .pointer = "/in", .tensors = LIST(tensors)};
  struct codec_bed bed;
  codec_open(&bed, &conf);
  GIVES(&bed, "{\"in\":[1,2.5,-3e2,0.1]}", 1, 2.5, -300, (double)0.1F);
  GIVES(&bed, "{\"other\":[\"x\"], \"in\" : [[[1,2],[3,4]]]}", 1, 2, 3, 4);
  codec_is_malformed(&bed, "{\"in\":[1,2,3]}", "/in: 3 numbers instead of 4");
  codec_is_malformed(&bed, "{\"in\":[1,2,3,4,5]}", "/in: 5 numbers instead of 4");
  codec_is_malformed(&bed, "{\"in\":[1,2,3,\"4\"]}", "/in: not a number");
  codec_is_malformed(&bed, "{\"in\":[1,2,3,null]}", "/in: not a number");
  codec_is_malformed(&bed, "{\"in\":[1,2,3,true]}", "/in: not a number");
  codec_is_malformed(&bed, "{\"in\":[1,2,3,{\"a\":4}]}", "/in: not a number");
  codec_is_malformed(&bed, "{\"in\":\"text\"}", "/in: not a number");
  codec_is_malformed(&bed, "{\"im\":[1,2,3,4]}", "nothing at /in");
  codec_is_malformed(&bed, "{\"in\":[1,2,3,4]", "not JSON: ends too early");
  codec_is_malformed(&bed, "{\"in\":[1,2,3,4]}}", "not JSON: more than one value");
  codec_is_malformed(&bed, NULL, "no value");
  codec_close(&bed);
}

static void each_tensor_has_its_own_pointer(void **state) {
  (void)state;
  struct sp_input_tensor_conf tensors[] = {
      {.name = "ids", .dtype = "int64", .shape = SHAPE(1, 2), .pointer = "/a/ids"},
      {.name = "flag", .dtype = "bool", .shape = SHAPE(1, 2)},
      {.name = "all", .dtype = "int32", .shape = SHAPE(1), .pointer = "/a/ids/1"}};
  struct sp_input_conf conf = {.format = SP_INPUT_JSON, .pointer = "/f", .tensors = LIST(tensors)};
  struct codec_bed bed;
  codec_open(&bed, &conf);
  GIVES(&bed, "{\"f\":[true,0],\"a\":{\"ids\":[9007199254740993,7]}}", 9007199254740992, 7);
  assert_true(((int64_t *)bed.storage[0].data)[2] == 9007199254740993);
  assert_true(sp_tensor_get(&bed.storage[1], 1, 0) == 1 && sp_tensor_get(&bed.storage[1], 1, 1) == 0);
  assert_true(sp_tensor_get(&bed.storage[2], 1, 0) == 7);
  codec_is_malformed(&bed, "{\"f\":[true,2],\"a\":{\"ids\":[1,7]}}",
                     "/f: a number that the element type cannot hold");
  codec_is_malformed(&bed, "{\"f\":[true,1],\"a\":{\"ids\":[1.5,7]}}",
                     "/a/ids: a number that the element type cannot hold");
  codec_close(&bed);
  tensors[0].pointer = "a/ids";
  codec_refuses(&conf, "input.tensors[ids].pointer: \"a/ids\" is no JSON pointer; write /a/ids");
  tensors[0].pointer = "/a~2";
  codec_refuses(&conf, "write ~0 for ~");
}

// ---- TensorProto

#define PROTO(dtype, shape, values) "{\"dtype\":" dtype ",\"tensorShape\":{\"dim\":" shape "}," values "}"
#define ONE_BY_TWO                  "[{\"size\":\"1\"},{\"size\":\"2\"}]"

static void tensor_protos_are_read(void **state) {
  (void)state;
  struct sp_input_tensor_conf tensors[] = {{.name = "x", .dtype = "float32", .shape = SHAPE(1, 2)}};
  struct sp_input_conf conf = {.format = SP_INPUT_TENSOR_PROTO_JSON, .tensors = LIST(tensors)};
  struct codec_bed bed;
  codec_open(&bed, &conf);
  GIVES(&bed, PROTO("\"DT_FLOAT\"", ONE_BY_TWO, "\"floatVal\":[1.5,\"-2\"]"), 1.5, -2);
  GIVES(&bed, PROTO("1", "[{\"size\":1},{\"size\":2}]", "\"float_val\":[\"NaN\",\"-Infinity\"]"), NAN,
        -INFINITY);
  GIVES(&bed, PROTO("\"DT_FLOAT\"", ONE_BY_TWO, "\"floatVal\":[7]"), 7, 7);
  GIVES(&bed, PROTO("\"DT_FLOAT\"", ONE_BY_TWO, "\"tensorContent\":\"AADAPwAAAMA=\""), 1.5, -2);
  GIVES(&bed,
        "{\"dtype\":\"DT_FLOAT\",\"tensor_shape\":{\"dim\":" ONE_BY_TWO
        "},\"tensor_content\":\"AADAPwAAAMA\"}",
        1.5, -2);
  codec_is_malformed(&bed, PROTO("\"DT_FLOAT\"", ONE_BY_TWO, "\"floatVal\":[1,2,3]"),
                     "TensorProto x: another number of values");
  codec_is_malformed(&bed, PROTO("\"DT_FLOAT\"", ONE_BY_TWO, "\"floatVal\":[]"),
                     "TensorProto x: another number of values");
  codec_is_malformed(&bed, PROTO("\"DT_FLOAT\"", ONE_BY_TWO, "\"intVal\":[1,2]"), "TensorProto x: no values");
  codec_is_malformed(&bed, PROTO("\"DT_FLOAT\"", ONE_BY_TWO, "\"floatVal\":[1,\"x\"]"),
                     "TensorProto x: not a number");
  codec_is_malformed(&bed, PROTO("\"DT_DOUBLE\"", ONE_BY_TWO, "\"floatVal\":[1,2]"),
                     "TensorProto x: another dtype");
  codec_is_malformed(&bed, PROTO("\"DT_FLOAT\"", "[{\"size\":\"2\"}]", "\"floatVal\":[1,2]"),
                     "TensorProto x: another shape");
  codec_is_malformed(
      &bed,
      PROTO("\"DT_FLOAT\"", "[{\"size\":\"1\"},{\"size\":\"2\"},{\"size\":\"1\"}]", "\"floatVal\":[1,2]"),
      "TensorProto x: another shape");
  codec_is_malformed(&bed, PROTO("1", "[{\"size\":\"1\"},{\"size\":\"3\"}]", "\"floatVal\":[1,2]"),
                     "TensorProto x: another shape");
  codec_is_malformed(&bed, PROTO("1", "[{\"size\":\"2\"},{\"size\":\"2\"}]", "\"floatVal\":[1,2]"),
                     "TensorProto x: another shape");
  codec_is_malformed(&bed, "{\"dtype\":1,\"floatVal\":[1,2]}", "TensorProto x: no tensorShape");
  codec_is_malformed(&bed, PROTO("1", ONE_BY_TWO, "\"tensorContent\":\"AADAPwAA\""),
                     "TensorProto x: tensorContent of another length");
  codec_is_malformed(&bed, PROTO("1", ONE_BY_TWO, "\"tensorContent\":\"AAD*PwAAAMA=\""),
                     "TensorProto x: tensorContent of another length");
  codec_is_malformed(&bed, "[1,2]", "TensorProto x: not an object");
  codec_close(&bed);
}

static void tensor_protos_of_every_type_are_read(void **state) {
  (void)state;
  static const struct {
    const char *dtype, *event;
  } cases[] = {
      {"float64", PROTO("\"DT_DOUBLE\"", ONE_BY_TWO, "\"doubleVal\":[3,1]")},
      {"int32", PROTO("\"DT_INT32\"", ONE_BY_TWO, "\"intVal\":[3,\"1\"]")},
      {"int64", PROTO("\"DT_INT64\"", ONE_BY_TWO, "\"int64Val\":[\"3\",1]")},
      {"uint8", PROTO("\"DT_UINT8\"", ONE_BY_TWO, "\"intVal\":[3,1]")},
      {"uint8", PROTO("\"DT_UINT8\"", ONE_BY_TWO, "\"tensorContent\":\"AwE=\"")},
  };
  struct sp_input_tensor_conf tensors[] = {{.name = "x", .shape = SHAPE(1, 2)}};
  struct sp_input_conf conf = {
      .format = SP_INPUT_TENSOR_PROTO_JSON, .pointer = "/in", .tensors = LIST(tensors)};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct codec_bed bed;
    char event[512];
    tensors[0].dtype = (char *)cases[i].dtype;
    snprintf(event, sizeof event, "{\"in\":%s}", cases[i].event);
    codec_open(&bed, &conf);
    GIVES(&bed, event, 3, 1);
    codec_close(&bed);
  }
  struct codec_bed bed;
  tensors[0].dtype = "bool";
  conf.pointer = NULL;
  codec_open(&bed, &conf);
  GIVES(&bed, PROTO("\"DT_BOOL\"", ONE_BY_TWO, "\"boolVal\":[false,true]"), 0, 1);
  codec_is_malformed(&bed, PROTO("\"DT_BOOL\"", ONE_BY_TWO, "\"tensorContent\":\"AwE=\""),
                     "TensorProto x: no bool");
  codec_close(&bed);
}

// ---- raw

static void raw_bytes_are_the_tensors(void **state) {
  (void)state;
  struct sp_input_tensor_conf tensors[] = {{.name = "x", .dtype = "float32", .shape = SHAPE(1, 2)},
                                           {.name = "y", .dtype = "bool", .shape = SHAPE(1)}};
  struct sp_input_conf conf = {.format = SP_INPUT_RAW, .tensors = LIST(tensors)};
  struct codec_bed bed;
  codec_open(&bed, &conf);
  assert_int_equal(codec_decode(&bed, sp_bytes_of("\0\0\300\077\0\0\0\300\1", 9)), SP_OUTCOME_NONE);
  assert_true(sp_tensor_get(&bed.storage[0], 1, 0) == 1.5 && sp_tensor_get(&bed.storage[0], 1, 1) == -2);
  assert_true(sp_tensor_get(&bed.storage[1], 1, 0) == 1);
  codec_is_malformed(&bed, "12345678", "8 bytes instead of 9");
  codec_is_malformed(&bed, "123456789", "y: no bool");
  codec_close(&bed);
  conf.tensors.n = 0;
  codec_open(&bed, &conf);
  assert_int_equal(codec_decode(&bed, sp_bytes_of_text("anything")), SP_OUTCOME_NONE);
  codec_close(&bed);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pointers_find_values),
      cmocka_unit_test(the_last_of_equal_keys_counts),
      cmocka_unit_test(what_is_not_json_is_refused),
      cmocka_unit_test(what_is_json_is_taken),
      cmocka_unit_test(deep_documents_are_refused_without_harm),
      cmocka_unit_test(numbers_fill_a_tensor),
      cmocka_unit_test(each_tensor_has_its_own_pointer),
      cmocka_unit_test(tensor_protos_are_read),
      cmocka_unit_test(tensor_protos_of_every_type_are_read),
      cmocka_unit_test(raw_bytes_are_the_tensors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
