#!/usr/bin/env bash
# scripts/servers/tfs: the three cases' SavedModels through TensorFlow behind the official stubs, its errors, its end; and how
# tensorflow_model_server is started where there is one (an imitation that notes its arguments and binds every address).
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/_servers.sh"
tfs=$SOURCE_DIR/scripts/servers/tfs
name=e2e-$$
export SERVEPATH
trap '"$tfs" stop --name "$name" 2>/dev/null || true; "$tfs" stop --name "$name-own" 2>/dev/null || true; rm -rf "$tmp" "$SOURCE_DIR/.cache/run/tfs-$name"*.log' EXIT

models=(--model "fraud=$fixtures/fraud/models/fraud" --model "tweet=$fixtures/tweet/models/tweet"
  --model "airline-net=$fixtures/airline/models/airline-net")

# What it cannot do is said before anything starts.
refused 3 'airline-gbm: an ONNX file alone, and TensorFlow holds SavedModels only' \
  "$tfs" start --name "$name" --model "airline-gbm=$fixtures/airline/models/airline-gbm"
refused 64 'tfs speaks tfs and tfs-rest, not kserve; write --protocol tfs' "$tfs" start --name "$name" "${models[@]}" --protocol kserve
refused 64 'gathers no requests' "$tfs" start --name "$name" "${models[@]}" --max-batch 8
[ ! -e "$SOURCE_DIR/.cache/run/tfs-$name" ] || fail "a start that was refused left its folder"

"$tfs" start --name "$name" "${models[@]}" >"$tmp/ready" || fail "tfs did not start"
grpc=$(json "$tmp/ready" 'r["address"]') rest=$(json "$tmp/ready" 'r["rest"]') pid=$(json "$tmp/ready" 'r["pid"]')
[ "$(json "$tmp/ready" 'r["kind"], r["version"], "official serving stubs" in r["backend"]')" = "('tfs', '2.21.0', True)" ] ||
  fail "ready line: $(cat "$tmp/ready")"
on_loopback "$pid" "${grpc#*:}" "${rest#*:}"

verified tfs "$grpc" fraud
verified tfs "$grpc" tweet
verified tfs "$grpc" airline --overlay "$fixtures/airline/net.yaml"
verified tfs-rest "$rest" fraud

# Its errors, as TensorFlow Serving has them.
unknown=(verify "$fixtures/fraud" --side rpc --limit 10 --quiet --set model.name=fraud2)
refused 3 'NOT_FOUND: Could not find any versions of model fraud2' "$SERVEPATH" "${unknown[@]}" --protocol tfs --server "$grpc"
refused 3 'HTTP 404: Servable not found for request: Specific\(fraud2, 1\)' "$SERVEPATH" "${unknown[@]}" --protocol tfs-rest --server "$rest"
PYTHONPATH=$SOURCE_DIR/tests/peers "$PYTHON" -B - "$grpc" <<'END' || fail "its errors are not TensorFlow Serving's"
import struct, sys
import grpc
from _tfs_stubs import get_model_metadata_pb2, predict_pb2, prediction_service_pb2_grpc
channel = grpc.insecure_channel(sys.argv[1])
stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

def predict(name="transaction", width=30, dtype=1, version=0, wanted="score", signature="serving_default"):
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "fraud", signature
    if version:
        request.model_spec.version.value = version
    request.output_filter.append(wanted)
    tensor = request.inputs[name]
    tensor.dtype = dtype
    tensor.tensor_shape.dim.add(size=1)
    tensor.tensor_shape.dim.add(size=width)
    tensor.tensor_content = bytes(width * (4 if dtype == 1 else 8))
    try:
        return stub.Predict(request, timeout=20)
    except grpc.RpcError as error:
        return error.code().name, error.details()

assert [d.size for d in predict().outputs["score"].tensor_shape.dim] == [1, 1]
for asked, code, text in (
        (dict(version=7), "NOT_FOUND", "Servable not found for request: Specific(fraud, 7)"),
        (dict(name="amount"), "INVALID_ARGUMENT", "input tensor alias not found in signature: amount"),
        (dict(width=5), "INVALID_ARGUMENT", "5"),
        (dict(dtype=9), "INVALID_ARGUMENT", "to be float"),
        (dict(wanted="rank"), "INVALID_ARGUMENT", "output tensor alias not found in signature: rank"),
        (dict(signature="train"), "FAILED_PRECONDITION", 'Serving signature key "train" not found.')):
    told = predict(**asked)
    assert told[0] == code and text in told[1] and "\n" not in told[1], (asked, told)
request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["weights"])
request.model_spec.name = "fraud"
try:
    stub.GetModelMetadata(request, timeout=20)
    raise SystemExit("metadata that there is not was had")
except grpc.RpcError as error:
    assert error.code().name == "INVALID_ARGUMENT" and error.details() == "Metadata field weights is not supported", error
END

"$tfs" stop --name "$name"
gone "$pid"
[ ! -e "$SOURCE_DIR/.cache/run/tfs-$name" ] || fail "stop left files"
! ss -Hltn | grep -qE ":(${grpc#*:}|${rest#*:}) " || fail "a port is open after stop"

# With tensorflow_model_server in PATH that is what runs.
mkdir "$tmp/bin"
cat >"$tmp/bin/tensorflow_model_server" <<END
#!$PYTHON
import http.server, socket, sys
if sys.argv[1:] == ["--version"]:
    print("TensorFlow ModelServer: 2.18.0-rc0+dev.sha.1\nTensorFlow Library: 2.18.0")
    sys.exit()
options = dict(argument.removeprefix("--").partition("=")[::2] for argument in sys.argv[1:])
with open("$tmp/arguments", "w") as file:
    print(*sorted(options.items()), sep="\n", file=file)
for name in ("model_config_file", "batching_parameters_file"):
    with open(options[name]) as config, open("$tmp/" + name, "w") as file:
        file.write(config.read())
both = socket.socket(socket.AF_INET6)  # as gRPC does: IPv4 and IPv6 by one socket
both.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
both.bind(("::", int(options["port"])))
both.listen()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/v1/models/fraud/versions/1/metadata" else 404)
        self.end_headers()
http.server.HTTPServer(("0.0.0.0", int(options["rest_api_port"])), Handler).serve_forever()
END
chmod +x "$tmp/bin/tensorflow_model_server"
export PATH=$tmp/bin:$PATH
"$tfs" prepare || fail "the preloaded library could not be made"
"$tfs" start --name "$name-own" --model "fraud=$fixtures/fraud/models/fraud" --threads 2 --max-batch 16 --batch-delay 2ms >"$tmp/ready" ||
  fail "tensorflow_model_server did not start"
grpc=$(json "$tmp/ready" 'r["address"]') rest=$(json "$tmp/ready" 'r["rest"]') pid=$(json "$tmp/ready" 'r["pid"]')
[ "$(json "$tmp/ready" 'r["version"], r["backend"]')" = "('2.18.0-rc0+dev.sha.1', 'tensorflow_model_server')" ] ||
  fail "ready line: $(cat "$tmp/ready")"
on_loopback "$pid" "${grpc#*:}" "${rest#*:}"
for argument in "'tensorflow_intra_op_parallelism', '1'" "'tensorflow_inter_op_parallelism', '2'" "'enable_batching', ''"; do
  grep -qF "$argument" "$tmp/arguments" || fail "no $argument among $(cat "$tmp/arguments")"
done
grep -qF "name: \"fraud\" base_path: \"$fixtures/fraud/models/fraud\"" "$tmp/model_config_file" || fail "$(cat "$tmp/model_config_file")"
grep -qF "max_batch_size { value: 16 } batch_timeout_micros { value: 2000 }" "$tmp/batching_parameters_file" ||
  fail "$(cat "$tmp/batching_parameters_file")"
"$tfs" stop --name "$name-own"
gone "$pid"
