#!/usr/bin/env bash
# scripts/check.d: each rule about bench/ is found broken where it is, with its line, and kept where it is kept.
set -euo pipefail
rules=$SOURCE_DIR/scripts/check.d
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p bench/{base,os,scenario,meter,engine}

# file NAME LINE...: a file of bench/ with those lines.
file() { local name=$1 && shift && printf '%s\n' "$@" >"bench/$name"; }

file base/a.c '#include "base/a.h"' '#include "os/a.h"'
file os/a.c '#include "base/err.h"' '#include "os/a.h"' '#include "meter/a.h"' '#include <grpc/grpc.h>' '#include "a.h"'
file scenario/a.c '#include "meter/conf.h"' '#include "meter/a.h"' '#include <libfyaml.h>'
file meter/conf.h '#include "base/conf.h"' '#include "stats/a.h"'
file engine/onnxruntime.c '#include <onnxruntime_c_api.h>'
file engine/other.c '#include <onnxruntime_c_api.h>'
found=$("$rules/includes" "$rules/includes.tsv" "$rules/foreign.tsv" bench/*/* | cut -d: -f1,2) && exit 1
diff <(echo "$found") - <<'END'
bench/base/a.c:2
bench/engine/other.c:1
bench/meter/conf.h:2
bench/os/a.c:3
bench/os/a.c:4
bench/os/a.c:5
bench/scenario/a.c:2
END

# body N: N lines of a function's inside.
body() { local i && for ((i = 0; i < $1; i++)); do echo '  b++;'; done; }
{
  echo 'static int fits(int b) {' && body 58 && echo '}'
  echo 'static const int table[] = {' && body 90 && echo '};'
  echo 'static int too_long(int a,' && echo '                    int b) {' && body 58 && echo '}'
} >bench/os/long.c
found=$("$rules/functions" bench/os/long.c) && exit 1
diff <(echo "$found") - <<'END'
bench/os/long.c:153: too_long has 61 lines; split it by idea
END
