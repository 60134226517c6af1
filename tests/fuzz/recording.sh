#!/usr/bin/env bash
# Fuzzes what reads foreign bytes into recordings: the format's reader, then the readers of rows.
#
#   tests/fuzz/recording.sh [SECONDS]     each for so long, 30 by default
#
# Needs clang-14 with its fuzzer (scripts/setup --test). Inputs that were found stay in .cache/fuzz/ for the next time; one that
# breaks is left there as crash-*, and the exit code is not 0.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-30}
out=.cache/fuzz
mkdir -p "$out/proto" "$out/recording" "$out/recording_rows"
protoc-c --c_out="$out/proto" --proto_path=proto proto/recording.proto
clang-14 -g -O1 -c "$out/proto/recording.pb-c.c" -I"$out" -o "$out/proto/recording.o"
for target in recording recording_rows; do
  clang-14 -std=c11 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -Ibench \
    -isystem "$out" "tests/fuzz/$target.c" bench/recording/*.c bench/import/{csv,json,when}.c \
    bench/base/{err,digest,printable}.c "$out/proto/recording.o" -lzstd -lxxhash -lprotobuf-c -ljansson -lm -o "$out/fuzz_$target"
done
# To start from: a whole recording of one event, as a stream that the target packs.
stream='\004\012\002\010\001\011\022\007\010\005\022\001\153\032\000\015\032\013\010\001\021\037\330\077\117\342\371\257\032'
printf '%b' "a$stream" >"$out/recording/stream"
for target in recording recording_rows; do
  "$out/fuzz_$target" -max_total_time="$seconds" -max_len=8192 -rss_limit_mb=1024 -artifact_prefix="$out/crash-" \
    -verbosity=0 -print_final_stats=1 "$out/$target"
done
