// What the server says about itself and its models in KServe's protocol.
#include <stdlib.h>

#include "base/version.h"
#include "rpc/kserve.h"
#include "rpc/library.h"
#include "server/parts.h"

static void reply_flag(struct sp_incoming *call, bool is_so) {
  uint8_t bytes[2];
  sp_incoming_reply(call, sp_bytes_of(bytes, sp_kserve_write_flag(is_so, bytes)));
}

// It answers, so it lives.
void sp_server_live_handle(void *context, unsigned thread_i, struct sp_incoming *call,
                           struct sp_bytes request) {
  (void)context, (void)thread_i, (void)request;
  reply_flag(call, true);
}

void sp_server_ready_handle(void *context, unsigned thread_i, struct sp_incoming *call,
                            struct sp_bytes request) {
  (void)thread_i, (void)request;
  const struct sp_server *server = context;
  reply_flag(call, !atomic_load(&server->is_ending));
}

void sp_server_metadata_handle(void *context, unsigned thread_i, struct sp_incoming *call,
                               struct sp_bytes request) {
  (void)context, (void)thread_i, (void)request;
  uint8_t bytes[2 * SP_KSERVE_NAME_BYTES];
  sp_incoming_reply(call,
                    sp_bytes_of(bytes, sp_kserve_write_server_metadata("servepath", SP_VERSION, bytes)));
}

static bool read_request(struct sp_incoming *call, struct sp_bytes request, struct sp_asked *asked) {
  struct sp_kserve_model_request read;
  if (!sp_kserve_read_model_request(request, &read)) {
    sp_incoming_fail(call, SP_STATUS_INVALID_ARGUMENT, "the message cannot be read");
    return false;
  }
  *asked = (struct sp_asked){read.model, {0}, read.version};
  return true;
}

void sp_model_ready_handle(void *context, unsigned thread_i, struct sp_incoming *call,
                           struct sp_bytes request) {
  struct sp_server *server = context;
  struct sp_asked asked;
  char text[256];
  if (!read_request(call, request, &asked)) return;
  const struct sp_models *models = sp_current_enter(&server->current, thread_i);
  bool is_there = sp_models_find(models, &asked, text, sizeof text) != NULL;
  sp_current_leave(&server->current, thread_i);
  reply_flag(call, is_there && !atomic_load(&server->is_ending));
}

static void tell_metadata(const struct sp_server *server, const struct sp_models *models,
                          const struct sp_asked *asked, struct sp_incoming *call) {
  const struct sp_served *served = sp_admin_find(models, asked, call);
  if (!served) return;
  size_t n;
  uint64_t *versions = sp_admin_versions(models, served->name, &n);
  const char *platform = served->engine ? sp_engine_library(served->engine) : "servepath stub";
  uint8_t *bytes = sp_alloc(sp_kserve_metadata_bound(n, platform));
  size_t n_bytes = sp_kserve_write_metadata(served->name, versions, n, platform, &served->signature, bytes);
  sp_admin_reply_noted(server, served, call, sp_bytes_of(bytes, n_bytes));
  free(bytes);
  free(versions);
}

void sp_model_metadata_handle(void *context, unsigned thread_i, struct sp_incoming *call,
                              struct sp_bytes request) {
  struct sp_server *server = context;
  struct sp_asked asked;
  if (!read_request(call, request, &asked)) return;
  tell_metadata(server, sp_current_enter(&server->current, thread_i), &asked, call);
  sp_current_leave(&server->current, thread_i);
}
