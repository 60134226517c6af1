// Headers on the wire, byte for byte and hostile; where keys go, by Java's own figures.
#include <librdkafka/rdkafka.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "stream/kafka.h"
#include "stream/wire.h"

static const uint8_t boot[SP_BOOT_BYTES] = "this machine, on";
static const uint8_t other_boot[SP_BOOT_BYTES] = "another machine.";

static void test_id(void **state) {
  (void)state;
  uint8_t bytes[8];
  uint64_t id;
  sp_wire_put_id(UINT64_C(0x0102030405060708), bytes);
  assert_memory_equal(bytes, "\1\2\3\4\5\6\7\10", 8);
  assert_true(sp_wire_get_id(sp_bytes_of(bytes, 8), &id) && id == UINT64_C(0x0102030405060708));
  assert_false(sp_wire_get_id(sp_bytes_of(bytes, 7), &id));
  assert_false(sp_wire_get_id(sp_bytes_of(bytes, 9), &id));
  assert_false(sp_wire_get_id((struct sp_bytes){NULL, 8}, &id));
}

static void test_boot(void **state) {
  (void)state;
  uint8_t one[SP_BOOT_BYTES], two[SP_BOOT_BYTES], nothing[SP_BOOT_BYTES] = {0};
  sp_wire_boot(one);
  sp_wire_boot(two);
  assert_memory_equal(one, two, SP_BOOT_BYTES);
  assert_memory_not_equal(one, nothing, SP_BOOT_BYTES);
}

static const struct sp_reply stamped = {.held_ns = 1000000,
                                        .taken_ns = 1000001,
                                        .dispatched_ns = 1000300,
                                        .answered_ns = 1070000,
                                        .encoded_ns = 1070000,
                                        .server_ns = 65535};

static void test_stages(void **state) {
  (void)state;
  uint8_t bytes[SP_STAGES_BYTES];
  struct sp_reply reply = {0};
  sp_wire_put_stages(&stamped, boot, bytes);
  // Version, boot, held, then durations after held, big endian; the server's last.
  static const uint8_t expected[] = "\1this machine, on"
                                    "\0\0\0\0\0\x0f\x42\x40"
                                    "\0\0\0\0\0\0\0\1"
                                    "\0\0\0\0\0\0\1\x2c"
                                    "\0\0\0\0\0\1\x11\x70"
                                    "\0\0\0\0\0\1\x11\x70"
                                    "\0\0\0\0\0\0\xff\xff";
  assert_int_equal(sizeof expected - 1, SP_STAGES_BYTES);
  assert_memory_equal(bytes, expected, SP_STAGES_BYTES);
  assert_true(sp_wire_get_stages(sp_bytes_of(bytes, sizeof bytes), boot, &reply));
  assert_int_equal(reply.held_ns, stamped.held_ns);
  assert_int_equal(reply.taken_ns, stamped.taken_ns);
  assert_int_equal(reply.dispatched_ns, stamped.dispatched_ns);
  assert_int_equal(reply.answered_ns, stamped.answered_ns);
  assert_int_equal(reply.encoded_ns, stamped.encoded_ns);
  assert_int_equal(reply.server_ns, stamped.server_ns);
  assert_true(sp_wire_get_stages(sp_bytes_of(bytes, sizeof bytes), other_boot, &reply));
  assert_int_equal(reply.held_ns, 0);
  assert_int_equal(reply.taken_ns, 1);
  assert_int_equal(reply.encoded_ns, 70000);
  assert_int_equal(reply.server_ns, stamped.server_ns);
}

static void test_stages_not_reached(void **state) {
  (void)state;
  uint8_t bytes[SP_STAGES_BYTES];
  struct sp_reply reply = {0};
  const struct sp_reply failed = {.held_ns = 50, .taken_ns = 60, .encoded_ns = 90, .server_ns = -1};
  sp_wire_put_stages(&failed, boot, bytes);
  assert_true(sp_wire_get_stages(sp_bytes_of(bytes, sizeof bytes), boot, &reply));
  assert_true(reply.taken_ns == 60 && reply.dispatched_ns == 0 && reply.answered_ns == 0 &&
              reply.encoded_ns == 90);
  assert_int_equal(reply.server_ns, -1);
}

static void refuse_stages(const uint8_t *bytes, size_t n) {
  struct sp_reply reply = {.held_ns = 7, .encoded_ns = 8, .server_ns = 9};
  assert_false(sp_wire_get_stages(sp_bytes_of(bytes, n), boot, &reply));
  assert_true(reply.held_ns == 7 && reply.encoded_ns == 8 && reply.server_ns == 9);
}

static void test_stages_refused(void **state) {
  (void)state;
  uint8_t bytes[SP_STAGES_BYTES + 1], broken[SP_STAGES_BYTES];
  struct sp_reply backwards = stamped;
  sp_wire_put_stages(&stamped, boot, bytes);
  for (size_t n = 0; n < SP_STAGES_BYTES; n++) refuse_stages(bytes, n);
  bytes[SP_STAGES_BYTES] = 0;
  refuse_stages(bytes, SP_STAGES_BYTES + 1);
  refuse_stages(NULL, SP_STAGES_BYTES);
  memcpy(broken, bytes, sizeof broken);
  broken[0] = 2;
  refuse_stages(broken, sizeof broken);
  backwards.answered_ns = backwards.dispatched_ns - 1;
  sp_wire_put_stages(&backwards, boot, broken);
  refuse_stages(broken, sizeof broken);
  for (size_t number = 0; number < 6; number++) { // the largest and the smallest number in each place
    memcpy(broken, bytes, sizeof broken);
    memset(broken + 17 + 8 * number, 0xff, 8);
    broken[17 + 8 * number] = 0x7f;
    refuse_stages(broken, sizeof broken);
    memset(broken + 17 + 8 * number, 0, 8);
    broken[17 + 8 * number] = 0x80;
    refuse_stages(broken, sizeof broken);
  }
}

static void test_outcome(void **state) {
  (void)state;
  uint8_t bytes[SP_OUTCOME_BYTES];
  struct sp_reply failed = {.outcome = SP_OUTCOME_DEADLINE, .code = -4, .text = "4 ms went by"}, reply = {0};
  size_t n = sp_wire_put_outcome(&failed, bytes);
  assert_int_equal(n, sizeof "deadline\0-4\0004 ms went by" - 1);
  assert_memory_equal(bytes, "deadline\0-4\0004 ms went by", n);
  assert_true(sp_wire_get_outcome(sp_bytes_of(bytes, n), &reply));
  assert_true(reply.outcome == SP_OUTCOME_DEADLINE && reply.code == -4);
  assert_string_equal(reply.text, "4 ms went by");
  memset(failed.text, 'x', sizeof failed.text - 1);
  failed = (struct sp_reply){.outcome = SP_OUTCOME_UNAVAILABLE, .code = INT32_MIN};
  memset(failed.text, 'x', sizeof failed.text - 1);
  n = sp_wire_put_outcome(&failed, bytes);
  assert_true(n <= sizeof bytes && sp_wire_get_outcome(sp_bytes_of(bytes, n), &reply));
  assert_true(reply.code == INT32_MIN && strcmp(reply.text, failed.text) == 0);
}

static bool takes(const char *bytes, size_t n, struct sp_reply *reply) {
  *reply = (struct sp_reply){0};
  bool is_taken = sp_wire_get_outcome(sp_bytes_of(bytes, n), reply);
  if (!is_taken) assert_true(reply->outcome == SP_OUTCOME_NONE && reply->code == 0 && reply->text[0] == 0);
  return is_taken;
}
#define TAKES(bytes, reply) takes(bytes, sizeof bytes - 1, reply)

static void test_outcome_hostile(void **state) {
  (void)state;
  struct sp_reply reply;
  // What only the driver may judge.
  assert_false(TAKES("ok\0000\0", &reply));
  assert_false(TAKES("unchecked\0000\0", &reply));
  assert_false(TAKES("mismatch\0000\0", &reply));
  assert_false(TAKES("lost\0000\0", &reply));
  assert_false(TAKES("shed\0000\0", &reply));
  assert_false(TAKES("none\0000\0", &reply));
  assert_false(TAKES("", &reply));
  assert_false(TAKES("error", &reply));
  assert_false(TAKES("error\0", &reply));
  assert_false(TAKES("error\00013", &reply));
  assert_false(TAKES("error\0\0text", &reply));
  assert_false(TAKES("error\0one\0text", &reply));
  assert_false(TAKES("error\00099999999999\0text", &reply));
  assert_false(TAKES("error\0002147483648\0text", &reply));
  assert_false(TAKES("errors\0001\0text", &reply));
  assert_false(takes(NULL, 0, &reply));
  assert_true(TAKES("error\0001\0", &reply) && reply.text[0] == 0);
  assert_true(TAKES("filtered\0000\0a\033[31mb\177", &reply)); // a terminal is not driven
  assert_string_equal(reply.text, "a?[31mb?");
  char large[400] = "error\0001\0";
  memset(large + 8, 'y', sizeof large - 8);
  assert_true(takes(large, sizeof large, &reply));
  assert_int_equal(strlen(reply.text), SP_REPLY_TEXT_BYTES - 1);
}

// From the tests of Kafka's own Utils.murmur2.
static void test_partition(void **state) {
  (void)state;
  static const struct {
    const char *key;
    int32_t murmur2;
  } java[] = {
      {"21", -973932308},
      {"foobar", -790332482},
      {"a-little-bit-long-string", -985981536},
      {"a-little-bit-longer-string", -1486304829},
      {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
      {"abc", 479470107},
  };
  for (size_t i = 0; i < sizeof java / sizeof *java; i++) {
    struct sp_bytes key = sp_bytes_of_text(java[i].key);
    for (uint32_t n = 1; n < 40; n++) {
      int32_t expected = (int32_t)((uint32_t)(java[i].murmur2 & 0x7fffffff) % n); // Java's toPositive
      assert_int_equal(sp_partition_of(key, 5, n), expected);
      assert_int_equal(rd_kafka_msg_partitioner_murmur2_random(NULL, key.data, key.n, (int32_t)n, NULL, NULL),
                       expected);
    }
  }
  for (uint64_t id = 0; id < 10; id++)
    assert_int_equal(sp_partition_of((struct sp_bytes){NULL, 0}, id, 3), id % 3);
  assert_int_equal(sp_partition_of(sp_bytes_of("", 0), 1, 7), sp_partition_of(sp_bytes_of("", 0), 2, 7));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_id),
      cmocka_unit_test(test_boot),
      cmocka_unit_test(test_stages),
      cmocka_unit_test(test_stages_not_reached),
      cmocka_unit_test(test_stages_refused),
      cmocka_unit_test(test_outcome),
      cmocka_unit_test(test_outcome_hostile),
      cmocka_unit_test(test_partition),
  };
  return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
