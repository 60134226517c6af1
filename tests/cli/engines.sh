#!/usr/bin/env bash
# The second engine as a user meets it: right answers on the fixtures from every format that they come in, one line where a model
# or the library is not to be had, and a model that is loaded for every event.
set -euo pipefail
: "${SERVEPATH:?}" "${SOURCE_DIR:?}"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
fixtures=$SOURCE_DIR/fixtures
n_failed=0

fail() {
  echo "FAIL $*" >&2
  n_failed=$((n_failed + 1))
}

# right N ARGUMENT...: verify must find all N answers as expected.
right() {
  local n=$1
  shift
  "$SERVEPATH" verify "$@" --quiet --out "$tmp/out.d" >"$tmp/out" 2>"$tmp/err" ||
    fail "verify $*: exit $?: $(cat "$tmp/err" "$tmp/out")"
  grep -qE " $n ok, 0 unchecked, 0 not ok of $n," "$tmp/out" || fail "verify $*: $(cat "$tmp/out")"
  rm -rf "$tmp/out.d"
}

# refuse CODE PATTERN ARGUMENT...: verify must exit with CODE and say one line that matches PATTERN.
refuse() {
  local code=$1 pattern=$2 told=0
  shift 2
  timeout 60 "$SERVEPATH" verify "$@" --quiet --out "$tmp/no" >"$tmp/out" 2>"$tmp/err" || told=$?
  if [ "$told" != "$code" ] || ! grep -qE -- "$pattern" "$tmp/err" || [ "$(wc -l <"$tmp/err")" != 1 ] || [ -s "$tmp/out" ]; then
    fail "verify $*: exit $told instead of $code, or not one line like /$pattern/: $(cat "$tmp/err")"
  fi
}

fraud=(--side embedded --engine openvino "$fixtures/fraud")
tweet=(--side embedded --engine openvino "$fixtures/tweet")
net=(--side embedded --engine openvino "$fixtures/airline" --overlay "$fixtures/airline/net.yaml")

# --- right answers ---
for file in model.onnx saved_model.pb; do
  right 10,000 "${fraud[@]}" --set "sides.embedded.model_file=$file"
  right 4,200 "${tweet[@]}" --set "sides.embedded.model_file=$file"
  right 20,000 "${net[@]}" --set "sides.embedded.model_file=$file"
done
right 10,000 "${fraud[@]}" --batch 16 --threads 2
mkdir -p "$tmp/saved/1" # no model.onnx beside it: found by itself
cp -r "$fixtures/fraud/models/fraud/1/saved_model.pb" "$fixtures/fraud/models/fraud/1/variables" "$tmp/saved/1"
right 10,000 "${fraud[@]}" --set "model.dir=$tmp/saved"

# --- loaded for every event ---
for engine in onnxruntime openvino; do
  right 40 "$fixtures/fraud" --side embedded --engine "$engine" --model-load per-event --limit 40
done
refuse 64 'model_load: per-event loads the model in the application, which path rpc does not' "$fixtures/fraud" --side rpc \
  --model-load per-event

# --- refusals ---
refuse 64 'airline-gbm/1/model.onnx has operators that OpenVINO does not run: ai.onnx.ml.TreeEnsembleClassifier; use engine onnxruntime' \
  --side embedded --engine openvino "$fixtures/airline"
refuse 64 'did you mean openvino\?' --side embedded --engine openvin "$fixtures/fraud"
refuse 64 'engine onnxruntime does not read "saved_model.pb"; ' --side embedded --set sides.embedded.model_file=saved_model.pb \
  "$fixtures/fraud"
refuse 3 'cannot read model .*/1/model.tflite \(No such file or directory\), which engine openvino needs' "${fraud[@]}" \
  --set sides.embedded.model_file=model.tflite
mkdir -p "$tmp/broken/1"
head -c 1000 "$fixtures/fraud/models/fraud/1/saved_model.pb" >"$tmp/broken/1/saved_model.pb"
refuse 3 'cannot load model .*/broken/1/saved_model.pb \(OpenVINO: .*\); restore the file' "${fraud[@]}" --set "model.dir=$tmp/broken"
export SERVEPATH_OPENVINO=$tmp/gone.so
refuse 3 'cannot load OpenVINO from SERVEPATH_OPENVINO=.*/gone.so .*run scripts/setup --openvino' "${fraud[@]}"

[ "$n_failed" = 0 ]
