"""A spool whose files cannot all be read or closed: what can be saved is."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from tests.sinks.test_spool import drain, lines, spool


def folder(tmp_path: Path) -> Path:
    return tmp_path / "dut" / "spool"


def test_one_file_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    spool(tmp_path).append(lines(0, 30), 0.0)
    first = min(folder(tmp_path).iterdir())
    first.unlink()
    first.mkdir()  # whatever it is: not even root can read it as a file
    found = spool(tmp_path)
    assert found.trouble is not None
    assert found.waiting == 20
    found.append(lines(30, 5), 0.0)
    assert found.size > 20 * 9
    assert drain(found) == lines(10, 25)
    assert first.is_dir()


def test_new_files_come_after_one_that_cannot_be_read(tmp_path: Path) -> None:
    (folder(tmp_path) / "000000000007.test").mkdir(parents=True)
    found = spool(tmp_path)
    found.append(lines(0, 1), 0.0)
    names = sorted(each.name for each in folder(tmp_path).iterdir())
    assert names == ["000000000007.test", "000000000008.test"]


def test_numbers_count_and_not_their_length(tmp_path: Path) -> None:
    found = spool(tmp_path)
    found._next = 999_999_999_999
    found.append(lines(0, 20), 0.0)
    assert drain(spool(tmp_path)) == lines(0, 20)


def test_what_cannot_be_read_now_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool(tmp_path).append(lines(0, 10), 0.0)
    found = spool(tmp_path)
    real = Path.read_bytes
    troubles = [OSError(errno.EMFILE, "Too many open files")] * 2

    def read(path: Path) -> bytes:
        if troubles:
            raise troubles.pop()
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", read)
    segment = found.oldest()
    assert segment is not None
    for _ in range(2):
        with pytest.raises(OSError, match="Too many open files"):
            found.read(segment)
        found.put_back()
    assert found.trouble == "Too many open files"
    assert drain(found) == lines(0, 10)
    assert found.dropped == 0


def test_what_can_never_be_read_makes_way_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool(tmp_path).append(lines(0, 20), 0.0)
    found = spool(tmp_path)
    real = Path.read_bytes

    def read(path: Path) -> bytes:
        if path.name.endswith("1.test"):
            raise OSError(errno.EIO, "Input/output error")
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", read)
    taken: list[bytes] = []
    tries = 0
    while (segment := found.oldest()) is not None:
        try:
            taken += found.read(segment)
        except OSError:
            tries += 1
            found.put_back()
        else:
            found.remove(segment)
    assert taken == lines(10, 10)
    assert 10 < tries < 100
    assert found.dropped == 10


def test_a_close_that_fails_is_told_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = spool(tmp_path)
    real = os.close

    def close(descriptor: int) -> Any:
        real(descriptor)
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    monkeypatch.setattr(os, "close", close)
    found.append(lines(0, 10), 0.0)
    monkeypatch.undo()
    assert found.trouble == "Disk quota exceeded"
    assert drain(found) == lines(0, 10)
