"""Why somebody gets this much: one short code word and one plain sentence each.

The code changes only when the kind of reason does; the sentence may count seconds or watts.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from actors.distributor.allocate import MICRO

if TYPE_CHECKING:
    from typing import TypeAlias

Reason: TypeAlias = "tuple[str, str]"

STOPPING: Reason = ("stopping", "the distributor is stopping")
PAUSED: Reason = ("paused", "paused by the owner")


def watts(power: int) -> str:
    """Microwatts as whole watts."""
    return f"{round(power / MICRO)} W"


def seconds(left: float) -> str:
    """Seconds that are left, at least 1."""
    return f"{max(1, math.ceil(left - 1e-6))} s"


def manual(note: str | None = None) -> Reason:
    """It takes nothing from us. `note`: why, in its own words."""
    return ("manual", f"not automatic: {note or 'IsAutomatic is false'}")


def no_request(note: str | None = None) -> Reason:
    """It could use nothing now. `note`: why, in its own words."""
    return ("no_request", f"asks for nothing: {note or 'Request is 0'}")


def waiting_for_live(consumer: str) -> Reason:
    """Only retained values so far."""
    return ("not_live", f"waiting for a live message from {consumer}")


def expired(consumer: str, silent: float) -> Reason:
    """Nothing heard for longer than a request lives."""
    return ("expired", f"no message from {consumer} for {int(silent)} s")


def minimum_above_request(minimum: float, request: float) -> Reason:
    """A ladder without a rung. W."""
    return (
        "minimum",
        f"Minimum {round(minimum)} W is above Request {round(request)} W",
    )


def no_reservation(why: str) -> Reason:
    """The reservation is unknown, so those who respect it get nothing."""
    return ("reservation_unknown", f"battery reservation cannot be computed: {why}")


def held(sentence: str) -> Reason:
    """Another distributor is at work."""
    return ("held", sentence)


def waiting(missing: int, reservation: int = 0) -> Reason:
    """Off; so many W more and it would start, those for the `reservation` (microwatts) included."""
    part = f", {watts(reservation)} of it for the battery reservation" if reservation > 0 else ""
    return ("waiting", f"waiting for {missing} W more{part}")


def reserved(reservation: int) -> Reason:
    """Off only because of the reservation."""
    return ("reservation", f"battery reservation holds {watts(reservation)} back")


def full(request: int) -> Reason:
    """It has all it asked for."""
    return ("full", f"all of {watts(request)} granted")


def partial(allowance: int, request: int, missing: int, reservation: int = 0) -> Reason:
    """It has some; so many W more and it gets the next step, which the `reservation` may hold."""
    part = f"; battery reservation holds {watts(reservation)} back" if reservation > 0 else ""
    return (
        "partial",
        f"{watts(allowance)} of {watts(request)}; waiting for {missing} W more{part}",
    )


def paced(target: int, left: float) -> Reason:
    """More is there, but a running load is raised only now and then."""
    return ("paced", f"raised to {watts(target)} in {seconds(left)} at the earliest")


def kept_on(left: float) -> Reason:
    """On without sun, because it was started a short time ago."""
    return ("min_on", f"kept on for another {seconds(left)} (MinOn)")


def stopping_in(left: float) -> Reason:
    """On without sun, for the length of a cloud."""
    return ("stop_delay", f"stops in {seconds(left)} unless the sun returns (StopDelay)")


def starting_in(left: float) -> Reason:
    """Off with sun, until it has lasted."""
    return ("start_delay", f"starts in {seconds(left)} if the sun holds (StartDelay)")


def off_for(left: float) -> Reason:
    """Off with sun, because it was stopped a short time ago."""
    return ("min_off", f"off for another {seconds(left)} (MinOff)")


def overdrawn(excess: int) -> Reason:
    """It has drawn more than it may for a minute."""
    return (
        "overdrawn",
        f"draws {watts(excess)} above its allowance: counted as ordinary load",
    )


def too_little(share: float, needed: float, span: float) -> Reason:
    """Off: over the last `span` s too little of the time had the `needed` W that pay for a run."""
    part, minutes = round(100 * share), max(1, round(span / 60))
    left = f"{round(needed)} W were there for {part} % of the last {minutes} min"
    return ("waiting", f"clouds: {left}, too little to start")


def not_worth(needed: float) -> Reason:
    """Off, and more important ones leave too little of the sun."""
    return ("waiting", f"what is left over does not yet pay for a run of {round(needed)} W")


def pays(amount: int, request: int) -> Reason:
    """On, and the sun carries it."""
    if amount >= request:
        return full(request)
    return ("partial", f"{watts(amount)} of {watts(request)}: what pays with the sun there is")


def bridged(amount: int, lacking: float) -> Reason:
    """On though some W are lacking: the money is on the side of running."""
    what = f"{round(lacking)} W of {watts(amount)} are not from the sun"
    return ("bridged", f"kept on: {what}, stopping and starting again would cost more")
