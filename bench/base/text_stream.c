#include "base/text_stream.h"

#include "base/err.h"

FILE *sp_text_stream_open(struct sp_text_stream *stream) {
  *stream = (struct sp_text_stream){0};
  stream->to = open_memstream(&stream->text, &stream->n);
  SP_ASSERT(stream->to != NULL);
  return stream->to;
}

char *sp_text_stream_close(struct sp_text_stream *stream) {
  SP_ASSERT(fclose(stream->to) == 0); // fails where memory has run out
  stream->to = NULL;
  return stream->text;
}
