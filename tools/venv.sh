#!/bin/sh
# usage: tools/venv.sh VENV LOCKFILE STAMP
# Makes a private environment with the first Python >= 3.11 it finds and installs the lock file into it,
# every package checked against its hash. PYTHON=/path/to/python overrides the choice.
set -eu
venv=$1 lock=$2 stamp=$3

usable() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    without_venv=
    for name in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
        if usable "$name"; then
            if "$name" -c 'import ensurepip, venv' 2>/dev/null; then
                echo "$name"
                return
            fi
            without_venv=$name
        fi
    done
    if [ "$without_venv" ]; then
        echo "$without_venv cannot make a virtual environment: the venv module is missing." >&2
        echo "On Debian and Ubuntu: sudo apt install python3-venv" >&2
    else
        found=$( (python3 --version) 2>/dev/null || echo "no python3")
        echo "Heliograph needs Python 3.11 or newer; found ${PYTHON:+PYTHON=$PYTHON and }$found." >&2
        echo "On Debian 12, Ubuntu 24.04 or newer: sudo apt install python3 python3-venv" >&2
    fi
    return 1
}

# An environment that is unfinished, or whose Python has gone or is too old, is made again.
if ! usable "$venv/bin/python" || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    python=$(find_python)
    echo "Preparing $venv with $("$python" --version 2>&1) (once)" >&2
    rm -rf "$venv"
    "$python" -m venv "$venv" >&2
fi

echo "Installing $lock into $venv" >&2
if ! "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --require-hashes -r "$lock"; then
    echo "The packages of $lock could not be installed: see the lines above." \
        "A first run needs the network." >&2
    exit 1
fi
touch "$stamp"
