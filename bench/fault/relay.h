// A TCP relay on loopback that stands between two parts and breaks what passes: pauses, delays, resets, cuts. A child of its
// own (`servepath relay`, hidden); commands come as lines on its standard input.
#ifndef SP_FAULT_RELAY_H
#define SP_FAULT_RELAY_H

#include <stdint.h>

#include "base/err.h"

struct sp_relay;
// listen: "127.0.0.1:0" or "unix:PATH"; target: "127.0.0.1:9092" or "unix:PATH".
enum sp_err sp_relay_new(const char *listen, const char *target, struct sp_relay **relay,
                         struct sp_error *error);
const char *sp_relay_address(const struct sp_relay *relay);
// One command: "pause" (nothing passes; what comes waits), "resume", "delay 5ms" (each way, order kept; 0ms: none), "reset" (RST
// on every connection), "cut" (reset, and refuse new ones), "heal" (accept again), "drop-after 1000" (reset each connection
// after so many more bytes). SP_ERR_USAGE: no such command.
enum sp_err sp_relay_command(struct sp_relay *relay, const char *line, struct sp_error *error);
// Serves until sp_relay_stop; one thread, epoll.
enum sp_err sp_relay_run(struct sp_relay *relay, int command_fd, struct sp_error *error);
void sp_relay_stop(struct sp_relay *relay); // any thread, and signal-safe
void sp_relay_free(struct sp_relay *relay);

#endif
