// One request for a prediction, whatever its protocol: read, checked against the version it is for, answered.
#ifndef SP_SERVER_REQUEST_H
#define SP_SERVER_REQUEST_H

#include "rpc/listener.h"
#include "server/dialect.h"

struct sp_request { // may be copied; large parts are only set where they matter
  const struct sp_dialect *dialect;
  struct sp_incoming *call;
  struct sp_served *served; // NULL: none was found
  size_t n_rows, first_row; // where its rows lie in the bench
  int status;               // gRPC's; not 0: refused, with text
  char text[256];
  bool wanted[SP_TENSORS_MAX]; // outputs
  union sp_message message;
};

// Marks it as refused; false.
bool sp_request_refuse(struct sp_request *request, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// Reads what came with dialect and call (both set), finds its version, checks its tensors. Refused where it does not fit.
void sp_request_read(struct sp_request *request, const struct sp_models *models);
// Copies its rows into the bench from first_row on, which it notes. False: refused.
bool sp_request_put(struct sp_request *request, const struct sp_bench *bench, size_t first_row);

struct sp_reply_room { // grows to the largest
  uint8_t *bytes;
  size_t n;
};
// Answers with its rows of the bench's outputs, or with its refusal; returns the time since it came. The call is gone.
int64_t sp_request_answer(struct sp_request *request, const struct sp_bench *bench,
                          struct sp_reply_room *room);

#endif
