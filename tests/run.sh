#!/bin/sh
# Lint, type-check, test.
set -u

# Hundreds of processes are started here: where nothing compiled may be kept, each compiles all that it imports.
unset PYTHONDONTWRITEBYTECODE
# As the engine does; a test may load torch before it.
export GOMP_SPINCOUNT=2000

sh tests/lint.sh &  # beside the tests, which often wait
lint=$!
# Three at a time keep two cores busy, for many tests wait. The order is tests/conftest.py's: by itself xdist would put
# the files of few tests last, and these are the long ones.
.venv/bin/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder "$@"
tests=$?
wait "$lint" || { echo "What is above was not right when linted." >&2; exit 1; }
exit "$tests"
