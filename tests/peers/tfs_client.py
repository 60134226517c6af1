"""The reference model server against the official TensorFlow Serving stubs as client: real models, both ways of writing
tensors, refusals, status, metadata, health, many calls at once, and the end on SIGTERM."""
import json
import signal
import struct
import subprocess
import tempfile
from concurrent import futures
from pathlib import Path

import grpc
import xxhash
from grpc_health.v1 import health_pb2, health_pb2_grpc

from _sprec import SERVEPATH, SOURCE, check, read
from _tfs_stubs import (get_model_metadata_pb2, get_model_status_pb2, model_service_pb2_grpc, predict_pb2,
                        prediction_service_pb2_grpc, types_pb2)

FRAUD = SOURCE / "fixtures/fraud"


def start(address, *args):
    process = subprocess.Popen([SERVEPATH, "model-server", "--address", address, *map(str, args)], stdout=subprocess.PIPE,
                               text=True)
    ready = json.loads(process.stdout.readline())
    check(ready["ready"] is True and ready["part"] == "model-server", ready)
    return process, ready["address"]


def rows():
    """The thirty numbers of each event, as float32, and the expected score."""
    _, events = read(FRAUD / "fraud.sprec")
    expected = [json.loads(line) for line in (FRAUD / "expected/fraud-1.jsonl").read_text().splitlines()[1:]]
    return [([float(v) for v in event.value.decode().split(",")[:30]], line["v"][0])
            for event, line in zip(events, expected)]


def request(values, n_rows=1, as_content=False, name="fraud", version=None, dtype=types_pb2.DT_FLOAT, shape=None):
    message = predict_pb2.PredictRequest()
    message.model_spec.name = name
    if version is not None:
        message.model_spec.version.value = version
    tensor = message.inputs["transaction"]
    tensor.dtype = dtype
    for size in shape or (n_rows, 30):
        tensor.tensor_shape.dim.add(size=size)
    if as_content:
        tensor.tensor_content = struct.pack(f"<{len(values)}f", *values)
    else:
        tensor.float_val.extend(values)
    return message


def score_of(reply):
    tensor = reply.outputs["score"]
    check(tensor.dtype == types_pb2.DT_FLOAT, tensor)
    return list(tensor.float_val)


def near(a, b):
    return abs(a - b) <= 1e-5 + 1e-4 * abs(b)


def refused(call, message, code, said):
    try:
        call(message, timeout=30)
    except grpc.RpcError as error:
        check(error.code() == code and said in error.details(), error.code(), error.details())
    else:
        check(False, "was not refused:", message)


def check_predictions(predict, events):
    for values, expected in events[:300]:
        for as_content in (False, True):
            reply = predict(request(values, as_content=as_content), timeout=30)
            check(reply.model_spec.name == "fraud" and reply.model_spec.version.value == 1, reply.model_spec)
            check([d.size for d in reply.outputs["score"].tensor_shape.dim] == [1, 1], reply)
            check(near(score_of(reply)[0], expected), score_of(reply), expected)
            check(len(reply.outputs["reconstruction"].float_val) == 30)
    batch = [value for values, _ in events[:50] for value in values]
    reply = predict(request(batch, n_rows=50), timeout=30)
    check(all(near(a, b) for a, (_, b) in zip(score_of(reply), events[:50])) and len(score_of(reply)) == 50)
    only = request(events[0][0])
    only.output_filter.append("score")
    check(list(predict(only, timeout=30).outputs) == ["score"])
    check(near(score_of(predict(request([0.5]), timeout=30))[0], score_of(predict(request([0.5] * 30), timeout=30))[0]))


def check_refusals(predict, values):
    invalid, missing = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND
    refused(predict, request(values, name="frau"), missing, "fraud 1")
    refused(predict, request(values, version=2), missing, "fraud 1")
    refused(predict, request(values, version=-1), missing, "fraud 1")
    refused(predict, request(values, shape=(30,)), invalid, "float32 [30]")
    refused(predict, request(values, shape=(1, 29)), invalid, "float32 [1, 29]")
    refused(predict, request(values, shape=(-1, 30)), invalid, "transaction")
    refused(predict, request(values, dtype=types_pb2.DT_DOUBLE), invalid, "float64 [1, 30]")
    refused(predict, request(values, dtype=types_pb2.DT_STRING), invalid, "none [1, 30]")
    refused(predict, request(values[:30] + [1.0]), invalid, "as many values")
    refused(predict, request([]), invalid, "as many values")
    refused(predict, request(values[:29], as_content=True), invalid, "as many values")
    other = request(values)
    other.inputs["more"].CopyFrom(other.inputs["transaction"])
    refused(predict, other, invalid, "2 inputs came")
    label = request(values)
    label.model_spec.version_label = "stable"
    refused(predict, label, missing, 'version label "stable" is unknown; this server has canary 1')
    label.model_spec.version_label = "canary"
    check(predict(label, timeout=30).model_spec.version.value == 1)
    signature = request(values)
    signature.model_spec.signature_name = "other"
    refused(predict, signature, invalid, "serving_default")
    signature.model_spec.signature_name = "serving_default"
    predict(signature, timeout=30)
    output = request(values)
    output.output_filter.append("loss")
    refused(predict, output, invalid, "output_filter")


def check_descriptions(channel, stub):
    status = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus
    ask = get_model_status_pb2.GetModelStatusRequest()
    ask.model_spec.name = "fraud"
    reply, ended = status.with_call(ask, timeout=30)
    states = reply.model_version_status
    told = dict(ended.trailing_metadata())
    check(told["sp-server"].startswith("servepath ") and "sp-stub" not in told, told)
    digest = xxhash.xxh3_128_hexdigest((FRAUD / "models/fraud/1/model.onnx").read_bytes())
    check(told["sp-model-digest"] == "xxh128:" + digest, told)
    check([(s.version, s.state) for s in states] == [(1, get_model_status_pb2.ModelVersionStatus.AVAILABLE)], states)
    ask.model_spec.name = "other"
    refused(status, ask, grpc.StatusCode.NOT_FOUND, "fraud 1")
    about = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    about.model_spec.name = "fraud"
    metadata = stub.GetModelMetadata(about, timeout=30).metadata["signature_def"]
    signatures = get_model_metadata_pb2.SignatureDefMap()
    check(metadata.Unpack(signatures), metadata)
    signature = signatures.signature_def["serving_default"]
    check(signature.method_name == "tensorflow/serving/predict", signature)
    check([d.size for d in signature.inputs["transaction"].tensor_shape.dim] == [-1, 30], signature)
    check(sorted(signature.outputs) == ["reconstruction", "score"], signature)
    about.metadata_field[:] = ["something"]
    refused(stub.GetModelMetadata, about, grpc.StatusCode.INVALID_ARGUMENT, "signature_def")


def check_health(channel):
    stub = health_pb2_grpc.HealthStub(channel)
    for service in ("", "tensorflow.serving.PredictionService", "tensorflow.serving.ModelService"):
        reply = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=30)
        check(reply.status == health_pb2.HealthCheckResponse.SERVING, service, reply)
    refused(stub.Check, health_pb2.HealthCheckRequest(service="other"), grpc.StatusCode.NOT_FOUND, "service")
    serving, unknown = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
    check(stub.Check(health_pb2.HealthCheckRequest(service="fraud"), timeout=30).status == serving)
    for service, status in (("", serving), ("fraud", serving), ("other", unknown)):
        stream = stub.Watch(health_pb2.HealthCheckRequest(service=service), timeout=30)
        check(next(iter(stream)).status == status, service)
        stream.cancel()


def check_end(channel, process):
    """An open Watch hears of the end, and does not hold it up."""
    stream = iter(health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service="fraud")))
    check(next(stream).status == health_pb2.HealthCheckResponse.SERVING)
    process.send_signal(signal.SIGTERM)
    check(next(stream).status == health_pb2.HealthCheckResponse.NOT_SERVING)
    try:
        check(False, "after the end:", next(stream))
    except grpc.RpcError as error:
        check(error.code() == grpc.StatusCode.UNAVAILABLE, error)
    check(process.wait(30) == 0, "exit", process.returncode)
    check(json.loads(process.stdout.read())["event"] == "end")


def check_unknown(channel):
    for method in ("/tensorflow.serving.PredictionService/Classify", "/a/b"):
        call = channel.unary_unary(method, lambda m: m, lambda m: m)
        refused(call, b"", grpc.StatusCode.UNIMPLEMENTED, method)


def check_many(predict, events):
    def one(i):
        values, expected = events[i]
        reply, call = predict.with_call(request(values, as_content=i % 2 == 0), timeout=60)
        check(near(score_of(reply)[0], expected), i)
        return int(dict(call.trailing_metadata())["sp-server-ns"])
    with futures.ThreadPoolExecutor(16) as pool:
        server_ns = list(pool.map(one, range(1000)))
    check(all(0 < ns < 60e9 for ns in server_ns))


def main():
    events = rows()
    with tempfile.TemporaryDirectory() as folder:
        for address, threads in (("127.0.0.1:0", 1), (f"unix:{folder}/s.sock", 2)):
            process, address = start(address, "--model", f"fraud={FRAUD / 'models/fraud'}", "--threads", threads,
                                     "--label", "canary=1")
            with grpc.insecure_channel(address) as channel:
                stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
                check_predictions(stub.Predict, events)
                check_refusals(stub.Predict, events[0][0])
                check_descriptions(channel, stub)
                check_health(channel)
                check_unknown(channel)
                check_many(stub.Predict, events)
                check_end(channel, process)
        check(list(Path(folder).iterdir()) == [], "a socket is left")


main()
