// Inside import/: one event as the line that `kcat -C -J` prints for a message.
#ifndef SP_IMPORT_KCAT_H
#define SP_IMPORT_KCAT_H

#include <stdio.h>

#include "recording/recording.h"

// {"topic":…,"partition":0,"offset":event_i,"tstype":"create","ts":…,"headers":[…],"key":…,"payload":…} and a line end; also
// "ts_ns" where the time is finer than a millisecond. As kcat does, bytes above 0x7f are written as they are. Errors show
// in ferror(to).
void sp_kcat_put(FILE *to, const struct sp_recording_header *header, const struct sp_event *event,
                 uint64_t event_i);

#endif
