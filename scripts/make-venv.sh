#!/bin/sh
# Makes a virtual environment with the first Python >= 3.11 there is; says what to install if none.
# Usage: [PYTHON=python3.12] scripts/make-venv.sh DIRECTORY
set -eu
directory=$1

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

found=
for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
    if command -v "$candidate" >/dev/null && new_enough "$candidate"; then
        found=$candidate
        break
    fi
done

if [ -z "$found" ]; then
    echo "Concurrent needs Python 3.11 or newer; ${PYTHON:-python3} is $(${PYTHON:-python3} --version 2>&1 || true)." >&2
    echo "Install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2
    exit 1
fi

if ! "$found" -c 'import ensurepip, venv' 2>/dev/null; then
    version=$("$found" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "$found cannot make virtual environments: its venv or ensurepip module is missing." >&2
    echo "On Debian and Ubuntu: sudo apt-get install python$version-venv" >&2
    exit 1
fi

echo "making $directory with $($found --version) ..."
if ! "$found" -m venv "$directory"; then
    rm -rf "$directory"
    echo "$found -m venv failed, see above." >&2
    exit 1
fi
