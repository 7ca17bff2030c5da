#!/bin/sh
# Lint, type-check, test; `run.sh long` runs the long tests, and nothing else.
set -u

# Hundreds of processes are started here: where nothing compiled may be kept, each compiles all that it imports.
unset PYTHONDONTWRITEBYTECODE
# As the engine does; a test may load torch before it.
export GOMP_SPINCOUNT=2000

# Three at a time keep two cores busy, for many tests wait. The order is tests/conftest.py's: by itself xdist would put
# the files of few tests last, and these are the long ones.
tests() {
  .venv/bin/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m "$@"
}

if [ "${1-}" = long ]; then
  tests long
  exit
fi

# Ruff takes less than a second: what it finds ends this before the tests.
.venv/bin/python -m ruff check --no-cache . && .venv/bin/python -m ruff format --no-cache --check . || exit 1

# All of the lint runs beside the tests, which often wait, for mypy takes longer. What it says is kept for the end.
report=$(mktemp) || exit 1
trap 'rm -f "$report"' EXIT
trap 'exit 130' INT
(sh tests/lint.sh >"$report" 2>&1; status=$?; cat "$report"; exit "$status") &
lint=$!
tests "not long" "$@"
passed=$?
wait "$lint" || { echo "Not right when linted:" >&2; cat "$report" >&2; exit 1; }
exit "$passed"
