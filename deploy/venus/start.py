"""Starts the injector with the packages of this bundle and the standard library, nothing else.

Run as `python3 -I -S start.py …`.
"""  # noqa: INP001 - a script, not a package

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "lib"))

if __name__ == "__main__":
    from injector.main import main

    sys.exit(main())
