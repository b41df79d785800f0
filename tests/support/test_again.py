"""tools/again.sh: what failed gets a second try, alone, and a fault is not forgiven by it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
ONCE = """
from pathlib import Path

def test_fails_once():
    seen = Path(__file__).with_name("seen")
    first = not seen.exists()
    seen.touch()
    assert not first

def test_passes():
    assert True
"""
ALWAYS = "def test_fails():\n    assert False\n"
MANY = """
import pytest

@pytest.mark.parametrize("number", range(6))
def test_fails(number):
    assert number < 0
"""


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    env = {key: text for key, text in os.environ.items() if not key.startswith("PYTEST_")}
    env["PYTHONPATH"] = str(ROOT)
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=50, check=False
    )


def tried_again(folder: Path, source: str) -> subprocess.CompletedProcess[str]:
    """A first run of pytest over the file, and then the script."""
    (folder / "test_sample.py").write_text(source)
    (folder / "pytest.ini").write_text("[pytest]\n")
    run(folder, sys.executable, "-m", "pytest", "-q")
    return run(folder, str(ROOT / "tools" / "again.sh"), sys.executable)


def test_what_passes_the_second_time_is_named(tmp_path: Path) -> None:
    found = tried_again(tmp_path, ONCE)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "test_sample.py::test_fails_once" in found.stdout
    assert "1 passed" in found.stdout
    assert "Passed the second time: these 1 depend" in found.stdout


def test_a_fault_fails_again(tmp_path: Path) -> None:
    found = tried_again(tmp_path, ALWAYS)
    assert found.returncode == 1
    assert "1 failed" in found.stdout


def test_much_that_fails_is_no_accident(tmp_path: Path) -> None:
    found = tried_again(tmp_path, MANY)
    assert found.returncode == 1
    assert "6 tests failed: more than 5 are not tried again" in found.stderr


def test_a_run_that_ended_in_another_way_stays_failed(tmp_path: Path) -> None:
    found = tried_again(tmp_path, "def test_passes():\n    assert True\n")
    assert found.returncode == 1
    assert found.stderr
