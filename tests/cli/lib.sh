# Shared by tests of the command line: an empty folder of their own, which is gone at the end. Sourced, not run.
# shellcheck shell=bash
set -euo pipefail
: "${SERVEPATH:?the binary under test}" "${SOURCE_DIR:?the repository}" "${PYTHON:?Python of the test environment}"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"

# With what was said last, in out and err.
fail() {
  echo "FAIL $*" >&2
  cat out err >&2 || true
  exit 1
}
