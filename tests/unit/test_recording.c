// Recordings: what is written is read back; what is cut, altered or hostile is refused, never replayed in part.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <xxhash.h>
#include <zstd.h>

#include "proto/recording.pb-c.h"
#include "recording/recording.h"

static char folder[] = "/tmp/sp-recording-XXXXXX";
static char path[sizeof folder + 16];

static int make_folder(void **state) {
  (void)state;
  if (!mkdtemp(folder)) return -1;
  snprintf(path, sizeof path, "%s/a.sprec", folder);
  return 0;
}
static int remove_folder(void **state) {
  (void)state;
  unlink(path);
  return rmdir(folder); // fails if a temporary file was left
}

static const struct sp_recording_header a_header = {.name = "tést",
                                                    .source = "here",
                                                    .licence = "CC0",
                                                    .note = "",
                                                    .content_type = "text/csv",
                                                    .times_are_real = true,
                                                    .start_unix_ns = -5};

static const struct sp_header_field some_headers[] = {
    {"one", {(const uint8_t *)"1", 1}}, {"none", {NULL, 0}}, {"empty", {(const uint8_t *)"", 0}}};
static const struct sp_event some_events[] = {
    {0, {NULL, 0}, {(const uint8_t *)"a,b", 3}, NULL, 0},
    {7, {(const uint8_t *)"", 0}, {NULL, 0}, NULL, 0},
    {7, {(const uint8_t *)"k\0k", 3}, {(const uint8_t *)"", 0}, some_headers, 3},
    {UINT64_MAX, {(const uint8_t *)"key", 3}, {(const uint8_t *)"\xff\n", 2}, NULL, 0},
};
#define N_EVENTS (sizeof some_events / sizeof some_events[0])

static void write_some(size_t n) {
  struct sp_error error;
  struct sp_recording_writer *writer;
  assert_int_equal(sp_recording_writer_new(path, &a_header, &writer, &error), SP_OK);
  for (size_t i = 0; i < n; i++) {
    assert_int_equal(sp_recording_writer_add(writer, &some_events[i % N_EVENTS], &error), SP_OK);
  }
  assert_int_equal(sp_recording_writer_finish(writer, &error), SP_OK);
}

static void assert_same_bytes(struct sp_bytes a, struct sp_bytes b) {
  assert_true(!a.data == !b.data);
  assert_int_equal(a.n, b.n);
  if (a.data && b.data) assert_memory_equal(a.data, b.data, a.n);
}

static void assert_same(const struct sp_event *a, const struct sp_event *b) {
  assert_true(a->offset_ns == b->offset_ns);
  assert_same_bytes(a->key, b->key);
  assert_same_bytes(a->value, b->value);
  assert_int_equal(a->n_headers, b->n_headers);
  for (size_t i = 0; i < a->n_headers; i++) {
    assert_string_equal(a->headers[i].name, b->headers[i].name);
    assert_same_bytes(a->headers[i].value, b->headers[i].value);
  }
}

static void test_round_trip(void **state) {
  (void)state;
  write_some(N_EVENTS);
  struct sp_recording *recording;
  struct sp_error error;
  char digest[SP_DIGEST_TEXT_BYTES];
  assert_int_equal(sp_recording_load(path, &recording, &error), SP_OK);
  assert_string_equal(recording->header.name, "tést");
  assert_string_equal(recording->header.note, "");
  assert_true(recording->header.times_are_real);
  assert_int_equal(recording->header.start_unix_ns, -5);
  assert_int_equal(recording->n_events, N_EVENTS);
  for (size_t i = 0; i < N_EVENTS; i++) assert_same(&recording->events[i], &some_events[i]);
  assert_int_equal(sp_digest_file(path, digest, &error), SP_OK);
  assert_string_equal(recording->digest, digest);
  sp_recording_free(recording);
}

static void test_many(void **state) {
  (void)state;
  struct sp_error error;
  struct sp_recording_writer *writer;
  assert_int_equal(sp_recording_writer_new(path, &a_header, &writer, &error), SP_OK);
  char value[3000];
  for (unsigned i = 0; i < 20000; i++) {
    int n = snprintf(value, sizeof value, "%u,%0*u", i, (int)(i % 97 * 29 + 1), i * 2654435761U);
    struct sp_event event = {.offset_ns = i, .value = sp_bytes_of(value, (size_t)n)};
    assert_int_equal(sp_recording_writer_add(writer, &event, &error), SP_OK);
  }
  assert_int_equal(sp_recording_writer_finish(writer, &error), SP_OK);
  struct sp_recording *recording;
  assert_int_equal(sp_recording_load(path, &recording, &error), SP_OK);
  assert_int_equal(recording->n_events, 20000);
  for (unsigned i = 0; i < 20000; i++) {
    int n = snprintf(value, sizeof value, "%u,%0*u", i, (int)(i % 97 * 29 + 1), i * 2654435761U);
    assert_true(sp_bytes_equal(recording->events[i].value, sp_bytes_of(value, (size_t)n)));
  }
  sp_recording_free(recording);
}

static void test_longest(void **state) {
  (void)state;
  struct sp_error error;
  struct sp_recording_writer *writer;
  size_t n = (size_t)64 << 20;
  uint8_t *bytes = calloc(1, n);
  assert_int_equal(sp_recording_writer_new(path, &a_header, &writer, &error), SP_OK);
  struct sp_event event = {.value = sp_bytes_of(bytes, n - 16)};
  assert_int_equal(sp_recording_writer_add(writer, &event, &error), SP_OK);
  event.value.n = n;
  assert_int_equal(sp_recording_writer_add(writer, &event, &error), SP_ERR_USAGE);
  assert_int_equal(sp_recording_writer_finish(writer, &error), SP_OK);
  struct sp_recording *recording;
  assert_int_equal(sp_recording_load(path, &recording, &error), SP_OK);
  assert_int_equal(recording->events[0].value.n, n - 16);
  sp_recording_free(recording);
  free(bytes);
}

static void test_writer_refuses(void **state) {
  (void)state;
  struct sp_error error;
  struct sp_recording_writer *writer;
  unlink(path);
  assert_int_equal(sp_recording_writer_new("/nonexistent/a.sprec", &a_header, &writer, &error),
                   SP_ERR_ENVIRONMENT);
  assert_null(writer);
  struct sp_recording_header header = a_header;
  header.note = "\xed\xa0\x80";
  assert_int_equal(sp_recording_writer_new(path, &header, &writer, &error), SP_ERR_USAGE);
  assert_non_null(strstr(error.text, "note is not UTF-8"));
  assert_int_equal(sp_recording_writer_new(path, &a_header, &writer, &error), SP_OK);
  struct sp_event event = {.offset_ns = 5, .value = sp_bytes_of_text("x")};
  assert_int_equal(sp_recording_writer_add(writer, &event, &error), SP_OK);
  event.offset_ns = 4;
  assert_int_equal(sp_recording_writer_add(writer, &event, &error), SP_ERR_USAGE);
  assert_non_null(strstr(error.text, "event 1"));
  sp_recording_writer_abandon(writer);
  assert_int_equal(access(path, F_OK), -1);
}

// --- Files that are not whole ---

static uint8_t *read_file(size_t *n) {
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  uint8_t *bytes = malloc(1 << 20);
  *n = fread(bytes, 1, 1 << 20, file);
  fclose(file);
  return bytes;
}
static void write_file(const void *bytes, size_t n) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, n, file), n);
  fclose(file);
}

static void assert_refused(const char *words) {
  struct sp_error error = {0};
  struct sp_recording *recording;
  assert_int_equal(sp_recording_load(path, &recording, &error), SP_ERR_ENVIRONMENT);
  assert_null(recording);
  assert_non_null(strstr(error.text, path));
  if (!strstr(error.text, words)) fail_msg("\"%s\" does not say \"%s\"", error.text, words);
}

static void test_cut_at_every_byte(void **state) {
  (void)state;
  write_some(3);
  size_t n;
  uint8_t *bytes = read_file(&n);
  for (size_t cut = 0; cut < n; cut++) {
    write_file(bytes, cut);
    assert_refused(cut == 0 ? "the file is empty" : "truncated");
  }
  free(bytes);
}

static void test_every_bit_flipped(void **state) {
  (void)state;
  write_some(3);
  size_t n, n_refused = 0;
  uint8_t *bytes = read_file(&n);
  for (size_t bit = 0; bit < 8 * n; bit++) {
    bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    write_file(bytes, n);
    struct sp_error error;
    struct sp_recording *recording;
    enum sp_err err = sp_recording_load(path, &recording, &error);
    // zstd leaves a few bits of its frame header without meaning: then the events must be the same.
    if (!err) {
      for (size_t i = 0; i < 3; i++) assert_same(&recording->events[i], &some_events[i]);
      sp_recording_free(recording);
    } else {
      assert_int_equal(err, SP_ERR_ENVIRONMENT);
      n_refused++;
    }
    bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
  free(bytes);
  assert_true(n_refused >= 8 * n - 16);
}

static void test_no_recording(void **state) {
  (void)state;
  write_file("a,b\n1,2\n", 8);
  assert_refused("is not a recording");
  write_some(0);
  assert_refused("holds no events");
  struct sp_error error;
  struct sp_recording_reader *reader;
  assert_int_equal(sp_recording_reader_new(folder, &reader, &error), SP_ERR_ENVIRONMENT);
  assert_null(reader);
  write_some(2);
  size_t n;
  uint8_t *bytes = read_file(&n);
  bytes[n] = 'x';
  write_file(bytes, n + 1);
  assert_refused("bytes follow the Zstandard stream");
  free(bytes);
}

// --- Hostile streams, made by hand ---

struct stream {
  uint8_t bytes[1 << 16];
  size_t n;
};

static void put_varint(struct stream *stream, uint64_t value) {
  for (; value >= 0x80; value >>= 7) stream->bytes[stream->n++] = (uint8_t)(value | 0x80);
  stream->bytes[stream->n++] = (uint8_t)value;
}
static void put(struct stream *stream, const void *bytes, size_t n) {
  put_varint(stream, n);
  memcpy(stream->bytes + stream->n, bytes, n);
  stream->n += n;
}
static struct stream with_header(const char *header) {
  struct stream stream = {.n = 0};
  put(&stream, header, strlen(header));
  return stream;
}
static const char header_1[] = "\x0a\x02\x08\x01"; // header {version: 1}
static void put_trailer(struct stream *stream, uint64_t n_events, uint64_t hash) {
  uint8_t trailer[13] = {0x1a, 11, 0x08, (uint8_t)n_events, 0x11};
  memcpy(trailer + 5, &hash, 8);
  put(stream, trailer, 13);
}
static void save(const struct stream *stream) {
  size_t room = ZSTD_compressBound(stream->n);
  uint8_t *packed = malloc(room);
  write_file(packed, ZSTD_compress(packed, room, stream->bytes, stream->n, 1));
  free(packed);
}

static void test_wrong_records(void **state) {
  (void)state;
  static const char event[] = "\x12\x02\x08\x05", early[] = "\x12\x02\x08\x04"; // event {offset_ns: 5}, {4}
  struct stream stream = with_header(header_1);
  put(&stream, event, 4);
  uint64_t hash = XXH64(stream.bytes, stream.n, 0);
  struct stream whole = stream, other = stream;
  put_trailer(&whole, 1, hash);
  save(&whole);
  struct sp_recording *recording;
  struct sp_error error;
  assert_int_equal(sp_recording_load(path, &recording, &error), SP_OK);
  assert_null(recording->events[0].value.data);
  sp_recording_free(recording);
  put_trailer(&other, 2, hash);
  save(&other);
  assert_refused("event 1 (byte 10 of the uncompressed stream");
  other = stream;
  put_trailer(&other, 1, hash + 1);
  save(&other);
  assert_refused("xxHash differs");
  save(&stream);
  assert_refused("ends without a trailer");
  put(&whole, event, 4);
  save(&whole);
  assert_refused("bytes follow the trailer");
  other = stream;
  put(&other, early, 4);
  save(&other);
  assert_refused("offset lies before");
  other = stream;
  put(&other, header_1, 4);
  save(&other);
  assert_refused("neither an event nor the trailer");
  other = (struct stream){.n = 0};
  put(&other, event, 4);
  save(&other);
  assert_refused("the first record is no header");
  other = with_header("\x0a\x02\x08\x02");
  save(&other);
  assert_refused("format version 2");
  other = stream;
  put(&other, "\x12\x05\x08", 3);
  save(&other);
  assert_refused("not a record of this format");
}

static void test_hostile_lengths(void **state) {
  (void)state;
  struct stream stream = with_header(header_1);
  struct stream other = stream;
  put_varint(&other, (64 << 20) + 1);
  save(&other);
  assert_refused("longer than 64 MiB");
  other = stream;
  put_varint(&other, UINT64_MAX);
  save(&other);
  assert_refused("longer than 64 MiB");
  other = stream;
  put_varint(&other, 64 << 20); // claimed, not there
  save(&other);
  assert_refused("ends inside a record");
}

// One event with n empty message headers: two bytes each here, more than ninety in memory.
static void save_headers(size_t n) {
  struct stream stream = with_header(header_1), event = {.n = 0};
  event.bytes[event.n++] = 0x12;
  put_varint(&event, 2 * n);
  for (size_t i = 0; i < n; i++, event.n += 2) memcpy(event.bytes + event.n, "\x22", 2);
  put(&stream, event.bytes, event.n);
  put_trailer(&stream, 1, XXH64(stream.bytes, stream.n, 0));
  save(&stream);
}

static void test_hostile_headers(void **state) {
  (void)state;
  struct sp_recording *recording;
  struct sp_error error;
  save_headers(4096);
  assert_int_equal(sp_recording_load(path, &recording, &error), SP_OK);
  assert_int_equal(recording->events[0].n_headers, 4096);
  assert_string_equal(recording->events[0].headers[4095].name, "");
  assert_null(recording->events[0].headers[4095].value.data);
  sp_recording_free(recording);
  save_headers(30000);
  assert_refused("not a record of this format");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_round_trip),        cmocka_unit_test(test_many),
      cmocka_unit_test(test_longest),           cmocka_unit_test(test_writer_refuses),
      cmocka_unit_test(test_cut_at_every_byte), cmocka_unit_test(test_every_bit_flipped),
      cmocka_unit_test(test_no_recording),      cmocka_unit_test(test_wrong_records),
      cmocka_unit_test(test_hostile_lengths),   cmocka_unit_test(test_hostile_headers),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
