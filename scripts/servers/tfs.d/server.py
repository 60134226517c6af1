"""TensorFlow behind the official serving stubs: PredictionService (Predict, GetModelMetadata) and ModelService (GetModelStatus)
over gRPC, and REST, on 127.0.0.1 only. Usage: server.py GRPC_PORT REST_PORT THREADS NAME=VERSION=FOLDER..."""
import logging
import sys
from concurrent import futures

import grpc

from session import OpError, make_ndarray, make_tensor_proto  # before the stubs, which would import all of TensorFlow
from tensorflow_serving.apis import (get_model_metadata_pb2, get_model_status_pb2, model_service_pb2_grpc, predict_pb2,
                                     prediction_service_pb2_grpc)

import rest
from model import Model, Models, Refusal, invalid


def refusing(method):
    """A Refusal becomes the call's status."""
    def answer(self, request, context):
        try:
            return method(self, request)
        except Refusal as refusal:
            return context.abort(refusal.code, str(refusal))
    return answer


def spec_of(request):
    spec = request.model_spec
    return spec.name, spec.version.value, spec.version_label


def array_of(tensor):
    try:
        return make_ndarray(tensor)
    except (TypeError, ValueError) as error:
        raise invalid(f"tensor parsing error: {error}") from None


class Service(prediction_service_pb2_grpc.PredictionServiceServicer, model_service_pb2_grpc.ModelServiceServicer):
    def __init__(self, models):
        self.models = models

    @refusing
    def Predict(self, request):
        model = self.models.find(*spec_of(request))
        answers = model.predict(request.model_spec.signature_name,
                                {name: array_of(tensor) for name, tensor in request.inputs.items()}, request.output_filter)
        reply = predict_pb2.PredictResponse()
        reply.model_spec.name, reply.model_spec.version.value = model.name, model.version
        reply.model_spec.signature_name = request.model_spec.signature_name or "serving_default"
        for name, array in answers.items():
            reply.outputs[name].CopyFrom(make_tensor_proto(array))
        return reply

    @refusing
    def GetModelMetadata(self, request):
        model = self.models.find(*spec_of(request))
        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != "signature_def":
                raise invalid(f"Metadata field {field} is not supported")
        reply = get_model_metadata_pb2.GetModelMetadataResponse()
        reply.model_spec.name, reply.model_spec.version.value = model.name, model.version
        signatures = get_model_metadata_pb2.SignatureDefMap(signature_def=model.signatures)
        reply.metadata["signature_def"].Pack(signatures)
        return reply

    @refusing
    def GetModelStatus(self, request):
        model = self.models.find_status(*spec_of(request))
        reply = get_model_status_pb2.GetModelStatusResponse()
        version = reply.model_version_status.add(version=model.version)
        version.state = get_model_status_pb2.ModelVersionStatus.AVAILABLE
        version.status.error_code = 0
        return reply


def load(argument, n_threads):
    name, version, folder = argument.split("=", 2)
    try:
        return Model(name, int(version), folder, n_threads)
    except (OSError, ValueError, RuntimeError, OpError) as error:
        sys.exit(f"error: TensorFlow cannot load model {name} from {folder}: {' '.join(str(error).split())}")


def main():
    logging.disable(logging.WARNING)
    grpc_port, rest_port, n_threads = (int(number) for number in sys.argv[1:4])
    models = Models([load(argument, n_threads) for argument in sys.argv[4:]])
    executor = futures.ThreadPoolExecutor(n_threads)
    server = grpc.server(executor, options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", -1)])
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(models), server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(Service(models), server)
    server.add_insecure_port(f"127.0.0.1:{grpc_port}")
    server.start()
    rest.serve(models, executor, rest_port)  # last: who is answered by REST is answered by gRPC


main()
