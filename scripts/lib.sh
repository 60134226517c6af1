# Shared by the scripts: where the repository is, how they speak, how they fail. Sourced, not run.
# shellcheck shell=bash
set -euo pipefail
# shellcheck disable=SC2034 # used by those who source this
sp_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
sp_name="scripts/$(basename "$0")"

# One progress line to stderr.
say() { echo "$sp_name: $*" >&2; }

# die EXIT what went wrong, where; the remedy
die() {
  local code=$1
  shift
  say "$*"
  exit "$code"
}

# The comment at the top of a script is its help.
usage() {
  sed -n '2,/^[^#]/{/^#/!d;s/^# \{0,1\}//;p}' "$0"
}

# has_packages NAME...: true where Debian's package tool says that all are installed.
has_packages() {
  local n
  n=$(dpkg-query -W -f '${db:Status-Status}\n' "$@" 2>/dev/null | grep -cx installed) || true
  [ "$n" -eq $# ]
}

# python_env DIR LIST: makes the Python environment DIR from LIST, whose packages are all named, pinned and hashed; nothing to do
# where it is there already. Dies with pip's last complaint.
python_env() {
  local dir=$1 list=$2 log why lock
  cmp -s "$list" "$dir/installed.txt" && return
  log=$dir.log
  mkdir -p "$(dirname "$dir")"
  exec {lock}>"$dir.lock" # two at once: the second finds it made
  flock "$lock"
  cmp -s "$list" "$dir/installed.txt" && exec {lock}>&- && return
  say "installing the Python packages of ${list#"$sp_root"/} into ${dir#"$sp_root"/}"
  if ! { python3 -m venv --clear "$dir" && "$dir/bin/pip" install -q --disable-pip-version-check --no-deps --require-hashes \
    --only-binary=:all: -r "$list"; } >"$log" 2>&1 </dev/null; then
    why=$(grep -E 'ERROR|[Ee]rror:' "$log" | tail -1) || true
    die 3 "the packages of ${list#"$sp_root"/} cannot be had: ${why:-no reason given}; all of it in ${log#"$sp_root"/}. Check the network and the configured pip source"
  fi
  cp "$list" "$dir/installed.txt"
  exec {lock}>&-
}
