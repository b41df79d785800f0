"""What an on/off consumer says of itself, for the owner: one code and one plain sentence each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.consuming.journal import Pressed

Words = tuple[str, str]

SILENT: Words = ("silent", "the device has not said lately whether it is on: nothing is asked for")
ASTRAY: Words = (
    "astray",
    "the device does not do what it is told: it is told to be off, and asks again after a pause",
)
NO_LEASE: Words = ("no_lease", "off: no allowance was heard within its time")
NO_DISTRIBUTOR: Words = ("no_distributor", "off: the distributor is offline")


def waiting(watts: float) -> Words:
    """Off, and asking."""
    return ("waiting", f"off: waiting for an allowance of {watts:g} W")


def resting(left: float) -> Words:
    """An allowance is there, but it was switched off a short time ago."""
    return ("resting", f"off for another {max(1, math.ceil(left))} s since it was switched off")


def running(watts: float) -> Words:
    """On with an allowance."""
    return ("on", f"on with an allowance of {watts:g} W")


def returning(watts: float, left: float) -> Words:
    """Given back while it is on."""
    seconds = max(1, math.ceil(left))
    return ("returning", f"given back: on for {seconds} s more unless {watts:g} W are allowed")


def by_hand(pressed: Pressed, hold: float | None, *, heard: bool = True) -> Words:
    """A person has switched it; not `heard`: in a former run, and it has not spoken since."""
    how = "until it is given back" if hold is None else f"for {hold:g} s, or until it is given back"
    ways = "by an empty Switch/Set or IsAutomatic/Set true"
    if not heard:
        words = f"switched {pressed} by hand before the start, silent since; left so {how}"
        return (f"{pressed}_by_hand_unheard", f"{words} by an empty Switch/Set")
    return (f"{pressed}_by_hand", f"switched {pressed} by hand and left so {how} {ways}")
