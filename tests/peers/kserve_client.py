"""The reference model server against the official KServe v2 stubs as client: raw and typed contents, requested outputs,
refusals, metadata, readiness, requests that are gathered, and versions that come while it serves."""
import json
import shutil
import signal
import struct
import subprocess
import tempfile
import time
from concurrent import futures
from pathlib import Path

import grpc
import xxhash

from _kserve_stubs import service_pb2, service_pb2_grpc
from _sprec import SERVEPATH, SOURCE, check, read

FRAUD = SOURCE / "fixtures/fraud"


def start(*args):
    process = subprocess.Popen([SERVEPATH, "model-server", *map(str, args)], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    return process, json.loads(process.stdout.readline())["address"]


def rows():
    """The thirty numbers of each event, as float32, and the expected score."""
    _, events = read(FRAUD / "fraud.sprec")
    expected = [json.loads(line) for line in (FRAUD / "expected/fraud-1.jsonl").read_text().splitlines()[1:]]
    return [([float(v) for v in event.value.decode().split(",")[:30]], line["v"][0])
            for event, line in zip(events, expected)]


def request(values, n_rows=1, raw=True, name="fraud", version="", datatype="FP32", shape=None, outputs=()):
    message = service_pb2.ModelInferRequest(model_name=name, model_version=version, id="a request")
    message.parameters["priority"].int64_param = 1  # what the server does not know it leaves alone
    tensor = message.inputs.add(name="transaction", datatype=datatype, shape=shape or (n_rows, 30))
    if raw:
        message.raw_input_contents.append(struct.pack(f"<{len(values)}f", *values))
    else:
        tensor.contents.fp32_contents.extend(values)
    for output in outputs:
        message.outputs.add(name=output)
    return message


def output_of(reply, name, n_rows, n_columns):
    index = [tensor.name for tensor in reply.outputs].index(name)
    tensor = reply.outputs[index]
    check(tensor.datatype == "FP32" and list(tensor.shape) == [n_rows, n_columns], tensor)
    return struct.unpack(f"<{n_rows * n_columns}f", reply.raw_output_contents[index])


def near(a, b):
    return abs(a - b) <= 1e-5 + 1e-4 * abs(b)


def refused(call, message, code, said):
    try:
        call(message, timeout=30)
    except grpc.RpcError as error:
        check(error.code() == code and said in error.details(), error.code(), error.details())
    else:
        check(False, "was not refused:", message)


def check_predictions(infer, events):
    for values, expected in events[:200]:
        for raw in (True, False):
            reply = infer(request(values, raw=raw), timeout=30)
            check((reply.model_name, reply.model_version, reply.id) == ("fraud", "1", "a request"), reply)
            check(near(output_of(reply, "score", 1, 1)[0], expected), reply, expected)
            check(len(output_of(reply, "reconstruction", 1, 30)) == 30)
    batch = [value for values, _ in events[:50] for value in values]
    reply = infer(request(batch, n_rows=50, version="1", outputs=["score"]), timeout=30)
    check([tensor.name for tensor in reply.outputs] == ["score"] and len(reply.raw_output_contents) == 1)
    check(all(near(a, b) for a, (_, b) in zip(output_of(reply, "score", 50, 1), events[:50])))


def check_refusals(infer, values):
    invalid, missing = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND
    refused(infer, request(values, name="frau"), missing, "fraud 1")
    refused(infer, request(values, version="2"), missing, "fraud 1")
    refused(infer, request(values, version="newest"), missing, "fraud 1")
    refused(infer, request(values, shape=(30,)), invalid, "float32 [30]")
    refused(infer, request(values[:29], shape=(1, 29)), invalid, "float32 [1, 29]")
    refused(infer, request(values, shape=(-1, 30)), invalid, "transaction")
    refused(infer, request(values + values, datatype="FP64"), invalid, "float64 [1, 30]")
    refused(infer, request(values, datatype="BYTES"), invalid, "none [1, 30]")
    refused(infer, request(values[:29]), invalid, "as many values")
    refused(infer, request(values + [1.0], raw=False), invalid, "as many values")
    refused(infer, request(values, outputs=["loss"]), invalid, "outputs names an output")


def check_descriptions(stub):
    check(stub.ServerLive(service_pb2.ServerLiveRequest(), timeout=30).live)
    check(stub.ServerReady(service_pb2.ServerReadyRequest(), timeout=30).ready)
    check(stub.ServerMetadata(service_pb2.ServerMetadataRequest(), timeout=30).name == "servepath")
    for name, version, is_ready in (("fraud", "", True), ("fraud", "1", True), ("fraud", "2", False), ("x", "", False)):
        reply = stub.ModelReady(service_pb2.ModelReadyRequest(name=name, version=version), timeout=30)
        check(reply.ready == is_ready, name, version)
    reply, ended = stub.ModelMetadata.with_call(service_pb2.ModelMetadataRequest(name="fraud"), timeout=30)
    told = dict(ended.trailing_metadata())
    digest = xxhash.xxh3_128_hexdigest((FRAUD / "models/fraud/1/model.onnx").read_bytes())
    check(told["sp-model-digest"] == "xxh128:" + digest and told["sp-server"].startswith("servepath "), told)
    check((reply.name, list(reply.versions)) == ("fraud", ["1"]) and reply.platform.startswith("onnxruntime"), reply)
    check([(t.name, t.datatype, list(t.shape)) for t in reply.inputs] == [("transaction", "FP32", [-1, 30])], reply)
    check(sorted(t.name for t in reply.outputs) == ["reconstruction", "score"], reply)
    refused(stub.ModelMetadata, service_pb2.ModelMetadataRequest(name="x"), grpc.StatusCode.NOT_FOUND, "fraud 1")


def check_many(infer, events):
    def one(i):
        values, expected = events[i]
        reply, call = infer.with_call(request(values, raw=i % 2 == 0), timeout=60)
        check(near(output_of(reply, "score", 1, 1)[0], expected), i)
        return int(dict(call.trailing_metadata())["sp-server-ns"])
    with futures.ThreadPoolExecutor(16) as pool:
        server_ns = list(pool.map(one, range(500)))
    check(all(0 < ns < 60e9 for ns in server_ns))


def check_versions(stub, folder, values):
    """A version that is copied into place is there at once or later, and answers."""
    shutil.copytree(folder / "1", folder / "2")
    ask = service_pb2.ModelReadyRequest(name="fraud", version="2")
    until = time.monotonic() + 30
    while not stub.ModelReady(ask, timeout=30).ready:
        check(time.monotonic() < until, "version 2 was not picked up")
    check(stub.ModelInfer(request(values), timeout=30).model_version == "2")


def main():
    events = rows()
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder) / "fraud"
        for more in ((), ("--threads", 2, "--batch-delay", "1ms")):
            shutil.copytree(FRAUD / "models/fraud", models)
            process, address = start("--model", f"fraud={models}", "--reload", "20ms", *more)
            with grpc.insecure_channel(address) as channel:
                stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
                check_predictions(stub.ModelInfer, events)
                check_refusals(stub.ModelInfer, events[0][0])
                check_descriptions(stub)
                check_many(stub.ModelInfer, events)
                check_versions(stub, models, events[0][0])
            process.send_signal(signal.SIGTERM)
            check(process.wait(30) == 0, "exit", process.returncode)
            shutil.rmtree(models)


main()
