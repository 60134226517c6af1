// Model status, model metadata and health, through protobuf-c.
#include "rpc/tfs_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "proto/health.pb-c.h"
#include "proto/tensorflow_serving.pb-c.h"

#define SIGNATURE_TYPE_URL "type.googleapis.com/tensorflow.serving.SignatureDefMap"

// --- Reading foreign bytes with bounded memory ---

struct budget {
  size_t left_bytes;
};

static void *budget_alloc(void *context, size_t n) {
  struct budget *budget = context;
  if (n > budget->left_bytes) return NULL;
  budget->left_bytes -= n;
  return malloc(n);
}

static void budget_free(void *context, void *memory) {
  (void)context; // given back at the end, all at once
  free(memory);
}

static ProtobufCMessage *unpack(const ProtobufCMessageDescriptor *type, struct sp_bytes bytes) {
  struct budget budget = {SP_TFS_BUDGET_BYTES};
  ProtobufCAllocator allocator = {budget_alloc, budget_free, &budget};
  return protobuf_c_message_unpack(type, &allocator, bytes.n, bytes.data);
}

static void release(ProtobufCMessage *message) {
  struct budget none = {0};
  ProtobufCAllocator allocator = {budget_alloc, budget_free, &none};
  protobuf_c_message_free_unpacked(message, &allocator);
}

static struct sp_tfs_message pack(const ProtobufCMessage *message) {
  struct sp_tfs_message packed = {.n = protobuf_c_message_get_packed_size(message)};
  packed.data = sp_alloc(packed.n + 1);
  protobuf_c_message_pack(message, packed.data);
  return packed;
}

// --- The client's half ---

struct model_spec {
  Tensorflow__Serving__ModelSpec spec;
  Google__Protobuf__Int64Value version;
};

// Points into itself, at `model` and at `label`.
static void model_spec_init(struct model_spec *of, const char *model, uint64_t version, const char *label) {
  tensorflow__serving__model_spec__init(&of->spec);
  google__protobuf__int64_value__init(&of->version);
  of->spec.name = (char *)(uintptr_t)model;
  if (label) {
    of->spec.version_choice_case = TENSORFLOW__SERVING__MODEL_SPEC__VERSION_CHOICE_VERSION_LABEL;
    of->spec.version_label = (char *)(uintptr_t)label;
  }
  if (!version || label) return;
  of->version.value = (int64_t)version;
  of->spec.version_choice_case = TENSORFLOW__SERVING__MODEL_SPEC__VERSION_CHOICE_VERSION;
  of->spec.version = &of->version;
}

struct sp_tfs_message sp_tfs_write_status_request(const char *model, uint64_t version, const char *label) {
  struct model_spec of;
  model_spec_init(&of, model, version, label);
  Tensorflow__Serving__GetModelStatusRequest request = TENSORFLOW__SERVING__GET_MODEL_STATUS_REQUEST__INIT;
  request.model_spec = &of.spec;
  return pack(&request.base);
}

struct sp_tfs_message sp_tfs_write_metadata_request(const char *model, uint64_t version, const char *label) {
  struct model_spec of;
  model_spec_init(&of, model, version, label);
  Tensorflow__Serving__GetModelMetadataRequest request =
      TENSORFLOW__SERVING__GET_MODEL_METADATA_REQUEST__INIT;
  request.model_spec = &of.spec;
  char *fields[] = {"signature_def"};
  request.n_metadata_field = 1;
  request.metadata_field = fields;
  return pack(&request.base);
}

bool sp_tfs_read_status_reply(struct sp_bytes reply, uint64_t version, bool *is_available) {
  ProtobufCMessage *message = unpack(&tensorflow__serving__get_model_status_response__descriptor, reply);
  if (!message) return false;
  const Tensorflow__Serving__GetModelStatusResponse *status = (void *)message;
  *is_available = false;
  for (size_t i = 0; i < status->n_model_version_status; i++) {
    const Tensorflow__Serving__ModelVersionStatus *of = status->model_version_status[i];
    if (version && of->version != (int64_t)version) continue;
    if (of->state == TENSORFLOW__SERVING__MODEL_VERSION_STATUS__STATE__AVAILABLE) *is_available = true;
  }
  release(message);
  return true;
}

static bool read_info(const char *name, const Tensorflow__TensorInfo *info, struct sp_tensor_spec *spec) {
  if (!info || strlen(name) >= sizeof spec->name) return false;
  memset(spec, 0, sizeof *spec);
  strcpy(spec->name, name);
  spec->dtype = sp_tfs_dtype_of((int64_t)info->dtype);
  const Tensorflow__TensorShapeProto *shape = info->tensor_shape;
  if (!shape || shape->unknown_rank || shape->n_dim > SP_TENSOR_RANK_MAX) return true;
  spec->rank = (uint32_t)shape->n_dim;
  for (size_t i = 0; i < shape->n_dim; i++) spec->shape[i] = shape->dim[i]->size;
  return true;
}

static bool read_signature(const Tensorflow__SignatureDef *from, struct sp_signature *signature) {
  if (from->n_inputs > SP_TENSORS_MAX || from->n_outputs > SP_TENSORS_MAX) return false;
  signature->n_inputs = from->n_inputs;
  signature->n_outputs = from->n_outputs;
  for (size_t i = 0; i < from->n_inputs; i++) {
    if (!read_info(from->inputs[i]->key, from->inputs[i]->value, &signature->inputs[i])) return false;
  }
  for (size_t i = 0; i < from->n_outputs; i++) {
    if (!read_info(from->outputs[i]->key, from->outputs[i]->value, &signature->outputs[i])) return false;
  }
  return true;
}

static bool read_signature_map(const ProtobufCBinaryData *bytes, struct sp_signature *signature,
                               const char **reason) {
  *reason = "its signatures cannot be read";
  ProtobufCMessage *message =
      unpack(&tensorflow__serving__signature_def_map__descriptor, sp_bytes_of(bytes->data, bytes->len));
  if (!message) return false;
  const Tensorflow__Serving__SignatureDefMap *map = (void *)message;
  bool is_read = false;
  *reason = "it has no signature " SP_TFS_SIGNATURE;
  for (size_t i = 0; i < map->n_signature_def && !is_read; i++) {
    const Tensorflow__Serving__SignatureDefMap__SignatureDefEntry *entry = map->signature_def[i];
    if (strcmp(entry->key, SP_TFS_SIGNATURE) != 0 || !entry->value) continue;
    *reason = "its signature has more tensors than we can serve, or nameless ones";
    if (!read_signature(entry->value, signature)) break;
    is_read = true;
  }
  release(message);
  return is_read;
}

bool sp_tfs_read_metadata_reply(struct sp_bytes reply, struct sp_signature *signature, const char **reason) {
  *reason = "its metadata cannot be read";
  ProtobufCMessage *message = unpack(&tensorflow__serving__get_model_metadata_response__descriptor, reply);
  if (!message) return false;
  const Tensorflow__Serving__GetModelMetadataResponse *metadata = (void *)message;
  bool is_read = false;
  *reason = "its metadata holds no signature_def";
  for (size_t i = 0; i < metadata->n_metadata; i++) {
    const Tensorflow__Serving__GetModelMetadataResponse__MetadataEntry *entry = metadata->metadata[i];
    if (strcmp(entry->key, "signature_def") != 0 || !entry->value) continue;
    is_read = read_signature_map(&entry->value->value, signature, reason);
    break;
  }
  release(message);
  return is_read;
}

// --- The server's half ---

static bool read_model_request(const Tensorflow__Serving__ModelSpec *spec,
                               struct sp_tfs_model_request *read) {
  memset(read, 0, sizeof *read);
  if (!spec) return true;
  if (strlen(spec->name) >= sizeof read->model) return false;
  strcpy(read->model, spec->name);
  if (spec->version_choice_case == TENSORFLOW__SERVING__MODEL_SPEC__VERSION_CHOICE_VERSION && spec->version) {
    read->version = spec->version->value;
  }
  if (spec->version_choice_case != TENSORFLOW__SERVING__MODEL_SPEC__VERSION_CHOICE_VERSION_LABEL) return true;
  if (strlen(spec->version_label) >= sizeof read->label) return false;
  strcpy(read->label, spec->version_label);
  return true;
}

bool sp_tfs_read_status_request(struct sp_bytes request, struct sp_tfs_model_request *read) {
  ProtobufCMessage *message = unpack(&tensorflow__serving__get_model_status_request__descriptor, request);
  if (!message) return false;
  bool is_read =
      read_model_request(((Tensorflow__Serving__GetModelStatusRequest *)(void *)message)->model_spec, read);
  release(message);
  return is_read;
}

bool sp_tfs_read_metadata_request(struct sp_bytes request, struct sp_tfs_model_request *read) {
  ProtobufCMessage *message = unpack(&tensorflow__serving__get_model_metadata_request__descriptor, request);
  if (!message) return false;
  const Tensorflow__Serving__GetModelMetadataRequest *metadata = (void *)message;
  bool is_read = read_model_request(metadata->model_spec, read);
  for (size_t i = 0; is_read && i < metadata->n_metadata_field; i++) {
    if (strcmp(metadata->metadata_field[i], "signature_def") == 0) read->wants_signature = true;
  }
  release(message);
  return is_read;
}

struct sp_tfs_message sp_tfs_write_status_reply(const uint64_t *versions, size_t n_versions) {
  Tensorflow__Serving__GetModelStatusResponse reply = TENSORFLOW__SERVING__GET_MODEL_STATUS_RESPONSE__INIT;
  Tensorflow__Serving__ModelVersionStatus *statuses = sp_alloc((n_versions + 1) * sizeof *statuses);
  Tensorflow__Serving__ModelVersionStatus **list =
      sp_alloc((n_versions + 1) * sizeof(Tensorflow__Serving__ModelVersionStatus *));
  for (size_t i = 0; i < n_versions; i++) {
    tensorflow__serving__model_version_status__init(&statuses[i]);
    statuses[i].version = (int64_t)versions[i];
    statuses[i].state = TENSORFLOW__SERVING__MODEL_VERSION_STATUS__STATE__AVAILABLE;
    list[i] = &statuses[i];
  }
  reply.n_model_version_status = n_versions;
  reply.model_version_status = list;
  struct sp_tfs_message packed = pack(&reply.base);
  free(list);
  free(statuses);
  return packed;
}

// One TensorInfo with all that it points at.
struct info {
  Tensorflow__TensorInfo info;
  Tensorflow__TensorShapeProto shape;
  Tensorflow__TensorShapeProto__Dim dims[SP_TENSOR_RANK_MAX], *dim_list[SP_TENSOR_RANK_MAX];
  char name[160];
};

static void info_init(struct info *of, const struct sp_tensor_spec *spec) {
  tensorflow__tensor_info__init(&of->info);
  tensorflow__tensor_shape_proto__init(&of->shape);
  snprintf(of->name, sizeof of->name, "%s:0", spec->name);
  of->info.encoding_case = TENSORFLOW__TENSOR_INFO__ENCODING_NAME;
  of->info.name = of->name;
  of->info.dtype = (Tensorflow__DataType)sp_tfs_dtype(spec->dtype);
  of->info.tensor_shape = &of->shape;
  of->shape.n_dim = spec->rank;
  of->shape.dim = of->dim_list;
  for (uint32_t i = 0; i < spec->rank; i++) {
    tensorflow__tensor_shape_proto__dim__init(&of->dims[i]);
    of->dims[i].size = spec->shape[i];
    of->dim_list[i] = &of->dims[i];
  }
}

static struct sp_tfs_message pack_signature_map(const struct sp_signature *signature) {
  struct info *infos = sp_alloc(2 * SP_TENSORS_MAX * sizeof *infos);
  Tensorflow__SignatureDef__InputsEntry inputs[SP_TENSORS_MAX], *input_list[SP_TENSORS_MAX];
  Tensorflow__SignatureDef__OutputsEntry outputs[SP_TENSORS_MAX], *output_list[SP_TENSORS_MAX];
  for (size_t i = 0; i < signature->n_inputs; i++) {
    info_init(&infos[i], &signature->inputs[i]);
    tensorflow__signature_def__inputs_entry__init(&inputs[i]);
    inputs[i].key = (char *)(uintptr_t)signature->inputs[i].name;
    inputs[i].value = &infos[i].info;
    input_list[i] = &inputs[i];
  }
  for (size_t i = 0; i < signature->n_outputs; i++) {
    struct info *info = &infos[SP_TENSORS_MAX + i];
    info_init(info, &signature->outputs[i]);
    tensorflow__signature_def__outputs_entry__init(&outputs[i]);
    outputs[i].key = (char *)(uintptr_t)signature->outputs[i].name;
    outputs[i].value = &info->info;
    output_list[i] = &outputs[i];
  }
  Tensorflow__SignatureDef definition = TENSORFLOW__SIGNATURE_DEF__INIT;
  definition.n_inputs = signature->n_inputs;
  definition.inputs = input_list;
  definition.n_outputs = signature->n_outputs;
  definition.outputs = output_list;
  definition.method_name = "tensorflow/serving/predict";
  Tensorflow__Serving__SignatureDefMap__SignatureDefEntry
      entry = TENSORFLOW__SERVING__SIGNATURE_DEF_MAP__SIGNATURE_DEF_ENTRY__INIT,
      *entries[] = {&entry};
  entry.key = SP_TFS_SIGNATURE;
  entry.value = &definition;
  Tensorflow__Serving__SignatureDefMap map = TENSORFLOW__SERVING__SIGNATURE_DEF_MAP__INIT;
  map.n_signature_def = 1;
  map.signature_def = entries;
  struct sp_tfs_message packed = pack(&map.base);
  free(infos);
  return packed;
}

struct sp_tfs_message sp_tfs_write_metadata_reply(const char *model, uint64_t version,
                                                  const struct sp_signature *signature) {
  struct sp_tfs_message map = pack_signature_map(signature);
  struct model_spec of;
  model_spec_init(&of, model, version, NULL);
  Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
  any.type_url = SIGNATURE_TYPE_URL;
  any.value = (ProtobufCBinaryData){map.n, map.data};
  Tensorflow__Serving__GetModelMetadataResponse__MetadataEntry
      entry = TENSORFLOW__SERVING__GET_MODEL_METADATA_RESPONSE__METADATA_ENTRY__INIT,
      *entries[] = {&entry};
  entry.key = "signature_def";
  entry.value = &any;
  Tensorflow__Serving__GetModelMetadataResponse reply =
      TENSORFLOW__SERVING__GET_MODEL_METADATA_RESPONSE__INIT;
  reply.model_spec = &of.spec;
  reply.n_metadata = 1;
  reply.metadata = entries;
  struct sp_tfs_message packed = pack(&reply.base);
  free(map.data);
  return packed;
}

bool sp_health_read_request(struct sp_bytes request, char *service, size_t n) {
  ProtobufCMessage *message = unpack(&grpc__health__v1__health_check_request__descriptor, request);
  if (!message) return false;
  const char *asked = ((Grpc__Health__V1__HealthCheckRequest *)(void *)message)->service;
  bool fits = strlen(asked) < n;
  if (fits) strcpy(service, asked);
  release(message);
  return fits;
}

size_t sp_health_write_reply(enum sp_health status, uint8_t to[SP_HEALTH_REPLY_BYTES]) {
  Grpc__Health__V1__HealthCheckResponse reply = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
  reply.status = (Grpc__Health__V1__HealthCheckResponse__ServingStatus)status;
  SP_ASSERT(protobuf_c_message_get_packed_size(&reply.base) <= SP_HEALTH_REPLY_BYTES);
  return protobuf_c_message_pack(&reply.base, to);
}
