"""Reads carbon's whisper files; prints {path: [seconds, newest value]} as JSON.

Runs in an environment of its own, where nothing of this project can be imported.
usage: carbon_check.py FOLDER SINCE
"""

# mypy: ignore-errors
# whisper is in that other environment only.

from __future__ import annotations

import json
import sys
from pathlib import Path

import whisper

folder, since = Path(sys.argv[1]), int(sys.argv[2])
found = {}
for path in folder.rglob("*.wsp"):
    if "carbon" in path.relative_to(folder).parts[:1]:
        continue
    (begin, _, step), values = whisper.fetch(str(path), since)
    known = [(begin + n * step, value) for n, value in enumerate(values) if value is not None]
    if known:
        found[".".join(path.relative_to(folder).with_suffix("").parts)] = known[-1]
print(json.dumps(found))
