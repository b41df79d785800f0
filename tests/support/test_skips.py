"""The plugin that judges skipped tests, run as the Makefile runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.skips import wants_tool

ROOT = Path(__file__).parents[2]


def run_pytest(folder: Path, body: str, *, ci: str) -> tuple[int, str]:
    (folder / "test_sample.py").write_text(f"import pytest\n{body}\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.support.skips", "test_sample.py"],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # ours is all it needs
            "CI": ci,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


MISSING = """
def test_works(): assert True
def test_needs_it(): pytest.skip("mosquitto is not installed")
"""
MISSING_MODULE = "import pytest\npytest.importorskip('no_such_module_anywhere')"
CHOSEN = """
def test_works(): assert True
@pytest.mark.skip(reason="only on Windows")
def test_elsewhere(): assert False
"""
EXPECTED_FAILURE = """
@pytest.mark.xfail(reason="the tool is not installed in this dream")
def test_known(): assert False
"""


@pytest.mark.parametrize(
    ("body", "ci", "code", "said"),
    [
        (MISSING, "true", 1, "1 skipped for want of a tool"),
        (MISSING, "", 0, "test_needs_it: mosquitto is not installed"),
        (MISSING_MODULE, "true", 5, "1 skipped for want of a tool"),
        (CHOSEN, "true", 0, "test_elsewhere: only on Windows"),
        (EXPECTED_FAILURE, "true", 0, "1 xfailed"),
    ],
)
def test_a_missing_tool_fails_the_run_on_ci_only(
    tmp_path: Path, body: str, ci: str, code: int, said: str
) -> None:
    returned, output = run_pytest(tmp_path, body, ci=ci)
    assert said in output
    assert returned == code


@pytest.mark.parametrize(
    "reason",
    [
        "mosquitto is not installed",
        "the environment for aioshelly cannot be created: no network",
        "could not import 'aioshelly': No module named 'aioshelly'",
        "docker not found",
    ],
)
def test_reasons_that_want_a_tool(reason: str) -> None:
    assert wants_tool(reason)


@pytest.mark.parametrize("reason", ["only on Windows", "root may read any file", "see issue 12"])
def test_reasons_that_do_not(reason: str) -> None:
    assert not wants_tool(reason)
