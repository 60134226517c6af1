// Writes kcat's JSON envelope (its json.c, on yajl).
#include "import/kcat.h"

#include <inttypes.h>

#include "base/clock.h"

static void put_text(FILE *to, struct sp_bytes text) {
  static const char escapes[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";
  if (!text.data) {
    fputs("null", to);
    return;
  }
  putc_unlocked('"', to);
  for (size_t i = 0; i < text.n; i++) {
    uint8_t byte = text.data[i];
    const char *found = byte ? memchr(escapes, byte, sizeof escapes - 1) : NULL;
    if (found) {
      putc_unlocked('\\', to);
      putc_unlocked(letters[found - escapes], to);
    } else if (byte < 0x20) {
      fprintf(to, "\\u%04X", byte);
    } else {
      putc_unlocked(byte, to);
    }
  }
  putc_unlocked('"', to);
}

void sp_kcat_put(FILE *to, const struct sp_recording_header *header, const struct sp_event *event,
                 uint64_t event_i) {
  int64_t time_ns = (int64_t)((uint64_t)header->start_unix_ns + event->offset_ns);
  fputs("{\"topic\":", to);
  put_text(to, sp_bytes_of_text(header->name));
  fprintf(to, ",\"partition\":0,\"offset\":%" PRIu64 ",\"tstype\":\"create\",\"ts\":%" PRId64, event_i,
          time_ns / SP_NS_PER_MS);
  if (time_ns % SP_NS_PER_MS) fprintf(to, ",\"ts_ns\":%" PRId64, time_ns);
  if (event->n_headers > 0) fputs(",\"headers\":[", to);
  for (size_t i = 0; i < event->n_headers; i++) {
    if (i > 0) putc_unlocked(',', to);
    put_text(to, sp_bytes_of_text(event->headers[i].name));
    putc_unlocked(',', to);
    put_text(to, event->headers[i].value);
  }
  if (event->n_headers > 0) putc_unlocked(']', to);
  fputs(",\"key\":", to);
  put_text(to, event->key);
  fputs(",\"payload\":", to);
  put_text(to, event->value);
  fputs("}\n", to);
}
