// gRPC: start, end, status codes.
#include "rpc/library.h"

#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
    "OK",        "CANCELLED",       "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS",  "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",    "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED",
};
#define N_NAMES ((int)(sizeof names / sizeof names[0]))

static void be_quiet(gpr_log_func_args *args) {
  (void)args;
}

void sp_grpc_start(void) {
  if (!getenv("GRPC_VERBOSITY")) gpr_set_log_function(be_quiet);
  grpc_init();
}

void sp_grpc_end(void) {
  grpc_shutdown_blocking();
}

const char *sp_grpc_version(void) {
  return grpc_version_string();
}

const char *sp_status_name(int code) {
  return code >= 0 && code < N_NAMES ? names[code] : NULL;
}

int sp_status_of_name(const char *name) {
  for (int code = 0; code < N_NAMES; code++) {
    if (strcmp(names[code], name) == 0) return code;
  }
  return -1;
}

enum sp_outcome sp_status_outcome(int code) {
  switch (code) {
  case GRPC_STATUS_OK: return SP_OUTCOME_NONE;
  case GRPC_STATUS_DEADLINE_EXCEEDED: return SP_OUTCOME_DEADLINE;
  case GRPC_STATUS_UNAVAILABLE: return SP_OUTCOME_UNAVAILABLE;
  case GRPC_STATUS_RESOURCE_EXHAUSTED: return SP_OUTCOME_REJECTED;
  default: return SP_OUTCOME_ERROR;
  }
}

static char library_text[32];

// The C core has a version of its own: 29.0.0 is that of gRPC 1.51.
static void name_library(void) {
  snprintf(library_text, sizeof library_text, "grpc core %s", grpc_version_string());
}

const char *sp_grpc_library(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, name_library);
  return library_text;
}
