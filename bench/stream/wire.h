// What travels in Kafka headers beside the value (DESIGN §4), written and read by both halves. Big endian throughout.
//   sp-id       8 bytes: index in the schedule
//   sp-run     16 bytes: the run
//   sp-stages  version 1: struct sp_wire_stages, in its order
//   sp-outcome  outcome's name, NUL, code as text, NUL, text: the value is empty then
#ifndef SP_STREAM_WIRE_H
#define SP_STREAM_WIRE_H

#include "stream/stream.h"

#define SP_HEADER_ID      "sp-id"
#define SP_HEADER_RUN     "sp-run"
#define SP_HEADER_STAGES  "sp-stages"
#define SP_HEADER_OUTCOME "sp-outcome"

#define SP_BOOT_BYTES   16
#define SP_STAGES_BYTES 65
struct sp_wire_stages { // as it stands on the wire, 8 bytes a number
  // 1 byte: version, 1
  uint8_t boot
      [SP_BOOT_BYTES]; // digest of boot id and time namespace: absolute stamps hold only where it is the reader's own
  int64_t held_ns;                                          // CLOCK_MONOTONIC there
  int64_t taken_ns, dispatched_ns, answered_ns, encoded_ns; // after held_ns; -1: did not happen
  int64_t server_ns;                                        // -1: unknown
};

void sp_wire_boot(uint8_t boot[SP_BOOT_BYTES]); // of this machine, now
void sp_wire_put_id(uint64_t id, uint8_t to[8]);
bool sp_wire_get_id(struct sp_bytes header, uint64_t *id); // false: not 8 bytes
// Stamps of the reply from held_ns to server_ns, CLOCK_MONOTONIC; 0: did not happen.
void sp_wire_put_stages(const struct sp_reply *reply, const uint8_t boot[SP_BOOT_BYTES],
                        uint8_t to[SP_STAGES_BYTES]);
// Fills reply's stamps from held_ns to server_ns, absolute on this clock where boot is ours; on another clock held_ns is 0 and
// the others are durations from 0. False, and nothing is filled: another version or length, or durations that run backwards.
bool sp_wire_get_stages(struct sp_bytes header, const uint8_t boot[SP_BOOT_BYTES], struct sp_reply *reply);
// reply's outcome, code and text; `to` of SP_OUTCOME_BYTES always suffices. Bytes written.
#define SP_OUTCOME_BYTES (SP_REPLY_TEXT_BYTES + 32)
size_t sp_wire_put_outcome(const struct sp_reply *reply, uint8_t to[SP_OUTCOME_BYTES]);
// Fills reply's outcome, code and text. False, and nothing is filled: not of this form, or an outcome that an application
// cannot know of (ok, mismatch, lost, ...): those would pass for a judgement of the driver.
bool sp_wire_get_outcome(struct sp_bytes header, struct sp_reply *reply);

#endif
