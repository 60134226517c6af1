// For tests of the reference model server: start and stop it, call it one call at a time, or with many in flight.
#ifndef SUPPORT_SERVER_BED_H
#define SUPPORT_SERVER_BED_H

#include "base/clock.h"
#include "rpc/channel.h"
#include "rpc/library.h"
#include "rpc/rpc.h"
#include "rpc/tfs.h"
#include "rpc/tfs_model.h"
#include "server/server.h"
#include "support/rpc_bed.h"

// Each fails the test where it cannot do what it says.
struct sp_server *server_start(const struct sp_server_env *env);
void server_stop(struct sp_server *server); // which must be graceful
void server_refused(const struct sp_server_env *env, enum sp_err code, const char *said);
// A temporary folder whose name goes into dir; and with all it holds away again.
void folder_make(char dir[64]);
void folder_remove(const char *dir);
void shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

// --- One call at a time ---

struct caller {
  grpc_channel *channel;
  struct sp_unary last;
};
struct caller caller_open(const struct sp_server *server);
void caller_close(struct caller *caller);
int caller_call(struct caller *caller, const char *method, const void *bytes, size_t n); // gRPC status
void caller_expect(const struct caller *caller, int code, const char *said);             // of the last call
// Predict with one float32 input of n_rows x n_columns that counts 0, 1, 2, ...
int caller_predict(struct caller *caller, const char *model, uint64_t version, const char *input,
                   size_t n_rows, size_t n_columns);
// Elements of an output of the last reply, which is of that version; free().
float *caller_output(struct caller *caller, const char *name, size_t n_rows, size_t n_columns,
                     uint64_t version);

// --- Many in flight: a model whose input is x, float32 [N, 3] ---

#define CROWD_ROWS 4 // of a call, at most
// output NULL: the only one.
struct rpc_bed *crowd_open(const struct sp_server *server, const char *protocol, const char *model,
                           const char *output);

#endif
