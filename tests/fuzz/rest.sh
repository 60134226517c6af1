#!/usr/bin/env bash
# Fuzzes what reads the answers of REST servers.
#
#   tests/fuzz/rest.sh [SECONDS]     30 by default
#
# Needs clang-14 with its fuzzer (scripts/setup --test). Inputs that were found stay in .cache/fuzz/ for the next time; one that
# breaks is left there as crash-*, and the exit code is not 0.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-30}
out=.cache/fuzz
mkdir -p "$out/rest"
clang-14 -std=c11 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -Ibench \
  tests/fuzz/rest.c bench/rpc/{rest_scan,rest_write,tfs_rest,kserve_rest}.c \
  bench/base/{err,number,tensor}.c -ljansson -lm -o "$out/fuzz_rest"
printf '\x01{"predictions": [[0.5], [1e-7], [-2]]}' >"$out/rest/rows"
printf '\x05{"predictions": [{"score": [[true, 0], [1, false]], "x": null}]}' >"$out/rest/named"
printf '\x03{"outputs": {"score": [[0.5]], "\\u0041\\"": [[[1, 2]]]}}' >"$out/rest/columns"
printf '\x00{"outputs": [{"name": "score", "shape": [1, 1], "datatype": "FP32", "data": [0.5]}]}' >"$out/rest/infer"
printf '\x02{"error": "Request for unknown model: \\u00e9", "outputs": [{"name": "a", "shape": [1]}]}' >"$out/rest/error"
"$out/fuzz_rest" -max_total_time="$seconds" -max_len=4096 -rss_limit_mb=1024 -artifact_prefix="$out/crash-" -verbosity=0 \
  -print_final_stats=1 "$out/rest"
