#!/usr/bin/env bash
# Runs once more what failed in the last run of pytest: alone, and only if it is little, for much
# that fails is no accident. Fails as well where nothing is noted: the run ended in another way.
set -euo pipefail
python=$1
most=5
noted=.pytest_cache/v/cache/lastfailed

if [ ! -e "$noted" ]; then
    echo "pytest has noted nothing in $noted." >&2
    exit 1
fi
mapfile -t tests < <("$python" -c \
    'import json, sys; sys.stdout.writelines(f"{each}\n" for each in json.load(open(sys.argv[1])))' "$noted")
if [ "${#tests[@]}" -eq 0 ]; then
    echo "No test is noted as failed, so none can be tried again." >&2
    exit 1
fi
if [ "${#tests[@]}" -gt "$most" ]; then
    echo "${#tests[@]} tests failed: more than $most are not tried again." >&2
    exit 1
fi
echo "Failed once, and tried again alone:"
printf '  %s\n' "${tests[@]}"
"$python" -m pytest -p tests.support.skips -n 0 "${tests[@]}"
echo "Passed the second time: these ${#tests[@]} depend on something they should not."
