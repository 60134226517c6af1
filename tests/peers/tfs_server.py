"""Our client against a server that is built on the official TensorFlow Serving stubs and knows the expected predictions:
every prediction of the fraud recording is verified through it, with and without the calls that describe a model; and one
wrong answer among them is found."""
import json
import struct
import tempfile
from concurrent import futures
from pathlib import Path

import grpc

from _sprec import SOURCE, check, read, run
from _tfs_stubs import (get_model_metadata_pb2, get_model_status_pb2, meta_graph_pb2, model_service_pb2_grpc, predict_pb2,
                        prediction_service_pb2_grpc, types_pb2)

FRAUD = SOURCE / "fixtures/fraud"


def expected_by_bytes():
    _, events = read(FRAUD / "fraud.sprec")
    lines = [json.loads(line) for line in (FRAUD / "expected/fraud-1.jsonl").read_text().splitlines()[1:]]
    return {struct.pack("<30f", *(float(v) for v in event.value.decode().split(",")[:30])): line["v"][0]
            for event, line in zip(events, lines)}


class Model(prediction_service_pb2_grpc.PredictionServiceServicer, model_service_pb2_grpc.ModelServiceServicer):
    def __init__(self, scores, describes, as_content=False, alter=None):
        self.scores, self.describes, self.as_content, self.alter = scores, describes, as_content, alter
        self.requests = 0

    def GetModelStatus(self, request, context):
        if not self.describes:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "Predict is all there is")
        if request.model_spec.name != "fraud":
            context.abort(grpc.StatusCode.NOT_FOUND, "Could not find any versions of model " + request.model_spec.name)
        reply = get_model_status_pb2.GetModelStatusResponse()
        reply.model_version_status.add(version=1, state=get_model_status_pb2.ModelVersionStatus.AVAILABLE)
        return reply

    def GetModelMetadata(self, request, context):
        if not self.describes:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "Predict is all there is")
        check(list(request.metadata_field) == ["signature_def"], request)
        signature = meta_graph_pb2.SignatureDef(method_name="tensorflow/serving/predict")
        for tensors, name, width in ((signature.inputs, "transaction", 30), (signature.outputs, "score", 1)):
            tensors[name].name, tensors[name].dtype = f"{name}:0", types_pb2.DT_FLOAT
            tensors[name].tensor_shape.dim.add(size=-1)
            tensors[name].tensor_shape.dim.add(size=width)
        reply = get_model_metadata_pb2.GetModelMetadataResponse()
        reply.model_spec.name, reply.model_spec.version.value = "fraud", 1
        signatures = get_model_metadata_pb2.SignatureDefMap(signature_def={"serving_default": signature})
        reply.metadata["signature_def"].Pack(signatures)
        return reply

    def Predict(self, request, context):
        check(request.model_spec.name == "fraud", request.model_spec)
        tensor = request.inputs["transaction"]
        check(tensor.dtype == types_pb2.DT_FLOAT and [d.size for d in tensor.tensor_shape.dim] == [1, 30], tensor)
        check(context.time_remaining() < 3600, "a call without a deadline")
        score = self.scores.get(tensor.tensor_content, 0.0)  # zeros: how a client asks for shapes where nothing describes
        self.requests += 1
        if self.alter == self.requests:
            score += 0.01
        reply = predict_pb2.PredictResponse(model_spec=request.model_spec)
        output = reply.outputs["score"]
        output.dtype = types_pb2.DT_FLOAT
        output.tensor_shape.dim.add(size=1)
        output.tensor_shape.dim.add(size=1)
        if self.as_content:
            output.tensor_content = struct.pack("<f", score)
        else:
            output.float_val.append(score)
        return reply


def verify(model, folder):
    server = grpc.server(futures.ThreadPoolExecutor(2), options=[("grpc.so_reuseport", 0)])
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(model, server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(model, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    told = run("verify", FRAUD, "--side", "rpc", "--server", f"127.0.0.1:{port}", "--in-flight", "16",
               "--deadline", "10s", "--drain", "20s", "--quiet", "--out", folder)
    server.stop(None).wait()
    return told


def main():
    scores = expected_by_bytes()
    with tempfile.TemporaryDirectory() as folder:
        for i, model in enumerate((Model(scores, describes=True), Model(scores, describes=False, as_content=True))):
            told = verify(model, Path(folder) / f"good-{i}")
            check(told.returncode == 0 and b"10000 of 10000" in told.stdout.replace(b",", b""), told)
            check(model.requests >= 10000, model.requests)
        told = verify(Model(scores, describes=True, alter=4711), Path(folder) / "altered")
        check(told.returncode == 1 and b"1 not ok" in told.stdout, told)


main()
