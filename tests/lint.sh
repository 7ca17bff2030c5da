#!/bin/sh
# Lint and type-check; a line for each, and the whole output of the one that fails.
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
