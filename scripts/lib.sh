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
