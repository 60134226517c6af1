"""Our client against a server that is built on the official KServe v2 stubs and knows the expected predictions: those of the
fraud recording are verified through it, by servers that describe their model and servers that do not, with raw contents and
typed ones, in batches, waiting for each, with a connection per call, and over TLS with a token and metadata that the server
sees with every call; and one wrong answer among them is found."""
import json
import struct
import subprocess
import tempfile
import threading
from concurrent import futures
from pathlib import Path

import grpc

from _kserve_stubs import service_pb2, service_pb2_grpc
from _sprec import SOURCE, check, read, run

FRAUD = SOURCE / "fixtures/fraud"
WIDTH = 30 * 4


def expected_by_bytes():
    _, events = read(FRAUD / "fraud.sprec")
    lines = [json.loads(line) for line in (FRAUD / "expected/fraud-1.jsonl").read_text().splitlines()[1:]]
    return {struct.pack("<30f", *(float(v) for v in event.value.decode().split(",")[:30])): line["v"][0]
            for event, line in zip(events, lines)}


class Model(service_pb2_grpc.GRPCInferenceServiceServicer):
    """describes: "all"; "name", ModelMetadata without tensors; "nothing", ModelInfer is all there is."""

    def __init__(self, scores, describes="all", typed=False, alter=None, metadata=()):
        self.scores, self.describes, self.typed, self.alter = scores, describes, typed, alter
        self.metadata, self.lock = set(metadata), threading.Lock()
        self.n_rows, self.peers, self.not_ready = 0, set(), 2

    def look(self, context, speaks=True):
        check(self.metadata <= set(context.invocation_metadata()), context.invocation_metadata())
        if not speaks:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "ModelInfer is all there is")

    def ServerReady(self, request, context):
        self.look(context, self.describes != "nothing")
        return service_pb2.ServerReadyResponse(ready=True)

    def ServerMetadata(self, request, context):
        self.look(context, self.describes != "nothing")
        return service_pb2.ServerMetadataResponse(name="stubs", version="2")

    def ModelReady(self, request, context):
        self.look(context, self.describes != "nothing")
        check(request.name == "fraud" and request.version in ("", "1"), request)
        self.not_ready -= 1  # it is still loading when the client comes
        return service_pb2.ModelReadyResponse(ready=self.not_ready < 0)

    def ModelMetadata(self, request, context):
        self.look(context, self.describes != "nothing")
        reply = service_pb2.ModelMetadataResponse(name="fraud", versions=["1"], platform="python")
        if self.describes == "all":
            reply.inputs.add(name="transaction", datatype="FP32", shape=[-1, 30])
            reply.outputs.add(name="score", datatype="FP32", shape=[-1, 1])
        return reply

    def ModelInfer(self, request, context):
        self.look(context)
        tensor, raw = request.inputs[0], request.raw_input_contents[0]
        n = len(raw) // WIDTH
        check(request.model_name == "fraud" and len(request.inputs) == len(request.raw_input_contents) == 1, request)
        check((tensor.name, tensor.datatype, list(tensor.shape)) == ("transaction", "FP32", [n, 30]), tensor)
        check([output.name for output in request.outputs] in ([], ["score"]), request.outputs)
        check(context.time_remaining() < 3600, "a call without a deadline")
        # Zeros: how a client asks for shapes where nothing describes.
        scores = [self.scores.get(raw[at:at + WIDTH], 0.0) for at in range(0, n * WIDTH, WIDTH)]
        with self.lock:
            if self.alter is not None and self.n_rows <= self.alter < self.n_rows + n:
                scores[self.alter - self.n_rows] += 0.01
            self.n_rows += n
            self.peers.add(context.peer())
        reply = service_pb2.ModelInferResponse(model_name="fraud", model_version="1", id=request.id)
        output = reply.outputs.add(name="score", datatype="FP32", shape=[n, 1])
        if self.typed:
            output.contents.fp32_contents.extend(scores)
        else:
            reply.raw_output_contents.append(struct.pack(f"<{n}f", *scores))
        return reply


def verify(model, folder, *args, credentials=None):
    server = grpc.server(futures.ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(model, server)
    port = server.add_secure_port("127.0.0.1:0", credentials) if credentials else server.add_insecure_port("127.0.0.1:0")
    server.start()
    told = run("verify", FRAUD, "--side", "rpc", "--protocol", "kserve", "--server", f"127.0.0.1:{port}", "--deadline", "10s",
               "--drain", "20s", "--quiet", "--out", folder, *args)
    server.stop(None).wait()
    return told


def is_verified(model, folder, *args, n=2000, **options):
    told = verify(model, folder, "--limit", n, *args, **options)
    check(told.returncode == 0 and f"{n} of {n}".encode() in told.stdout.replace(b",", b""), told)
    check(model.n_rows >= n, model.n_rows)


def make_certificates(folder):
    """An authority and what it signed, as gRPC takes it: (its certificate, the server's key and certificate)."""
    def openssl(name, *args):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                        "2", "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}", *args], cwd=folder,
                       check=True, capture_output=True)
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "basicConstraints=critical,CA:FALSE")
    openssl("ca")
    openssl("server", "-addext", "subjectAltName=DNS:model.test", *signed)
    openssl("client", *signed)
    return [(folder / name).read_bytes() for name in ("ca.pem", "server.key", "server.pem")]


def check_secured(scores, folder):
    ca, key, certificate = make_certificates(folder)
    credentials = grpc.ssl_server_credentials([(key, certificate)], ca, require_client_auth=True)
    (folder / "token").write_text("open sesame\n")
    said = [("authorization", "Bearer open sesame"), ("x-tenant", "blue"), ("x-trace-bin", b"\x00\x01\xff")]
    model = Model(scores, metadata=said)
    is_verified(model, folder / "secured", "--rpc-tls", "--rpc-ca", folder / "ca.pem", "--rpc-cert", folder / "client.pem",
                "--rpc-key", folder / "client.key", "--rpc-server-name", "model.test", "--rpc-token", f"@{folder / 'token'}",
                "--set", "sides.rpc.rpc.metadata.x-tenant=blue", "--set", "sides.rpc.rpc.metadata.x-trace-bin=AAH/",
                "--batch", "4", credentials=credentials)
    results = [path.read_bytes() for path in (folder / "secured").rglob("*") if path.is_file()]
    check(results and not any(b"sesame" in text for text in results), "the token is among the results")


def main():
    scores = expected_by_bytes()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        is_verified(Model(scores), folder / "raw", "--in-flight", "16", n=10000)
        is_verified(Model(scores, describes="name", typed=True), folder / "typed", "--batch", "16")
        model = Model(scores, describes="nothing")
        is_verified(model, folder / "sync", "--rpc-sync", "--batch", "4")
        check(len(model.peers) == 1, model.peers)
        model = Model(scores)
        is_verified(model, folder / "per-call", "--rpc-channel", "per-call", "--batch", "32")
        check(len(model.peers) >= 2000 // 32, len(model.peers), "connections")
        check_secured(scores, folder)
        told = verify(Model(scores, alter=4711), folder / "altered")
        check(told.returncode == 1 and b"1 not ok" in told.stdout, told)


main()
