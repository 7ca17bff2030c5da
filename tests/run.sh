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

# Hundreds of processes are started here: where nothing compiled may be kept, each compiles all that it imports.
unset PYTHONDONTWRITEBYTECODE
# As the engine does; a test may load torch before it.
export GOMP_SPINCOUNT=2000

check "ruff" .venv/bin/python -m ruff check --no-cache .
check "format" .venv/bin/python -m ruff format --no-cache --check .
(check "mypy" .venv/bin/python -m mypy) &  # beside the tests, which often wait
mypy=$!
# Three at a time keep two cores busy, for many tests wait. The order is tests/conftest.py's: by itself xdist would put
# the files of few tests last, and these are the long ones.
.venv/bin/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder "$@"
tests=$?
wait "$mypy" && exit "$tests"
exit 1
