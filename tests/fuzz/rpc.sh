#!/usr/bin/env bash
# Fuzzes what reads the messages of model servers and their callers.
#
#   tests/fuzz/rpc.sh [SECONDS]     30 by default
#
# Needs clang-14 with its fuzzer (scripts/setup --test) and protoc-c. Inputs that were found stay in .cache/fuzz/ for the next
# time; one that breaks is left there as crash-*, and the exit code is not 0.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-30}
out=.cache/fuzz
mkdir -p "$out/rpc" "$out/gen/proto"
for proto in google tensorflow tensorflow_serving health; do
  protoc-c --c_out="$out/gen/proto" --proto_path=proto "proto/$proto.proto"
done
clang-14 -std=c11 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -Ibench \
  -I"$out/gen" -I"$out/gen/proto" tests/fuzz/rpc.c bench/rpc/{tfs,tfs_model,kserve,wire_values}.c \
  bench/base/{err,tensor}.c "$out"/gen/proto/{google,tensorflow,tensorflow_serving,health}.pb-c.c -lprotobuf-c -lm -o "$out/fuzz_rpc"
# PredictRequest and PredictResponse with one float32 [1, 2]; a metadata entry; a status.
printf '\x00\x0a\x03\x0a\x01m\x12\x1d\x0a\x01x\x12\x18\x08\x01\x12\x08\x12\x02\x08\x01\x12\x02\x08\x02\x22\x08aaaabbbb' >"$out/rpc/request"
printf '\x01\x0a\x1d\x0a\x01x\x12\x18\x08\x01\x12\x08\x12\x02\x08\x01\x12\x02\x08\x02\x2a\x08aaaabbbb' >"$out/rpc/reply"
printf '\x02\x12\x13\x0a\x0dsignature_def\x12\x02\x12\x00' >"$out/rpc/metadata"
printf '\x03\x0a\x04\x08\x01\x10\x1e' >"$out/rpc/status"
# ModelInferRequest and ModelInferResponse with one FP32 [1, 2], raw and typed; ModelMetadataResponse.
printf '\x05\x0a\x01m\x12\x011\x2a\x0d\x0a\x01x\x12\x04FP32\x1a\x02\x01\x02\x3a\x08aaaabbbb' >"$out/rpc/infer"
printf '\x06\x0a\x01m\x2a\x19\x0a\x01x\x12\x04FP32\x1a\x02\x01\x02\x2a\x0a\x32\x08aaaabbbb' >"$out/rpc/inferred"
printf '\x07\x0a\x01m\x12\x011\x22\x0d\x0a\x01x\x12\x04FP32\x1a\x02\x01\x02' >"$out/rpc/about"
"$out/fuzz_rpc" -max_total_time="$seconds" -max_len=4096 -rss_limit_mb=1024 -artifact_prefix="$out/crash-" -verbosity=0 \
  -print_final_stats=1 "$out/rpc"
