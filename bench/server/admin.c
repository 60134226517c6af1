// What the server says about its models in TensorFlow Serving's protocol, and what every protocol needs for that.
#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "rpc/library.h"
#include "server/parts.h"

static void reply(struct sp_incoming *call, struct sp_tfs_message message) {
  sp_incoming_reply(call, sp_bytes_of(message.data, message.n));
  free(message.data);
}

const struct sp_served *sp_admin_find(const struct sp_models *models, const struct sp_asked *asked,
                                      struct sp_incoming *call) {
  char text[256];
  const struct sp_served *served = sp_models_find(models, asked, text, sizeof text);
  if (!served) sp_incoming_fail(call, SP_STATUS_NOT_FOUND, text);
  return served;
}

void sp_admin_reply_noted(const struct sp_server *server, const struct sp_served *served,
                          struct sp_incoming *call, struct sp_bytes bytes) {
  static const char *const stubs[] = {"none", "recorded", "fixed", "echo"};
  struct sp_incoming_note notes[SP_INCOMING_NOTES_MAX] = {{SP_TFS_NOTE_SOFTWARE, "servepath " SP_VERSION}};
  size_t n = 1;
  if (server->stub.kind != SP_STUB_NONE)
    notes[n++] = (struct sp_incoming_note){SP_TFS_NOTE_STUB, stubs[server->stub.kind]};
  if (served->digest[0]) notes[n++] = (struct sp_incoming_note){SP_TFS_NOTE_MODEL_DIGEST, served->digest};
  sp_incoming_reply_noted(call, bytes, notes, n);
}

uint64_t *sp_admin_versions(const struct sp_models *models, const char *name, size_t *n) {
  uint64_t *versions = sp_alloc((models->n + 1) * sizeof *versions);
  *n = 0;
  for (size_t i = 0; i < models->n; i++) {
    if (strcmp(models->items[i]->name, name) == 0) versions[(*n)++] = models->items[i]->version;
  }
  return versions;
}

// --- TensorFlow Serving ---

static struct sp_asked asked_of(const struct sp_tfs_model_request *request) {
  struct sp_asked asked = {sp_bytes_of_text(request->model), {0}, request->version};
  if (request->label[0]) asked.label = sp_bytes_of_text(request->label);
  return asked;
}

static void tell_status(const struct sp_server *server, const struct sp_models *models,
                        const struct sp_tfs_model_request *request, struct sp_incoming *call) {
  const struct sp_asked asked = asked_of(request);
  const struct sp_served *served = sp_admin_find(models, &asked, call);
  if (!served) return;
  size_t n = 1;
  uint64_t *versions = sp_admin_versions(models, served->name, &n);
  if (request->version || request->label[0]) { // of that one alone
    versions[0] = served->version;
    n = 1;
  }
  struct sp_tfs_message message = sp_tfs_write_status_reply(versions, n);
  sp_admin_reply_noted(server, served, call, sp_bytes_of(message.data, message.n));
  free(message.data);
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
  const struct sp_asked by = asked_of(&asked);
  const struct sp_served *served = sp_admin_find(sp_current_enter(&server->current, thread_i), &by, call);
  if (served) reply(call, sp_tfs_write_metadata_reply(served->name, served->version, &served->signature));
  sp_current_leave(&server->current, thread_i);
}
