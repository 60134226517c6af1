// The end of the drain: events that nothing came back for enter the books.
#ifndef SP_REPLAY_CUTOFF_H
#define SP_REPLAY_CUTOFF_H

#include "meter/meter.h"
#include "replay/pacer.h"
#include "result/raw.h"

// Control thread, once pacer and collector have stopped and the last interval is flipped: of the window's events that the
// pacer came to, those under way are booked as lost and those that found no room as shed, each in the second of its intended
// instant (a closed loop has none: all in second 0). `raw` NULL unless every event is kept; it is drained as it fills.
void sp_cutoff_book(const struct sp_pacer *pacer, struct sp_meter *meter, struct sp_raw *raw);

#endif
