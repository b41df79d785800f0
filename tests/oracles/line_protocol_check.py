"""Reads lines with the package line_protocol_parser; prints what it made of them as JSON.

Runs in an environment of its own, where nothing of this project can be imported.
usage: line_protocol_check.py FILE, a JSON list of lines.
"""

# mypy: ignore-errors
# line_protocol_parser is in that other environment only.

from __future__ import annotations

import json
import sys
from pathlib import Path

from line_protocol_parser import parse_line

print(json.dumps([parse_line(line) for line in json.loads(Path(sys.argv[1]).read_text())]))
