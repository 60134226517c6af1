// Inside recording/: what reader and loader share.
#ifndef SP_RECORDING_HEADER_H
#define SP_RECORDING_HEADER_H

#include "recording/recording.h"

// Frees the texts, not the struct.
void sp_recording_header_done(struct sp_recording_header *header);

#endif
