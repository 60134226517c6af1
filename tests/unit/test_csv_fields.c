// Splitting a record into fields, and fields into values, by hand.
#include "support/codec_bed.h"

#include <math.h>
#include <string.h>

#include "codec/csv.h"

#define TEXTS(...)                                                                                           \
  { (char *[]){__VA_ARGS__}, sizeof((char *[]){__VA_ARGS__}) / sizeof(char *) }
#define LIST(array)                                                                                          \
  { array, sizeof(array) / sizeof *(array) }
#define SHAPE(n)                                                                                             \
  { (int64_t[]){1, n}, 2 }

// ---- fields

static void fields_are(const char *record, const char *const *expected, size_t n, enum sp_csv_field last) {
  struct sp_scratch *scratch = sp_scratch_new();
  const uint8_t *at = (const uint8_t *)record, *end = at + strlen(record);
  struct sp_bytes field = {NULL, 0};
  enum sp_csv_field kind = SP_CSV_FIELD;
  for (size_t i = 0; i < n; i++) {
    assert_int_equal(kind, SP_CSV_FIELD);
    kind = sp_csv_next(&at, end, scratch, &field);
    if (field.n != strlen(expected[i]) || memcmp(field.data, expected[i], field.n) != 0) {
      fail_msg("%s: field %zu is \"%.*s\", not \"%s\"", record, i, (int)field.n, (const char *)field.data,
               expected[i]);
    }
  }
  if (last == SP_CSV_FIELD_BROKEN) kind = sp_csv_next(&at, end, scratch, &field);
  assert_int_equal(kind, last);
  sp_scratch_free(scratch);
}

#define FIELDS(record, last, ...)                                                                            \
  fields_are(record, (const char *const[]){__VA_ARGS__},                                                     \
             sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), last)

static void records_are_split_as_rfc_4180_says(void **state) {
  (void)state;
  FIELDS("", SP_CSV_FIELD_LAST, "");
  FIELDS(",", SP_CSV_FIELD_LAST, "", "");
  FIELDS("a,b,c", SP_CSV_FIELD_LAST, "a", "b", "c");
  FIELDS("a,b\r\n", SP_CSV_FIELD_LAST, "a", "b");
  FIELDS("a,b\nrest", SP_CSV_FIELD_LAST, "a", "b");
  FIELDS("\"a\",\"b\"\r\n", SP_CSV_FIELD_LAST, "a", "b");
  FIELDS("\"a,b\",c", SP_CSV_FIELD_LAST, "a,b", "c");
  FIELDS("\"line\r\nbreak\",c", SP_CSV_FIELD_LAST, "line\r\nbreak", "c");
  FIELDS("\"\",\"\"\"\",\"a\"\"b\"\"\"", SP_CSV_FIELD_LAST, "", "\"", "a\"b\"");
  FIELDS("a\"b\"c,d", SP_CSV_FIELD_LAST, "a\"b\"c", "d");
  FIELDS(" a , \"b\" ", SP_CSV_FIELD_LAST, " a ", " \"b\" ");
  FIELDS("\xff\xfe,\xc3\xa9", SP_CSV_FIELD_LAST, "\xff\xfe", "\xc3\xa9");
  FIELDS("a,\"b", SP_CSV_FIELD_BROKEN, "a");
  FIELDS("a,\"b\"c,d", SP_CSV_FIELD_BROKEN, "a");
  FIELDS("a,\"b\"\"", SP_CSV_FIELD_BROKEN, "a");
  FIELDS("a,\"", SP_CSV_FIELD_BROKEN, "a");
}

// ---- numbers

static void numbers_are_read_quoted_or_not(void **state) {
  (void)state;
  struct sp_column_conf columns[] = {{.column = "b"}, {.column = "a"}};
  struct sp_input_tensor_conf tensors[] = {
      {.name = "x", .dtype = "float32", .shape = SHAPE(2), .columns = LIST(columns)}};
  struct sp_input_conf conf = {.header = TEXTS("a", "b", "c"), .tensors = LIST(tensors)};
  struct codec_bed bed;
  codec_open(&bed, &conf);
  GIVES(&bed, "1,2,3", 2, 1);
  GIVES(&bed, "\"1\",\"-2.5e1\",3\r\n", -25, 1);
  GIVES(&bed, "+.5,7.,whatever \"this\" is\n\n", 7, 0.5);
  GIVES(&bed, "0.1,1e400,", INFINITY, (double)0.1F);
  GIVES(&bed, "-0,1e-400,\"a,b\nc\"", 0, -0.0);
  codec_is_malformed(&bed, "1,x,3", "column b: not a number");
  codec_is_malformed(&bed, "1 ,2,3", "column a: not a number");
  codec_is_malformed(&bed, "1,2e,3", "column b: not a number");
  codec_is_malformed(&bed, "0x1,2,3", "column a: not a number");
  codec_is_malformed(&bed, "nan,2,3", "column a: not a number");
  codec_is_malformed(&bed, ",2,3", "column a: missing");
  codec_is_malformed(&bed, "1,NA,3", "column b: missing");
  codec_is_malformed(&bed, "1,\"NA\",3", "column b: missing");
  codec_is_malformed(&bed, "1,2", "2 columns instead of 3");
  codec_is_malformed(&bed, "1,2,3,4,5", "5 columns instead of 3");
  codec_is_malformed(&bed, "1,2,3\n4,5,6", "more than one line");
  codec_is_malformed(&bed, "\"1\"x,2,3", "not CSV: quotes");
  codec_is_malformed(&bed, "1,2,\"3", "not CSV: quotes");
  codec_is_malformed(&bed, "", "an empty line");
  codec_is_malformed(&bed, "\r\n", "an empty line");
  codec_is_malformed(&bed, NULL, "no value");
  codec_close(&bed);
}

static void whole_numbers_keep_all_their_bits(void **state) {
  (void)state;
  struct sp_column_conf columns[] = {{.column = "a"}};
  struct sp_input_tensor_conf tensors[] = {
      {.name = "x", .dtype = "int64", .shape = SHAPE(1), .columns = LIST(columns)}};
  struct sp_input_conf conf = {.header = TEXTS("a"), .tensors = LIST(tensors)};
  struct codec_bed bed;
  codec_open(&bed, &conf);
  assert_int_equal(codec_decode(&bed, sp_bytes_of_text("9223372036854775807")), SP_OUTCOME_NONE);
  assert_true(((int64_t *)bed.storage[0].data)[1] == INT64_MAX);
  assert_int_equal(codec_decode(&bed, sp_bytes_of_text("-9223372036854775808")), SP_OUTCOME_NONE);
  assert_true(((int64_t *)bed.storage[0].data)[1] == INT64_MIN);
  GIVES(&bed, "3.0", 3);
  GIVES(&bed, "12e2", 1200);
  codec_is_malformed(&bed, "3.5", "column a: no int64");
  codec_is_malformed(&bed, "9223372036854775808", "column a: no int64");
  codec_is_malformed(&bed, "1e300", "column a: no int64");
  codec_close(&bed);
  tensors[0].dtype = "uint8";
  codec_open(&bed, &conf);
  GIVES(&bed, "255", 255);
  codec_is_malformed(&bed, "256", "column a: no uint8");
  codec_is_malformed(&bed, "-1", "column a: no uint8");
  codec_close(&bed);
}

static void policies_of_numbers(void **state) {
  (void)state;
  struct sp_column_conf columns[] = {{.column = "a", .missing = "nan", .unknown = "-1.5"},
                                     {.column = "b", .missing = "7"}};
  struct sp_input_tensor_conf tensors[] = {{.name = "x", .shape = SHAPE(2), .columns = LIST(columns)}};
  struct sp_input_conf conf = {.header = TEXTS("a", "b"), .tensors = LIST(tensors)};
  struct codec_bed bed;
  codec_open(&bed, &conf);
  GIVES(&bed, ",NA", NAN, 7);
  GIVES(&bed, "\"\",\"NA\"", NAN, 7);
  GIVES(&bed, "abc,1", -1.5, 1);
  codec_is_malformed(&bed, "1,abc", "column b: not a number");
  codec_close(&bed);
}

// ---- levels

static void levels_become_their_line_numbers(void **state) {
  (void)state;
  struct codec_file file = {{0}, {0}};
  codec_write(&file, "AA\r\nB6\nNA Inc, \"x\"\n\nlast");
  struct sp_column_conf columns[] = {
      {.column = "a", .vocabulary = file.path},
      {.column = "b", .vocabulary = file.path, .missing = "own_code", .unknown = "own_code"},
      {.column = "c", .vocabulary = file.path, .missing = "own_code", .unknown = "-1"}};
  struct sp_input_tensor_conf tensors[] = {{.name = "x", .shape = SHAPE(3), .columns = LIST(columns)}};
  struct sp_input_conf conf = {.header = TEXTS("a", "b", "c"), .tensors = LIST(tensors)};
  struct codec_bed bed;
  codec_open(&bed, &conf);
  GIVES(&bed, "AA,B6,last", 0, 1, 4);
  GIVES(&bed, "\"NA Inc, \"\"x\"\"\",ZZ,ZZ", 2, 5, -1);
  GIVES(&bed, "AA,,NA", 0, 6, 5);
  codec_is_malformed(&bed, "aa,AA,AA", "column a: unknown level");
  codec_is_malformed(&bed, "AA ,AA,AA", "column a: unknown level");
  codec_is_malformed(&bed, "NA,AA,AA", "column a: missing");
  codec_close(&bed);
  codec_remove(&file);
}

static void one_hot_gives_a_slot_to_each_level_and_own_code(void **state) {
  (void)state;
  struct codec_file file = {{0}, {0}};
  codec_write(&file, "x\ny\n");
  struct sp_column_conf columns[] = {
      {.column = "n"},
      {.column = "a", .one_hot = file.path, .missing = "own_code", .unknown = "own_code"},
      {.column = "b", .one_hot = file.path, .missing = "own_code", .unknown = "nan"},
      {.column = "n"}};
  struct sp_input_tensor_conf tensors[] = {{.name = "x", .shape = SHAPE(9), .columns = LIST(columns)}};
  struct sp_input_conf conf = {.header = TEXTS("a", "b", "n"), .tensors = LIST(tensors)};
  struct codec_bed bed;
  codec_open(&bed, &conf);
  GIVES(&bed, "x,y,5", 5, 1, 0, 0, 0, 0, 1, 0, 5);
  GIVES(&bed, "z,,5", 5, 0, 0, 1, 0, 0, 0, 1, 5);
  GIVES(&bed, "NA,z,5", 5, 0, 0, 0, 1, NAN, NAN, NAN, 5);
  codec_close(&bed);
  codec_remove(&file);
}

static void columns_may_fill_several_tensors(void **state) {
  (void)state;
  struct sp_column_conf first[] = {{.column = "a"}}, second[] = {{.column = "b"}, {.column = "a"}};
  struct sp_input_tensor_conf tensors[] = {
      {.name = "x", .dtype = "float64", .shape = SHAPE(1), .columns = LIST(first)},
      {.name = "y", .dtype = "int32", .shape = SHAPE(2), .columns = LIST(second)}};
  struct sp_input_conf conf = {.header = TEXTS("a", "b"), .tensors = LIST(tensors)};
  struct codec_bed bed;
  codec_open(&bed, &conf);
  GIVES(&bed, "1,2", 1);
  assert_true(sp_tensor_get(&bed.storage[1], 1, 0) == 2 && sp_tensor_get(&bed.storage[1], 1, 1) == 1);
  codec_is_malformed(&bed, "1.5,2", "column a: no int32");
  codec_close(&bed);
}

// ---- declarations

static void wrong_declarations_are_refused(void **state) {
  (void)state;
  struct codec_file file = {{0}, {0}}, empty = {{0}, {0}}, twice = {{0}, {0}};
  codec_write(&file, "x\ny\n");
  codec_write(&empty, "");
  codec_write(&twice, "x\ny\nx\n");
  struct sp_column_conf columns[] = {{.column = "Amount"}};
  struct sp_input_tensor_conf tensors[] = {{.name = "t", .shape = SHAPE(1), .columns = LIST(columns)}};
  struct sp_input_conf conf = {.header = TEXTS("Time", "Amount"), .tensors = LIST(tensors)};
  const struct sp_column_conf fine = columns[0];
  const struct {
    struct sp_column_conf column;
    const char *said;
  } cases[] = {
      {{.column = "Amuont"},
       "input.tensors[t].columns[0]: input.header has no column \"Amuont\"; did you mean Amount?"},
      {{.column = NULL}, "no column is named"},
      {{.column = "Amount", .missing = "own_code"}, "columns[0].missing: own_code needs levels"},
      {{.column = "Amount", .unknown = "own_code"}, "columns[0].unknown: own_code needs levels"},
      {{.column = "Amount", .unknown = "nann"},
       "\"nann\" is neither a number nor a policy; did you mean nan?"},
      {{.column = "Amount", .unknown = "1x"}, "neither a number nor a policy"},
      {{.column = "Amount", .vocabulary = "/nonexistent", .one_hot = "/nonexistent"},
       "both vocabulary and one_hot"},
      {{.column = "Amount", .vocabulary = "/nonexistent"}, "cannot read /nonexistent"},
      {{.column = "Amount", .vocabulary = "/tmp"}, "cannot read /tmp (Is a directory)"},
      {{.column = "Amount", .vocabulary = empty.path}, "is empty"},
      {{.column = "Amount", .vocabulary = twice.path}, ":3: \"x\" stands in line 1 already"},
      {{.column = "Amount", .one_hot = file.path}, "columns fill 2 elements of a row, but shape says 1"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    columns[0] = cases[i].column;
    codec_refuses(&conf, cases[i].said);
  }
  columns[0] = fine;
  tensors[0].dtype = "int64";
  columns[0].missing = "nan";
  codec_refuses(&conf, "int64 cannot hold nan");
  columns[0] = fine;
  tensors[0].dtype = "bool";
  columns[0].vocabulary = file.path;
  columns[0].unknown = "own_code";
  codec_refuses(&conf, "bool cannot hold the code 2");
  columns[0] = fine;
  tensors[0].dtype = "float23";
  codec_refuses(&conf, "did you mean float32?");
  tensors[0].dtype = NULL;
  conf.header.items[0] = "Amount";
  codec_refuses(&conf, "input.header: column 2 is named \"Amount\" as column 1 is");
  conf.header.n = 0;
  codec_refuses(&conf, "input.header: is empty");
  codec_remove(&file);
  codec_remove(&empty);
  codec_remove(&twice);
}

static void wrong_tensors_are_refused(void **state) {
  (void)state;
  struct sp_column_conf columns[] = {{.column = "a"}};
  struct sp_step_conf steps[] = {{.step = SP_STEP_LOWERCASE}};
  struct sp_input_tensor_conf tensors[] = {{.name = "t", .shape = SHAPE(1), .columns = LIST(columns)},
                                           {.name = "t", .shape = SHAPE(1), .columns = LIST(columns)}};
  struct sp_input_conf conf = {.header = TEXTS("a"), .tensors = LIST(tensors)};
  codec_refuses(&conf, "\"t\" is there twice");
  conf.tensors.n = 0;
  codec_refuses(&conf, "has 0 tensors");
  conf.tensors.n = 1;
  tensors[0].name = NULL;
  codec_refuses(&conf, "input.tensors[0].name");
  tensors[0].name = "t";
  tensors[0].steps = (struct sp_list)LIST(steps);
  codec_refuses(&conf, "input.tensors[t].steps: has no meaning for format csv");
  tensors[0].steps.n = 0;
  tensors[0].pointer = "/a";
  codec_refuses(&conf, "input.tensors[t].pointer: has no meaning for format csv");
  tensors[0].pointer = NULL;
  tensors[0].shape = (struct sp_counts){(int64_t[]){2, 1}, 2};
  codec_refuses(&conf, "write [1, ...]");
  tensors[0].shape = (struct sp_counts){(int64_t[]){1, 0}, 2};
  codec_refuses(&conf, "dimension 1 is 0");
  tensors[0].shape = (struct sp_counts){(int64_t[]){1, 1 << 20, 1 << 20}, 3};
  codec_refuses(&conf, "at most 2^28 elements");
  tensors[0].shape.n = 0;
  codec_refuses(&conf, "write [1, ...]");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(records_are_split_as_rfc_4180_says),
      cmocka_unit_test(numbers_are_read_quoted_or_not),
      cmocka_unit_test(whole_numbers_keep_all_their_bits),
      cmocka_unit_test(policies_of_numbers),
      cmocka_unit_test(levels_become_their_line_numbers),
      cmocka_unit_test(one_hot_gives_a_slot_to_each_level_and_own_code),
      cmocka_unit_test(columns_may_fill_several_tensors),
      cmocka_unit_test(wrong_declarations_are_refused),
      cmocka_unit_test(wrong_tensors_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
