// Headers as bytes: big endian numbers, and texts between NULs.
#include "stream/wire.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>

#define STAGES_VERSION 1
// Clocks and durations beyond this (146 years) are forged; sums of two stay far from overflow.
#define NS_MAX (INT64_C(1) << 62)

static void put_u64(uint64_t value, uint8_t *to) {
  for (int i = 0; i < 8; i++) to[i] = (uint8_t)(value >> (56 - 8 * i));
}
static uint64_t get_u64(const uint8_t *from) {
  uint64_t value = 0;
  for (int i = 0; i < 8; i++) value = value << 8 | from[i];
  return value;
}

// --- Boot ---

static size_t read_boot_id(char *text, size_t n_text) {
  int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t n = read(fd, text, n_text);
  close(fd);
  return n > 0 ? (size_t)n : 0;
}

void sp_wire_boot(uint8_t boot[SP_BOOT_BYTES]) {
  char text[160];
  size_t n = read_boot_id(text, 80);
  ssize_t n_link = readlink("/proc/self/ns/time", text + n, sizeof text - n);
  if (n_link > 0) n += (size_t)n_link;
  XXH128_canonical_t digest;
  XXH128_canonicalFromHash(&digest, XXH3_128bits(text, n));
  memcpy(boot, digest.digest, SP_BOOT_BYTES);
}

// --- sp-id ---

void sp_wire_put_id(uint64_t id, uint8_t to[8]) {
  put_u64(id, to);
}

bool sp_wire_get_id(struct sp_bytes header, uint64_t *id) {
  if (!header.data || header.n != 8) return false;
  *id = get_u64(header.data);
  return true;
}

// --- sp-stages ---

void sp_wire_put_stages(const struct sp_reply *reply, const uint8_t boot[SP_BOOT_BYTES],
                        uint8_t to[SP_STAGES_BYTES]) {
  const int64_t stamps[4] = {reply->taken_ns, reply->dispatched_ns, reply->answered_ns, reply->encoded_ns};
  to[0] = STAGES_VERSION;
  memcpy(to + 1, boot, SP_BOOT_BYTES);
  uint8_t *at = to + 1 + SP_BOOT_BYTES;
  put_u64((uint64_t)reply->held_ns, at);
  for (int i = 0; i < 4; i++) {
    at += 8;
    put_u64((uint64_t)(stamps[i] ? stamps[i] - reply->held_ns : -1), at);
  }
  put_u64((uint64_t)reply->server_ns, at + 8);
}

bool sp_wire_get_stages(struct sp_bytes header, const uint8_t boot[SP_BOOT_BYTES], struct sp_reply *reply) {
  if (!header.data || header.n != SP_STAGES_BYTES || header.data[0] != STAGES_VERSION) return false;
  int64_t numbers[6]; // held, four durations, server
  for (size_t i = 0; i < 6; i++) {
    numbers[i] = (int64_t)get_u64(header.data + 1 + SP_BOOT_BYTES + 8 * i);
    if (numbers[i] < -1 || numbers[i] >= NS_MAX) return false;
  }
  if (numbers[0] < 0) return false;
  int64_t last_ns = 0;
  for (size_t i = 1; i < 5; i++) {
    if (numbers[i] < 0) continue;
    if (numbers[i] < last_ns) return false;
    last_ns = numbers[i];
  }
  int64_t *stamps[4] = {&reply->taken_ns, &reply->dispatched_ns, &reply->answered_ns, &reply->encoded_ns};
  reply->held_ns = memcmp(header.data + 1, boot, SP_BOOT_BYTES) == 0 ? numbers[0] : 0;
  for (size_t i = 0; i < 4; i++) *stamps[i] = numbers[i + 1] < 0 ? 0 : reply->held_ns + numbers[i + 1];
  reply->server_ns = numbers[5];
  return true;
}

// --- sp-outcome ---

// What an application may say of an event; everything else is the driver's to judge.
static const enum sp_outcome travelling[] = {SP_OUTCOME_MALFORMED,   SP_OUTCOME_FILTERED, SP_OUTCOME_DEADLINE,
                                             SP_OUTCOME_UNAVAILABLE, SP_OUTCOME_REJECTED, SP_OUTCOME_ERROR};

size_t sp_wire_put_outcome(const struct sp_reply *reply, uint8_t to[SP_OUTCOME_BYTES]) {
  int n = snprintf((char *)to, SP_OUTCOME_BYTES, "%s%c%d%c%s", sp_outcome_name(reply->outcome), 0,
                   reply->code, 0, reply->text);
  SP_ASSERT(n > 0 && n < SP_OUTCOME_BYTES);
  return (size_t)n;
}

static enum sp_outcome outcome_of(const char *name, size_t n) {
  for (size_t i = 0; i < sizeof travelling / sizeof *travelling; i++) {
    const char *known = sp_outcome_name(travelling[i]);
    if (strlen(known) == n && memcmp(known, name, n) == 0) return travelling[i];
  }
  return SP_OUTCOME_NONE;
}

bool sp_wire_get_outcome(struct sp_bytes header, struct sp_reply *reply) {
  const char *name = (const char *)header.data;
  const char *name_end = name ? memchr(name, 0, header.n) : NULL;
  if (!name_end) return false;
  enum sp_outcome outcome = outcome_of(name, (size_t)(name_end - name));
  size_t left = header.n - (size_t)(name_end + 1 - name);
  const char *code = name_end + 1, *code_end = memchr(code, 0, left);
  char digits[12];
  if (outcome == SP_OUTCOME_NONE || !code_end || code_end == code || code_end - code >= (long)sizeof digits)
    return false;
  snprintf(digits, sizeof digits, "%.*s", (int)(code_end - code), code);
  char *digits_end;
  long value = strtol(digits, &digits_end, 10);
  if (*digits_end || value < INT32_MIN || value > INT32_MAX) return false;
  size_t n_text = left - (size_t)(code_end + 1 - code);
  if (n_text >= sizeof reply->text) n_text = sizeof reply->text - 1;
  reply->outcome = outcome;
  reply->code = (int)value;
  memcpy(reply->text, code_end + 1, n_text);
  reply->text[n_text] = 0;
  for (char *c = reply->text; *c; c++) {
    if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?'; // foreign bytes do not drive a terminal
  }
  return true;
}
