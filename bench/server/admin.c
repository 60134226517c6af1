// What the server says about itself: model status, model metadata, health.
#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "rpc/library.h"
#include "server/parts.h"

static void reply(struct sp_incoming *call, struct sp_tfs_message message) {
  sp_incoming_reply(call, sp_bytes_of(message.data, message.n));
  free(message.data);
}

// NULL after refusing the call.
static const struct sp_served *find(const struct sp_models *models, const struct sp_tfs_model_request *asked,
                                    struct sp_incoming *call) {
  char text[256];
  const struct sp_asked by = {sp_bytes_of_text(asked->model), {0}, asked->version};
  const struct sp_served *served = sp_models_find(models, &by, text, sizeof text);
  if (!served) sp_incoming_fail(call, SP_STATUS_NOT_FOUND, text);
  return served;
}

// A stub or another model must not pass for the one that a user means.
static void reply_status(const struct sp_server *server, const struct sp_served *served,
                         struct sp_incoming *call, struct sp_tfs_message message) {
  static const char *const stubs[] = {"none", "recorded", "fixed", "echo"};
  struct sp_incoming_note notes[SP_INCOMING_NOTES_MAX] = {{SP_TFS_NOTE_SOFTWARE, "servepath " SP_VERSION}};
  size_t n = 1;
  if (server->stub.kind != SP_STUB_NONE)
    notes[n++] = (struct sp_incoming_note){SP_TFS_NOTE_STUB, stubs[server->stub.kind]};
  if (served->digest[0]) notes[n++] = (struct sp_incoming_note){SP_TFS_NOTE_MODEL_DIGEST, served->digest};
  sp_incoming_reply_noted(call, sp_bytes_of(message.data, message.n), notes, n);
  free(message.data);
}

static void tell_status(const struct sp_server *server, const struct sp_models *models,
                        const struct sp_tfs_model_request *asked, struct sp_incoming *call) {
  const struct sp_served *served = find(models, asked, call);
  if (!served) return;
  uint64_t *versions = sp_alloc(models->n * sizeof *versions);
  size_t n = 0;
  for (size_t i = 0; i < models->n; i++) {
    const struct sp_served *other = models->items[i];
    if (strcmp(other->name, served->name) != 0 || (asked->version && other != served)) continue;
    versions[n++] = other->version;
  }
  reply_status(server, served, call, sp_tfs_write_status_reply(versions, n));
  free(versions);
}

void sp_status_handle(void *context, unsigned thread_i, struct sp_incoming *call, struct sp_bytes request) {
  struct sp_server *server = context;
  struct sp_tfs_model_request asked;
  if (!sp_tfs_read_status_request(request, &asked)) {
    sp_incoming_fail(call, SP_STATUS_INVALID_ARGUMENT, "the message cannot be read");
    return;
  }
  tell_status(server, sp_current_enter(&server->current, thread_i), &asked, call);
  sp_current_leave(&server->current, thread_i);
}

void sp_metadata_handle(void *context, unsigned thread_i, struct sp_incoming *call, struct sp_bytes request) {
  struct sp_server *server = context;
  struct sp_tfs_model_request asked;
  if (!sp_tfs_read_metadata_request(request, &asked)) {
    sp_incoming_fail(call, SP_STATUS_INVALID_ARGUMENT, "the message cannot be read");
    return;
  }
  if (!asked.wants_signature) {
    sp_incoming_fail(call, SP_STATUS_INVALID_ARGUMENT, "metadata_field must be signature_def");
    return;
  }
  const struct sp_served *served = find(sp_current_enter(&server->current, thread_i), &asked, call);
  if (served) reply(call, sp_tfs_write_metadata_reply(served->name, served->version, &served->signature));
  sp_current_leave(&server->current, thread_i);
}

void sp_health_handle(void *context, unsigned thread_i, struct sp_incoming *call, struct sp_bytes request) {
  (void)thread_i;
  const struct sp_server *server = context;
  static const char *const services[] = {"", "tensorflow.serving.PredictionService",
                                         "tensorflow.serving.ModelService", "grpc.health.v1.Health"};
  char service[256];
  if (!sp_health_read_request(request, service, sizeof service)) {
    sp_incoming_fail(call, SP_STATUS_INVALID_ARGUMENT, "the message cannot be read");
    return;
  }
  for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
    if (strcmp(services[i], service) != 0) continue;
    reply(call, sp_health_write_reply(!atomic_load(&server->is_ending)));
    return;
  }
  sp_incoming_fail(call, SP_STATUS_NOT_FOUND, "no such service here");
}
