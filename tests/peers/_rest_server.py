"""A model server over HTTP in plain Python: TensorFlow Serving's REST and the Open Inference Protocol, one model `fraud` whose
answers a test gives. 127.0.0.1, a free port, a thread per connection."""
import json
import math
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body in one piece

    def log_message(self, *_):
        pass

    def say(self, status, value):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def asked(self):
        return self.path.replace("/versions/1", "", 1)

    def do_GET(self):
        model = self.server.model
        if not model.lets_in(self.headers):
            return self.say(401, {"error": "a token is needed"})
        pages = {"/v1/models/fraud": TFS_STATUS, "/v1/models/fraud/metadata": TFS_METADATA, "/v2/health/ready": b"",
                 "/v2": {"name": "plain-python", "version": "1"}, "/v2/models/fraud": V2_METADATA}
        page = pages.get(self.asked()) if model.describes else None
        return self.say(404, {"error": f"no {self.path} here"}) if page is None else self.say(200, page)

    def do_POST(self):
        model, length = self.server.model, int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if not model.lets_in(self.headers):
            return self.say(401, {"error": "a token is needed"})
        # parse_constant sees NaN and Infinity, which are not JSON.
        request = json.loads(body, parse_constant=lambda word: math.nan)
        try:
            if self.asked() == "/v1/models/fraud:predict":
                rows = request["instances"]
                return self.say(200, {"predictions": [[model.predict(row)] for row in rows]})
            if self.asked() == "/v2/models/fraud/infer":
                (tensor,), (wanted,) = request["inputs"], request.get("outputs", [{"name": "score"}])
                n, width = tensor["shape"]
                if (tensor["name"], tensor["datatype"], wanted["name"], n * width) != (
                        "transaction", "FP32", "score", len(tensor["data"])):
                    return self.say(400, {"error": f"unexpected tensor {tensor['name']}"})
                rows = [tensor["data"][i * width:(i + 1) * width] for i in range(n)]
                data = [model.predict(row) for row in rows]
                return self.say(200, {"model_name": "fraud", "model_version": "1", "outputs": [
                    {"name": "score", "shape": [n, 1], "datatype": "FP32", "data": data}]})
        except (KeyError, TypeError, ValueError) as what:
            return self.say(400, {"error": repr(what)})
        return self.say(404, {"error": f"no {self.path} here"})


TFS_STATUS = {"model_version_status": [{"version": "1", "state": "AVAILABLE",
                                        "status": {"error_code": "OK", "error_message": ""}}]}


def _tfs_tensor(name, width):
    return {name: {"dtype": "DT_FLOAT", "name": f"{name}:0", "tensor_shape": {
        "dim": [{"size": "-1", "name": ""}, {"size": str(width), "name": ""}], "unknown_rank": False}}}


TFS_METADATA = {"model_spec": {"name": "fraud", "signature_name": "", "version": "1"}, "metadata": {"signature_def": {
    "signature_def": {"serving_default": {"inputs": _tfs_tensor("transaction", 30), "outputs": _tfs_tensor("score", 1),
                                          "method_name": "tensorflow/serving/predict"}}}}}
V2_METADATA = {"name": "fraud", "versions": ["1"], "platform": "python",
               "inputs": [{"name": "transaction", "datatype": "FP32", "shape": [-1, 30]}],
               "outputs": [{"name": "score", "datatype": "FP32", "shape": [-1, 1]}]}


class Model:
    """predict(row of 30 numbers) -> score. describes: answers questions about the model; token: the one to be shown."""

    def __init__(self, predict, describes=True, token=None):
        self.predict, self.describes, self.token = predict, describes, token

    def lets_in(self, headers):
        return self.token is None or headers.get("Authorization") == f"Bearer {self.token}"


class _Server(ThreadingHTTPServer):
    request_queue_size = 256

    def handle_error(self, *_):
        pass  # a client that breaks off


class serving:
    """with serving(model) as address: ... ; certificate, key, client_ca: files, for TLS."""

    def __init__(self, model, certificate=None, key=None, client_ca=None):
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.daemon_threads, self.server.model = True, model
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            if client_ca:
                context.load_verify_locations(client_ca)
                context.verify_mode = ssl.CERT_REQUIRED
            # The handshake belongs to the connection's thread, not to the one that accepts.
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self):
        self.thread.start()
        return f"127.0.0.1:{self.server.server_address[1]}"

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
