#!/usr/bin/env bash
# Writes requirements.txt (runtime and embedded broker) and requirements-dev.txt (both, and the tools),
# with hashes for every supported Python and platform, and without a word about where packages come from.
# deploy/venus/requirements.txt is for one Python and platform, a 64-bit GX, without an embedded broker.
# Versions already locked are kept; UPGRADE=1 moves them all to the newest.
set -euo pipefail
cd "$(dirname "$0")/.."

uv=${UV:-$(command -v uv || echo .venv/bin/uv)}
if ! "$uv" --version >/dev/null 2>&1; then
    echo "make lock needs uv: install it with 'pipx install uv', or name it with UV=/path/to/uv." >&2
    exit 1
fi

common=(--generate-hashes --no-header --no-annotate
    --no-emit-index-url --no-emit-find-links --no-config --quiet)
if [ -n "${UPGRADE:-}" ]; then
    common+=(--upgrade)
fi
options=(--universal --python-version 3.11 "${common[@]}")
venus=(--python-version 3.12 --python-platform aarch64-manylinux_2_28 "${common[@]}")

# Only the public index counts, whatever the machine is configured with.
unset UV_INDEX UV_INDEX_URL UV_EXTRA_INDEX_URL UV_DEFAULT_INDEX UV_FIND_LINKS
"$uv" pip compile "${options[@]}" --extra embedded -o requirements.txt pyproject.toml
"$uv" pip compile "${options[@]}" --extra embedded --group dev -c requirements.txt \
    -o requirements-dev.txt pyproject.toml
"$uv" pip compile "${venus[@]}" --extra venus -c requirements.txt \
    -o deploy/venus/requirements.txt pyproject.toml

locks=(requirements.txt requirements-dev.txt deploy/venus/requirements.txt)
if grep -nE '://|^-|index|find-links' "${locks[@]}"; then
    echo "A lock file names a place to download from: see the lines above." >&2
    exit 1
fi
echo "$(grep -c '==' requirements.txt) packages in requirements.txt," \
    "$(grep -c '==' requirements-dev.txt) in requirements-dev.txt"
