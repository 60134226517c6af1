#!/usr/bin/env bash
# The model servers that `scripts/test --all` looks at beside those of every run.
exec "$(dirname "$0")/servers.sh" kserve
