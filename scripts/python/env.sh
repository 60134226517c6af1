# Sourced by scripts/fixtures and scripts/train: folders, and a Python environment per list of requirements.
# shellcheck shell=bash
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=$top/.cache

# venv NAME: makes .cache/venv/NAME from scripts/python/requirements-NAME.txt; a second call does nothing.
venv() {
  local dir=$cache/venv/$1 list=$top/scripts/python/requirements-$1.txt
  if ! cmp -s "$list" "$dir/requirements.txt"; then
    echo "installing the Python packages of ${list#"$top"/} into .cache/venv/$1" >&2
    if ! python3 -m venv --clear "$dir"; then
      echo "cannot make a Python environment; apt-get install python3-venv" >&2
      exit 3
    fi
    "$dir/bin/python" -m pip install -q -r "$list"
    cp "$list" "$dir/requirements.txt"
  fi
}
