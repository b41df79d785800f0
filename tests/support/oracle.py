"""Other people's client libraries, each in an environment of its own, to check our simulators.

The environments are kept below `HELIOGRAPH_ORACLES` (default `build/oracles`), one for each list of
requirements, so that only the first run installs anything.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
_INSTALL_LIMIT = 600.0
_MARK = "complete"
_failed: dict[str, str] = {}


def oracles_folder() -> Path:
    """Where the environments are kept."""
    return Path(os.environ.get("HELIOGRAPH_ORACLES") or ROOT / "build" / "oracles")


def oracle_python(requirements: Sequence[str], *, least: tuple[int, int] = (3, 11)) -> Path:
    """The Python of an environment that has these requirements, such as ["aioshelly==13.35.0"].

    `least`: the oldest Python that they run on, where it is newer than ours. Makes the environment
    on first use. Where it cannot be made the test is skipped with the reason, and with `CI=true`
    it fails. What failed once in a run is not tried again in it.
    """
    wanted = sorted(requirements)
    version = max(sys.version_info[:2], least)
    name = hashlib.sha256(json.dumps([".".join(map(str, version)), *wanted]).encode()).hexdigest()[
        :12
    ]
    folder = oracles_folder() / f"{wanted[0].split('=')[0]}-{name}"
    python = folder / "bin" / "python"
    if (folder / _MARK).exists() and python.exists():
        return python
    if name not in _failed:
        try:
            _install(folder, wanted, least)
        except (OSError, subprocess.SubprocessError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            _failed[name] = _reason(error)
        else:
            return python
    sentence = f"the environment for {', '.join(wanted)} cannot be created: {_failed[name]}"
    if os.environ.get("CI", "").lower() in {"true", "1"}:
        pytest.fail(sentence)
    pytest.skip(sentence)


def _base(least: tuple[int, int]) -> str:
    """A Python of this machine that is new enough: ours, on the PATH, or installed beside ours."""
    if sys.version_info[:2] >= least:
        return sys.executable
    names = [f"python{least[0]}.{minor}" for minor in range(least[1], least[1] + 5)]
    found = [path for name in names if (path := shutil.which(name))]
    for name in names:
        found += map(str, sorted(Path(sys.base_prefix).parent.glob(f"*/bin/{name}")))
    for path in found:
        # What stands on the PATH may be a stand-in that starts nothing.
        if subprocess.run([path, "-c", ""], check=False, capture_output=True).returncode == 0:
            return path
    raise OSError(f"no Python {least[0]}.{least[1]} or newer is on this machine")


def _install(folder: Path, wanted: Sequence[str], least: tuple[int, int]) -> None:
    base = _base(least)
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    commands = (
        [base, "-m", "venv", str(folder)],
        [
            *(str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"),
            *("--disable-pip-version-check", "--no-input", *wanted),
        ],
    )
    for command in commands:
        subprocess.run(command, check=True, capture_output=True, timeout=_INSTALL_LIMIT)
    (folder / _MARK).write_text("\n".join(wanted) + "\n")


def _reason(error: Exception) -> str:
    """One line that says why; of what pip printed, its last line."""
    if isinstance(error, subprocess.CalledProcessError):
        printed = (error.stderr or b"").decode(errors="replace").strip().splitlines()
        return printed[-1][:200] if printed else f"{error.cmd[1:3]} ended with {error.returncode}"
    if isinstance(error, subprocess.TimeoutExpired):
        return f"not done within {_INSTALL_LIMIT:g} s"
    return str(error)


async def ask_oracle(python: Path, script: Path, *arguments: str, seconds: float = 60.0) -> Any:
    """Run a script in such an environment; what it prints on its last line, read as JSON."""
    with anyio.fail_after(seconds):
        done = await anyio.run_process([str(python), str(script), *arguments], check=False)
    if done.returncode != 0:
        pytest.fail(f"{script.name} ended with {done.returncode}:\n{done.stderr.decode()}")
    return json.loads(done.stdout.decode().splitlines()[-1])
