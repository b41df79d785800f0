"""What a charger says of itself, for the owner: one code word and one plain sentence each."""

from __future__ import annotations

import math

Words = tuple[str, str]

NOTE_LENGTH = 160
_HANDS_OFF = "hands off until the car is unplugged or ChargeEnable is given back"

SILENT: Words = ("silent", "the charger has not answered lately, so nothing is asked for")
NO_CAR: Words = ("no_car", "no car is connected")
HIBERNATES: Words = (
    "no_car",
    "no car is connected, and the charger is only looked at now and then",
)
NO_CURRENT: Words = ("no_current", "the charger or its cable allows less than the least current")
FULL: Words = ("full", "the car takes nothing, full or by its own timer; asked again in an hour")
ASTRAY: Words = (
    "astray",
    "the charger does not keep what it was told, so nothing is charged; tried again in an hour",
)
MANUAL: Words = ("manual", "the owner's settings leave the charging to people")
MODE: Words = ("manual", "the charger is in its manual mode: hands off")
STARTED: Words = ("by_hand", f"started by hand at the charger: {_HANDS_OFF}")
STOPPED: Words = ("by_hand", f"stopped by hand at the charger: {_HANDS_OFF}")
DISABLED: Words = ("disabled", "stopped by ChargeEnable")
NO_LEASE: Words = ("no_lease", "not charging: no allowance was heard within its time")
NO_DISTRIBUTOR: Words = ("no_lease", "not charging: the distributor is offline")


def fault(text: str | None) -> Words:
    """The charger or the car reports a fault."""
    return ("fault", f"nothing is charged: {text or 'the charger reports a fault'}")


def waiting(watts: float) -> Words:
    """Off, and asking."""
    return ("waiting", f"waiting for an allowance of {watts:.0f} W")


def resting(left: float) -> Words:
    """An allowance is there, but the last stop was a short time ago."""
    return ("min_off", f"off for another {max(1, math.ceil(left))} s since the last stop")


def charging(amps: float, phases: int) -> Words:
    """On with an allowance."""
    return ("charging", f"charging on surplus with up to {amps:g} A on {count(phases)}")


def enabled(amps: float, phases: int) -> Words:
    """On by the owner's control."""
    return ("enabled", f"charging by ChargeEnable with up to {amps:g} A on {count(phases)}")


def cheap(amps: float, phases: int) -> Words:
    """On because the price is low."""
    return ("low_price", f"the price is low: charging with up to {amps:g} A on {count(phases)}")


def switching(phases: int) -> Words:
    """Off for a moment."""
    return ("switching", f"paused for a moment to change to {count(phases)}")


def held_phases(phases: int, left: float) -> Words:
    """Off until the phases may be changed again."""
    return (
        "phase_pause",
        f"waiting another {max(1, math.ceil(left))} s before it may change to {count(phases)}",
    )


def note(words: Words) -> str:
    """The sentence as a request carries it: the contract has room for so much."""
    return words[1][:NOTE_LENGTH]


def count(phases: int) -> str:
    """Phases in words."""
    return "one phase" if phases == 1 else f"{'two' if phases == 2 else 'three'} phases"  # noqa: PLR2004
