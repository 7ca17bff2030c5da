#!/bin/sh
# Lint, type-check, test.
set -eu

sh tests/lint.sh
# As the engine does; a test may load torch before it.
export GOMP_SPINCOUNT=2000
exec .venv/bin/python -m pytest -n 2 --dist loadfile "$@"
