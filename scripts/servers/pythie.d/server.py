"""pythie-serving's own command on 127.0.0.1 instead of every address, and a file that says when all its models answer.
Usage: server.py READY_FILE CONFIG OPTION...; CONFIG and OPTIONs are pythie-serving's."""
import json
import sys
import threading
from pathlib import Path

import grpc
import numpy as np
from google.protobuf import text_format
from pythie_serving import create_grpc_server, run
from pythie_serving.tensorflow_proto.tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc
from pythie_serving.tensorflow_proto.tensorflow_serving.config import model_server_config_pb2
from pythie_serving.utils import make_tensor_proto


class Loopback:
    """What pythie-serving knows as the module grpc: its server listens on 127.0.0.1, and refuses a port that is taken."""
    RpcContext = getattr(grpc, "RpcContext", None)

    @staticmethod
    def server(*arguments, **named):
        server = grpc.server(*arguments, options=[("grpc.so_reuseport", 0)], **named)
        add_insecure_port = server.add_insecure_port
        server.add_insecure_port = lambda address: add_insecure_port(address.replace("[::]", "127.0.0.1"))
        return server


def ask(stub, model):
    features = json.loads((Path(model.base_path) / "metadata.json").read_text())["features"]
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model.name
    for name in features:
        request.inputs[name].CopyFrom(make_tensor_proto(np.zeros((1, 1), np.float32)))
    stub.Predict(request, wait_for_ready=True, timeout=60)


def await_models(config_file, port, ready_file):
    config = text_format.Parse(Path(config_file).read_text(), model_server_config_pb2.ModelServerConfig())
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        for model in config.model_config_list.config:
            ask(stub, model)
    Path(ready_file).touch()


def main():
    ready_file = sys.argv.pop(1)
    port = sys.argv[sys.argv.index("--port") + 1]
    threading.Thread(target=await_models, args=(sys.argv[1], port, ready_file), daemon=True).start()
    sys.modules[create_grpc_server.__module__].grpc = Loopback
    run.run()


main()
