// gRPC's health service: the server as "", each of its gRPC services, and each model by name, which serves while it has a
// version.
#include <string.h>

#include "rpc/kserve.h"
#include "rpc/library.h"
#include "rpc/tfs_model.h"
#include "server/parts.h"

static enum sp_health status_of(const struct sp_server *server, const char *service) {
  static const char *const services[] = {"", "tensorflow.serving.PredictionService",
                                         "tensorflow.serving.ModelService", SP_KSERVE_SERVICE,
                                         "grpc.health.v1.Health"};
  enum sp_health status = SP_HEALTH_SERVICE_UNKNOWN;
  for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
    if (strcmp(services[i], service) == 0) status = SP_HEALTH_SERVING;
  }
  for (size_t i = 0; i < server->told.n_sources; i++) {
    if (strcmp(server->told.sources[i].name, service) != 0) continue;
    status = atomic_load(&server->has_version[i]) ? SP_HEALTH_SERVING : SP_HEALTH_NOT_SERVING;
  }
  return status == SP_HEALTH_SERVING && atomic_load(&server->is_ending) ? SP_HEALTH_NOT_SERVING : status;
}

void sp_health_handle(void *context, unsigned thread_i, struct sp_incoming *call, struct sp_bytes request) {
  (void)thread_i;
  const struct sp_server *server = context;
  char service[SP_TFS_MODEL_NAME_BYTES];
  uint8_t bytes[SP_HEALTH_REPLY_BYTES];
  if (!sp_health_read_request(request, service, sizeof service)) {
    sp_incoming_fail(call, SP_STATUS_INVALID_ARGUMENT, "the message cannot be read");
    return;
  }
  enum sp_health status = status_of(server, service);
  if (status == SP_HEALTH_SERVICE_UNKNOWN)
    sp_incoming_fail(call, SP_STATUS_NOT_FOUND, "no such service or model here");
  else
    sp_incoming_reply(call, sp_bytes_of(bytes, sp_health_write_reply(status, bytes)));
}

size_t sp_health_look(void *context, struct sp_bytes request, uint8_t *to) {
  char service[SP_TFS_MODEL_NAME_BYTES];
  if (!sp_health_read_request(request, service, sizeof service)) return SIZE_MAX;
  return sp_health_write_reply(status_of(context, service), to);
}

void sp_health_refresh(struct sp_server *server) {
  const struct sp_models *models = sp_current_models(&server->current);
  for (size_t i = 0; i < server->told.n_sources; i++) {
    bool is_served = sp_models_presence(models, server->told.sources[i].name) == SP_PRESENCE_SERVED;
    atomic_store(&server->has_version[i], is_served);
  }
  if (server->listener) sp_listener_changed(server->listener);
}
