// Writes and reads the parameters of text/csv.
#include "import/csv_type.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"

static char *encode(struct sp_bytes bytes) {
  char *text = sp_alloc(3 * bytes.n + 1), *to = text;
  for (size_t i = 0; i < bytes.n; i++) {
    uint8_t byte = bytes.data[i];
    if (byte < 0x20 || byte > 0x7e || byte == '"' || byte == '%' || byte == '\\') {
      to += sprintf(to, "%%%02X", byte);
    } else {
      *to++ = (char)byte;
    }
  }
  return text;
}

static int hex_value(char byte) {
  return byte >= '0' && byte <= '9' ? byte - '0' : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}

static struct sp_bytes decode(const char *text, size_t n) {
  uint8_t *bytes = sp_alloc(n + 1);
  size_t n_bytes = 0;
  for (size_t i = 0; i < n; i++) {
    bool is_code = text[i] == '%' && i + 2 < n && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0;
    if (is_code) {
      bytes[n_bytes++] = (uint8_t)(hex_value(text[i + 1]) << 4 | hex_value(text[i + 2]));
      i += 2;
    } else {
      bytes[n_bytes++] = (uint8_t)text[i];
    }
  }
  return sp_bytes_of(bytes, n_bytes);
}

char *sp_csv_type_write(const struct sp_csv_type *type) {
  char *columns = type->has_header ? encode(type->header) : NULL;
  char *text = sp_format("text/csv%s%s%s%s%s", columns ? "; columns=\"" : "", columns ? columns : "",
                         columns ? "\"" : "", type->ends_in_crlf ? "; line-end=crlf" : "",
                         type->has_mark ? "; mark=bom" : "");
  free(columns);
  return text;
}

bool sp_csv_type_read(const char *text, struct sp_csv_type *type) {
  static const char media[] = "text/csv", columns[] = "; columns=\"";
  *type = (struct sp_csv_type){0};
  if (strncmp(text, media, sizeof media - 1) != 0 ||
      (text[sizeof media - 1] && text[sizeof media - 1] != ';'))
    return false;
  text += sizeof media - 1;
  if (strncmp(text, columns, sizeof columns - 1) == 0) {
    const char *start = text + sizeof columns - 1, *quote = strchr(start, '"');
    if (quote) {
      type->has_header = true;
      type->header = decode(start, (size_t)(quote - start));
      text = quote + 1;
    }
  }
  type->ends_in_crlf = strstr(text, "; line-end=crlf") != NULL;
  type->has_mark = strstr(text, "; mark=bom") != NULL;
  return true;
}
