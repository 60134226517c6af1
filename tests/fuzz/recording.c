// Fuzz target: any bytes as a recording. The first byte says whether the rest is a file, or the stream inside one (which
// mutations of compressed bytes would hardly reach). Run by tests/fuzz/recording.sh.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#include "recording/recording.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void touch(struct sp_bytes bytes) {
  // Reads every byte, so that one outside its memory is found.
  if (XXH64(bytes.data ? (const void *)bytes.data : "", bytes.n, 0) == 1) abort();
}

static void read_all(const char *path) {
  struct sp_error error;
  struct sp_recording *recording;
  if (sp_recording_load(path, &recording, &error) != SP_OK) return;
  for (size_t i = 0; i < recording->n_events; i++) {
    const struct sp_event *event = &recording->events[i];
    touch(event->key);
    touch(event->value);
    for (size_t k = 0; k < event->n_headers; k++) {
      touch(sp_bytes_of_text(event->headers[k].name));
      touch(event->headers[k].value);
    }
  }
  sp_recording_free(recording);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  if (n == 0 || n > 100000) return 0;
  static uint8_t packed[120000];
  size_t n_file = n - 1;
  const uint8_t *file_bytes = data + 1;
  if (data[0] & 1) {
    n_file = ZSTD_compress(packed, sizeof packed, data + 1, n - 1, 1);
    file_bytes = packed;
  }
  int file = memfd_create("recording", 0);
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  if (file < 0 || write(file, file_bytes, n_file) != (ssize_t)n_file) abort();
  read_all(path);
  close(file);
  return 0;
}
