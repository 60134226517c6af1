// A TCP relay on loopback that stands between two parts and breaks what passes: pauses, delays, resets, cuts. A child of its
// own (`servepath relay`, hidden); commands come as lines on its standard input.
//
// In front of a Kafka broker the relay sees only what the broker sends clients to: a broker tells its own address (advertised
// listeners), and that must be the relay's. Elsewhere clients know no other address than the one they were given.
#ifndef SP_FAULT_RELAY_H
#define SP_FAULT_RELAY_H

#include <stdint.h>

#include "base/err.h"

struct sp_relay;

// Listens at once. listen: "127.0.0.1:0", "[::1]:0" or "unix:PATH"; target: "127.0.0.1:9092" or "unix:PATH", looked up now (which
// may block for a name), reached when somebody connects: a target that is not there resets that connection.
// SP_ERR_USAGE: no address; SP_ERR_ENVIRONMENT: taken, not allowed, or a name that nobody knows.
enum sp_err sp_relay_new(const char *listen, const char *target, struct sp_relay **relay,
                         struct sp_error *error);
// With the port that was given for 0; owned by the relay.
const char *sp_relay_address(const struct sp_relay *relay);

// One command, on the thread that serves or before it does. SP_ERR_USAGE: no such command; SP_ERR_ENVIRONMENT: the address that
// heal needs is taken.
//   pause           nothing passes, nobody is let in; what comes waits, here or in the sender's socket, and none of it is lost
//   resume
//   delay 5ms       each way, for what comes from now on; order is kept; 0ms: none. Holds up to 1 MiB each way of a connection
//                   and lets the sender wait beyond: a second of delay passes 1 MiB/s.
//   reset           RST on every connection (unix: closed with what was not read yet)
//   cut             reset, and refuse new ones
//   heal            accept again, and drop nothing more
//   drop-after 1000 reset each connection, old and new, after so many more bytes, both ways together
enum sp_err sp_relay_command(struct sp_relay *relay, const char *line, struct sp_error *error);

// What became of a command that was read while serving; error NULL: done.
typedef void (*sp_relay_answer)(void *context, const char *command, const struct sp_error *error);

// Serves until sp_relay_stop, on this thread, by epoll. Commands are read as lines from command_fd, which may end (-1: there are
// none); answer may be NULL. SP_ERR_ENVIRONMENT: the system refuses what serving needs.
enum sp_err sp_relay_run(struct sp_relay *relay, int command_fd, sp_relay_answer answer, void *context,
                         struct sp_error *error);
void sp_relay_stop(struct sp_relay *relay); // any thread, and signal-safe
void sp_relay_free(struct sp_relay *relay); // after it served; NULL is allowed

#endif
