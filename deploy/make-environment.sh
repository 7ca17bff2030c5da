#!/bin/sh
# Make .venv from the locked requirements: quiet when all is well, one sentence when something is missing.
set -eu

python=
for name in python3.12 python3.11 python3; do
    if "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null; then
        python=$name
        break
    fi
done
if [ -z "$python" ]; then
    echo "Python 3.11 or 3.12 is missing: install it (on Debian or Ubuntu: sudo apt install python3 python3-venv)." >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "Python's venv module is missing: install it (on Debian or Ubuntu: sudo apt install python3-venv)." >&2
    exit 1
fi

step() {
    echo "$1 …" >&2
    shift
    if ! "$@" >.venv/setup.log 2>&1; then
        tail -n 5 .venv/setup.log >&2
        echo "The environment could not be made (see above): check the network and the free disk, and try again." >&2
        exit 1
    fi
}

[ -x .venv/bin/python ] || "$python" -m venv .venv
[ -x .venv/bin/uv ] || step "Installing uv" .venv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$1"
export VIRTUAL_ENV="$PWD/.venv"
step "Installing what is needed (some GB the first time, a minute or so)" \
    .venv/bin/uv pip sync --quiet --compile-bytecode --require-hashes requirements/dev.txt
step "Installing impasto itself" .venv/bin/uv pip install --quiet --no-deps --no-build-isolation --editable .
touch .venv/ready
