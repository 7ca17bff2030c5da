#!/bin/sh
# Lint, type-check, test; a line for each, and the whole output of the one that fails.
set -u

check() {
    name=$1
    shift
    if output=$("$@" 2>&1); then
        echo "$name: ok"
    else
        printf '%s\n%s: failed\n' "$output" "$name" >&2
        exit 1
    fi
}

check "ruff" .venv/bin/python -m ruff check --no-cache .
check "format" .venv/bin/python -m ruff format --no-cache --check .
check "mypy" .venv/bin/python -m mypy
# As the engine does; a test may load torch before it.
export GOMP_SPINCOUNT=2000
exec .venv/bin/python -m pytest -n 2 --dist loadfile "$@"
