"""The spool: order, bounds, crashes, disks that refuse."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.sinks.records import OVERHEAD, pack, unpack
from bridge.sinks.spool import Spool

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.sinks.spool import Segment

MB = 1_000_000


def spool(folder: Path | None, **options: Any) -> Spool:
    given = {"most_bytes": MB, "segment_lines": 10, **options}
    found = Spool(folder and folder / "dut" / "spool", "test", **given)
    found.open()
    return found


def lines(first: int, count: int) -> list[bytes]:
    return [b"line %d" % number for number in range(first, first + count)]


def drain(found: Spool) -> list[bytes]:
    taken: list[bytes] = []
    while (segment := found.oldest()) is not None:
        taken += found.read(segment)
        found.remove(segment)
    return taken


# ------------------------------------------------------------------------------------------ records


@given(st.lists(st.binary(max_size=30).filter(lambda each: b"\n" not in each)))
def test_records_are_read_back(given_lines: list[bytes]) -> None:
    data = pack(given_lines)
    assert unpack(data) == (given_lines, 0)
    assert len(data) == sum(len(each) + OVERHEAD for each in given_lines)


@given(cut=st.integers(0, 200), rubbish=st.binary(max_size=20))
def test_half_a_record_is_never_a_line(cut: int, rubbish: bytes) -> None:
    whole = lines(0, 10)
    found, _ = unpack(pack(whole)[:cut] + rubbish)
    assert found == whole[: len(found)]


# -------------------------------------------------------------------------------------------- order


@pytest.mark.parametrize("disk", [True, False])
def test_what_goes_in_comes_out_in_order(tmp_path: Path, disk: bool) -> None:
    found = spool(tmp_path if disk else None)
    for first in range(0, 100, 7):
        found.append(lines(first, 7), 0.0)
    assert found.waiting == 105
    assert drain(found) == lines(0, 105)
    assert (found.waiting, found.size, found.dropped) == (0, 0, 0)
    if disk:
        assert list((tmp_path / "dut" / "spool").iterdir()) == []
    else:
        assert not (tmp_path / "dut").exists()


def test_a_full_segment_is_due_at_once_and_a_young_one_in_time(tmp_path: Path) -> None:
    found = spool(tmp_path)
    assert found.due(0.0, 5.0) == float("inf")
    found.append(lines(0, 3), 100.0)
    found.append(lines(3, 3), 103.0)
    assert found.due(101.0, 5.0) == 4.0
    assert found.due(200.0, 5.0) == 0.0
    found.append(lines(6, 9), 101.0)
    assert found.due(101.0, 5.0) == 0.0
    first = found.oldest()
    assert first is not None
    assert found.read(first) == lines(0, 10)
    assert found.due(101.0, 5.0, {first.number}) == 5.0
    second = found.oldest({first.number})
    assert second is not None
    assert found.read(second) == lines(10, 5)
    assert found.oldest({first.number, second.number}) is None


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    found = spool(tmp_path)
    found.append(lines(0, 1), 0.0)
    folder = tmp_path / "dut" / "spool"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()] == [0o600]


# ------------------------------------------------------------------------------------------ crashes


def test_a_crash_loses_nothing_and_repeats_what_was_out(tmp_path: Path) -> None:
    first = spool(tmp_path)
    first.append(lines(0, 25), 0.0)
    out = first.oldest()
    assert out is not None
    assert first.read(out) == lines(0, 10)
    # No close, no sync: another process finds what this one had handed to the kernel.
    second = spool(tmp_path)
    assert second.waiting == 25
    second.append(lines(25, 5), 0.0)
    assert drain(second) == lines(0, 30)


def test_a_torn_end_is_left_out_and_counted(tmp_path: Path) -> None:
    first = spool(tmp_path)
    first.append(lines(0, 5), 0.0)
    (path,) = (tmp_path / "dut" / "spool").iterdir()
    with path.open("ab") as file:
        file.write(b"0badc0de line 5")
    second = spool(tmp_path)
    segment = second.oldest()
    assert segment is not None
    assert second.read(segment) == second.read(segment) == lines(0, 5)
    assert second.damaged == 1


def test_zeros_of_a_power_cut_are_no_lines(tmp_path: Path) -> None:
    spool(tmp_path).append(lines(0, 5), 0.0)
    (path,) = (tmp_path / "dut" / "spool").iterdir()
    path.write_bytes(bytes(path.stat().st_size))
    second = spool(tmp_path)
    assert drain(second) == []
    assert list((tmp_path / "dut" / "spool").iterdir()) == []


def test_foreign_files_are_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "dut" / "spool"
    folder.mkdir(parents=True)
    for name in ("000000000001.other", "notes.test", "readme"):
        (folder / name).write_text("mine")
    found = spool(tmp_path)
    found.append(lines(0, 1), 0.0)
    assert drain(found) == lines(0, 1)
    assert len(list(folder.iterdir())) == 3


def test_closing_syncs_what_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    found = spool(tmp_path)
    found.append(lines(0, 15), 0.0)
    found.sync()
    assert len(synced) == 3  # two files and their folder
    found.sync()
    assert len(synced) == 3  # nothing is new
    found.append(lines(15, 1), 0.0)
    found.close()
    assert len(synced) == 5


# ------------------------------------------------------------------------------------------- bounds


def test_the_oldest_make_room_and_are_counted(tmp_path: Path) -> None:
    found = spool(tmp_path, most_bytes=20_000, segment_lines=50)
    for first in range(0, 3000, 25):
        found.append(lines(first, 25), 0.0)
        assert found.size <= 20_000 + 2500
    kept = drain(found)
    assert found.dropped == 3000 - len(kept) > 1000
    assert kept == lines(3000 - len(kept), len(kept))


def test_what_is_being_sent_is_never_dropped(tmp_path: Path) -> None:
    found = spool(tmp_path, most_bytes=10_000)
    found.append(lines(0, 10), 0.0)
    out = found.oldest()
    assert out is not None
    found.append(lines(10, 2000), 0.0)
    assert found.holds(out)
    assert found.read(out) == lines(0, 10)
    found.put_back()
    found.append(lines(2010, 100), 0.0)
    assert not found.holds(out)


def test_a_smaller_bound_holds_at_the_next_start(tmp_path: Path) -> None:
    spool(tmp_path).append(lines(0, 1000), 0.0)
    found = spool(tmp_path, most_bytes=5_000)
    assert found.size <= 5_000
    assert found.dropped == 1000 - found.waiting > 0


def test_memory_has_a_bound_too() -> None:
    found = spool(None, memory_bytes=8_000)
    found.append(lines(0, 2000), 0.0)
    kept = drain(found)
    assert 0 < len(kept) < 500
    assert kept[-1] == b"line 1999"
    assert found.dropped == 2000 - len(kept)


# ------------------------------------------------------------------------------- disks that refuse


def test_a_full_disk_is_told_and_memory_takes_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = spool(tmp_path)
    found.append(lines(0, 5), 0.0)
    real = os.write
    full = True

    def write(descriptor: int, data: Any) -> int:
        if not full:
            return real(descriptor, data)
        if len(data) > 9:  # half of it still fits
            return real(descriptor, bytes(data)[:9])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", write)
    found.append(lines(5, 3), 0.0)
    assert found.trouble == "No space left on device"
    assert found.waiting == 8
    full = False
    found.append(lines(8, 30), 0.0)
    assert found.trouble is None
    assert drain(found) == lines(0, 38)
    assert (found.dropped, found.damaged) == (0, 0)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "dut").write_text("a file stands where the folder should be")
    found = spool(tmp_path)
    assert found.trouble
    found.append(lines(0, 25), 0.0)
    assert drain(found) == lines(0, 25)


def test_a_segment_that_vanished_is_counted(tmp_path: Path) -> None:
    found = spool(tmp_path)
    found.append(lines(0, 25), 0.0)
    for path in (tmp_path / "dut" / "spool").glob("*1.test"):
        path.unlink()
    assert drain(found) == lines(10, 15)
    assert (found.dropped, found.waiting) == (10, 0)


# ---------------------------------------------------------------------------------------- any order


@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_whatever_happens_nothing_is_lost_within_the_bound(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    found, written = spool(folder), 0
    delivered: list[bytes] = []
    out: Segment | None = None
    for action in data.draw(st.lists(st.sampled_from("aaatrfsk"), max_size=30)):
        if action == "a":
            count = data.draw(st.integers(1, 25))
            found.append(lines(written, count), float(written))
            written += count
        elif action == "t":
            out = found.oldest()
        elif action == "r" and out is not None:
            delivered += found.read(out)
            found.remove(out)
            out = None
        elif action == "f":
            found.put_back()
            out = None
        elif action == "s":
            found.sync()
        elif action == "k":  # killed: nothing of it is told to anybody
            found, out = spool(folder), None
        assert found.waiting == written - len(delivered)
    assert sorted(delivered + drain(found)) == sorted(lines(0, written))
    assert found.dropped == found.damaged == found.waiting == found.size == 0
