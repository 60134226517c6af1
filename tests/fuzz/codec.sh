#!/usr/bin/env bash
# Fuzzes what reads the bytes of events and answers: the CSV decoder, then the JSON ones (compared with jansson).
#
#   tests/fuzz/codec.sh [SECONDS]     each for so long, 30 by default
#
# Needs clang-14 with its fuzzer (scripts/setup --test). Inputs that were found stay in .cache/fuzz/ for the next time; one that
# breaks is left there as crash-*, and the exit code is not 0.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-30}
out=.cache/fuzz
mkdir -p "$out/codec_csv" "$out/codec_json"
for target in codec_csv codec_json; do
  clang-14 -std=c11 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -Ibench \
    "tests/fuzz/$target.c" bench/codec/*.c bench/base/{err,names,number,tensor}.c -lutf8proc -lxxhash -ljansson -lm \
    -o "$out/fuzz_$target"
done
printf '1,2,3,A,x' >"$out/codec_csv/plain"
printf '"1",,NA,"B""",\r\n' >"$out/codec_csv/quoted"
printf '{"t":"a http:%sx \\ud83d\\ude00 b1","n":[[1,2]]}' // >"$out/codec_json/text"
printf '{"dtype":"DT_FLOAT","tensorShape":{"dim":[{"size":"1"},{"size":"2"}]},"tensorContent":"AADAPwAAAMA="}' \
  >"$out/codec_json/tensor"
for target in codec_csv codec_json; do
  "$out/fuzz_$target" -max_total_time="$seconds" -max_len=4096 -rss_limit_mb=1024 -artifact_prefix="$out/crash-" \
    -verbosity=0 -print_final_stats=1 "$out/$target"
done
