"""Private folders, and what the dead leave behind."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from bridge.broker.folder import PrivateFolder, clean_leftovers


@pytest.fixture(autouse=True)
def own_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_only_its_user_can_look_inside() -> None:
    folder = PrivateFolder()
    path = folder.write("passwords", "old")
    assert folder.write("passwords", "new") == path
    assert path.read_text() == "new"
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    folder.remove()
    assert not folder.path.exists()


def test_folders_in_use_stay_and_those_of_the_dead_go(tmp_path: Path) -> None:
    mine = PrivateFolder()
    code = (
        "import os, tempfile; tempfile.tempdir = os.environ['WHERE']\n"
        "from bridge.broker.folder import PrivateFolder\n"
        "folder = PrivateFolder(); folder.write('x', 'y'); print(folder.path)\n"
        "os.kill(os.getpid(), 9)"
    )
    child = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "WHERE": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    dead = Path(child.stdout.strip())
    if not child.stdout:  # killed before the buffer was written: find it by what is there
        (dead,) = (path for path in tmp_path.iterdir() if path != mine.path)
    assert dead.exists()
    target = tmp_path / "elsewhere"
    target.mkdir()
    link = tmp_path / "heliograph-broker-link"
    link.symlink_to(target)
    assert clean_leftovers() == [dead]
    assert not dead.exists()
    assert mine.path.exists()
    assert target.exists()
    mine.remove()
