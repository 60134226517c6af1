// A text that is written as a file is. One thread.
#ifndef SP_BASE_TEXT_STREAM_H
#define SP_BASE_TEXT_STREAM_H

#include <stddef.h>
#include <stdio.h>

struct sp_text_stream { // stays where it is from open to close
  FILE *to;
  char *text;
  size_t n; // bytes of the text, after close
};

FILE *sp_text_stream_open(struct sp_text_stream *stream); // stream->to
// The text, ended by a NUL; free with free().
char *sp_text_stream_close(struct sp_text_stream *stream);

#endif
