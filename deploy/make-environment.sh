#!/bin/sh
# Make .venv from the locked requirements. Whatever is missing is one sentence.
set -eu

usable() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; }

python=
for name in python3 python3.14 python3.13 python3.12 python3.11 "$HOME/.local/bin/python3.14"; do
    if usable "$name"; then
        python=$name
        break
    fi
done
if [ -z "$python" ]; then
    if version=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null); then
        echo "This machine's Python is $version, and Impasto runs on 3.11 to 3.14: install one of these beside it" \
            "(Debian, Ubuntu: sudo apt install pipx && pipx run uv python install 3.14; macOS: brew install python@3.14)" \
            "and run the same command again." >&2
    else
        echo "Python is missing: install it (Debian, Ubuntu: sudo apt install python3 python3-venv; macOS: brew install" \
            "python@3.14) and run the same command again." >&2
    fi
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "Python's venv module is missing: install it (Debian, Ubuntu: sudo apt install python3-venv) and run the same" \
        "command again." >&2
    exit 1
fi

# Anew also where an earlier try broke off, and where the Python it was made with is gone.
if ! .venv/bin/python -c 'import pip' 2>/dev/null; then
    "$python" -m venv --clear .venv || exit 1
fi
exec .venv/bin/python deploy/install.py "$1"
