"""TensorFlow Serving's REST interface: status, metadata, and predict by row ("instances") or by column ("inputs")."""
import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
from google.protobuf.json_format import MessageToDict

from model import Refusal, invalid

PATH = re.compile(r"/v1/models/(?P<name>[^/:]+)(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
                  r"(?P<what>|/metadata|:predict)")
STATUS = {grpc.StatusCode.NOT_FOUND: 404, grpc.StatusCode.INVALID_ARGUMENT: 400, grpc.StatusCode.FAILED_PRECONDITION: 412,
          grpc.StatusCode.UNIMPLEMENTED: 501, grpc.StatusCode.RESOURCE_EXHAUSTED: 429}


def status(model):
    return {"model_version_status": [{"version": str(model.version), "state": "AVAILABLE",
                                      "status": {"error_code": "OK", "error_message": ""}}]}


def metadata(model):
    signatures = {key: MessageToDict(signature, preserving_proto_field_name=True)
                  for key, signature in model.signatures.items()}
    return {"model_spec": {"name": model.name, "signature_name": "", "version": str(model.version)},
            "metadata": {"signature_def": {"signature_def": signatures}}}


def only(model, key, which):
    signature = model.signatures.get(key or "serving_default")
    tensors = getattr(signature, which, {})
    return next(iter(tensors)) if len(tensors) == 1 else ""


def columns_of_rows(rows, name):
    if not isinstance(rows, list) or not rows:
        raise invalid('JSON Value: "instances" must be a list of one row or more')
    if not all(isinstance(row, dict) == isinstance(rows[0], dict) for row in rows):
        raise invalid('JSON Value: "instances" mixes objects and values')
    if not isinstance(rows[0], dict):
        return {name: rows}
    if any(row.keys() != rows[0].keys() for row in rows):
        raise invalid('JSON Value: "instances" with different names')
    return {key: [row[key] for row in rows] for key in rows[0]}


def predict(model, body):
    try:
        asked = json.loads(body)
    except ValueError as error:
        raise invalid(f"JSON Parse error: {error}") from None
    if not isinstance(asked, dict) or ("instances" in asked) == ("inputs" in asked):
        raise invalid('JSON Value: one of "instances" and "inputs" must be there')
    key, by_row = asked.get("signature_name", ""), "instances" in asked
    name = only(model, key, "inputs")
    if by_row:
        columns = columns_of_rows(asked["instances"], name)
    else:
        columns = asked["inputs"] if isinstance(asked["inputs"], dict) else {name: asked["inputs"]}
    answers = model.predict(key, {name: model.array(key, name, values) for name, values in columns.items()})
    values = {name: array.tolist() for name, array in answers.items()}
    if not by_row:
        return {"outputs": values if len(values) > 1 else next(iter(values.values()))}
    if len(values) == 1:
        return {"predictions": next(iter(values.values()))}
    return {"predictions": [dict(zip(values, row)) for row in zip(*values.values())]}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body in one piece
    models = executor = None  # set by serve

    def answer(self, method, body=b""):
        match = PATH.fullmatch(self.path)
        if not match or (match["what"] == ":predict") != (method == "POST"):
            raise invalid(f"Malformed request: {method} {self.path}")
        spec = match["name"], int(match["version"] or 0), match["label"] or ""
        if match["what"] == ":predict":  # in the threads that gRPC predicts in: one budget
            return self.executor.submit(predict, self.models.find(*spec), body).result()
        if match["what"] == "/metadata":
            return metadata(self.models.find(*spec))
        return status(self.models.find_status(*spec))

    def reply(self, method, body=b""):
        code = 200
        try:
            text = self.answer(method, body)
        except Refusal as refusal:
            code, text = STATUS.get(refusal.code, 500), {"error": str(refusal)}
        data = json.dumps(text).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        self.reply("GET")

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            self.close_connection = True
            return self.send_error(411)
        return self.reply("POST", self.rfile.read(int(length)))

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 512


def serve(models, executor, port):
    Handler.models, Handler.executor = models, executor
    Server(("127.0.0.1", port), Handler).serve_forever()
