"""The official TensorFlow Serving stubs without TensorFlow. Their status.proto wants error codes from a file of
TensorFlow's that tensorflow-protobuf leaves out: that one enum is put in its place."""
import sys
import types

from google.protobuf import descriptor_pb2, descriptor_pool

_CODES = ("OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED "
          "RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS").split()


def _error_codes():
    proto = descriptor_pb2.FileDescriptorProto(name="tensorflow/tsl/protobuf/error_codes.proto", package="tensorflow.error",
                                               syntax="proto3")
    enum = proto.enum_type.add(name="Code")
    for number, name in enumerate(_CODES):
        enum.value.add(name=name, number=number)
    enum.value.add(name="UNAUTHENTICATED", number=16)
    module = types.ModuleType("tensorflow.tsl.protobuf.error_codes_pb2")
    module.DESCRIPTOR = descriptor_pool.Default().Add(proto) or descriptor_pool.Default().FindFileByName(proto.name)
    module.xla_dot_tsl_dot_protobuf_dot_error__codes__pb2 = module  # the name that status_pb2 looks for
    return module


def _install():
    import tensorflow
    for name in ("tensorflow.tsl", "tensorflow.tsl.protobuf"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["tensorflow.tsl.protobuf.error_codes_pb2"] = module = _error_codes()
    sys.modules["tensorflow.tsl.protobuf"].error_codes_pb2 = module
    tensorflow.tsl = sys.modules["tensorflow.tsl"]


_install()

from tensorflow.core.framework import tensor_pb2, tensor_shape_pb2, types_pb2  # noqa: E402,F401
from tensorflow.core.protobuf import meta_graph_pb2  # noqa: E402,F401
from tensorflow_serving.apis import (get_model_metadata_pb2, get_model_status_pb2, model_pb2,  # noqa: E402,F401
                                     model_service_pb2, model_service_pb2_grpc, predict_pb2, prediction_service_pb2,
                                     prediction_service_pb2_grpc)
