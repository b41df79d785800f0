"""What is written for a lease on the grid setpoint, and what is put back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actors.venus.venus_mqtt.setpoint import Before, Combiner
from bridge.errors import DeviceRefused
from bridge.log import get_logger
from bridge.state import StateFolder

if TYPE_CHECKING:
    from pathlib import Path


def folder(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path, "dut", get_logger("test"))


def test_a_lease_is_added_to_the_owners_default_within_his_bounds() -> None:
    both = Combiner(-10.0, -3000.0, 10_000.0)
    assert both.target(3000) == 2990
    assert both.asked(2990) == 3000
    assert both.asked(None) is None
    low, high = both.bounds
    assert (both.target(low), both.target(high)) == (-3000, 10_000)


def test_without_a_default_the_lease_is_all() -> None:
    alone = Combiner(None, -1.0, 5000.0)
    assert (alone.target(700), alone.asked(700)) == (700, 700)


def test_what_was_before_is_noted_once_and_survives(tmp_path: Path) -> None:
    before = Before(folder(tmp_path))
    assert not before.written
    before.writing(50.0, 3000.0)
    before.writing(3000.0, 2000.0)
    again = Before(folder(tmp_path))
    assert again.original == 50
    assert again.written == [3000, 2000]
    # A crash may have come before the last write or after it.
    assert again.ours(3000)
    assert again.ours(2000.3)
    assert not again.ours(75)
    again.forget()
    assert Before(folder(tmp_path)).original is None


def test_what_cannot_be_put_back_is_not_written(tmp_path: Path) -> None:
    before = Before(folder(tmp_path))
    with pytest.raises(DeviceRefused):
        before.writing(None, 3000.0)
    assert not before.written


def test_what_cannot_be_noted_is_not_written(tmp_path: Path) -> None:
    """After a `kill -9` nobody would know what to put back; the owner's default is known."""
    (tmp_path / "dut").write_text("no folder")
    before = Before(folder(tmp_path))
    with pytest.raises(DeviceRefused, match="cannot be kept on disk"):
        before.writing(50.0, 3000.0)
    assert (before.original, before.written) == (None, [])
    before.writing(50.0, 3000.0, default=-10.0)
    assert before.written == [3000]


def test_an_override_that_cannot_be_noted_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "dut").write_text("no folder")
    before = Before(folder(tmp_path))
    with pytest.raises(DeviceRefused, match="cannot be kept on disk"):
        before.overriding()
    assert not before.override


def test_that_the_override_is_in_use_survives(tmp_path: Path) -> None:
    before = Before(folder(tmp_path))
    before.overriding()
    again = Before(folder(tmp_path))
    assert again.override
    again.writing(50.0, 3000.0)
    assert Before(folder(tmp_path)).override
    again.forget()
    assert not Before(folder(tmp_path)).override


def test_a_file_of_nonsense_is_nothing(tmp_path: Path) -> None:
    state = folder(tmp_path)
    state.save("setpoint", {"original": "50", "written": [True, "x", 7]})
    before = Before(state)
    assert (before.original, before.written) == (None, [7])
