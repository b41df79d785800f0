"""Why somebody gets this much: one short code word and one plain sentence each.

The code changes only when the kind of reason does; the sentence may count seconds or watts. Most
sentences are never read, for each decision has new ones: a reason keeps what it is told with, and
becomes a sentence when somebody asks for its text.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVarTuple

import msgspec

from actors.distributor.allocate import MICRO

Values = TypeVarTuple("Values")
_LONG = 60  # minutes


class Reason(msgspec.Struct, frozen=True):
    """A code word, and the function that makes the sentence out of `values`."""

    code: str
    sentence: Callable[..., str]
    values: tuple[Any, ...]

    @property
    def text(self) -> str:
        """The sentence."""
        return self.sentence(*self.values)


def plain(code: str, text: str) -> Reason:
    """A reason whose sentence is there already."""
    return Reason(code, str, (text,))


def _reason(code: str) -> Callable[[Callable[[*Values], str]], Callable[[*Values], Reason]]:
    """Make a function that gives a sentence into one that gives the reason, for later telling."""

    def of(sentence: Callable[[*Values], str]) -> Callable[[*Values], Reason]:
        def reason(*values: *Values) -> Reason:
            return Reason(code, sentence, values)

        reason.__doc__ = sentence.__doc__
        return reason

    return of


STOPPING = plain("stopping", "the distributor is stopping")
PAUSED = plain("paused", "paused by the owner")


def watts(power: int) -> str:
    """Microwatts as whole watts."""
    return f"{round(power / MICRO)} W"


def _price(money: float) -> str:
    """Per kWh, with two decimals; what rounds to nothing has no sign."""
    return f"{round(money, 2) + 0.0:.2f}"


def seconds(left: float) -> str:
    """Seconds that are left, at least 1."""
    return f"{max(1, math.ceil(left - 1e-6))} s"


@_reason("manual")
def manual(note: str | None) -> str:
    """It takes nothing from us. `note`: why, in its own words."""
    return f"not automatic: {note or 'IsAutomatic is false'}"


@_reason("no_request")
def no_request(note: str | None) -> str:
    """It could use nothing now. `note`: why, in its own words."""
    return f"asks for nothing: {note or 'Request is 0'}"


@_reason("not_live")
def waiting_for_live(consumer: str) -> str:
    """Only retained values so far."""
    return f"waiting for a live message from {consumer}"


@_reason("expired")
def expired(consumer: str, silent: float) -> str:
    """Nothing heard for longer than a request lives."""
    return f"no message from {consumer} for {int(silent)} s"


@_reason("minimum")
def minimum_above_request(minimum: float, request: float) -> str:
    """A ladder without a rung. W."""
    return f"Minimum {round(minimum)} W is above Request {round(request)} W"


@_reason("meter")
def meter_silent(silent: float) -> str:
    """Nothing measured for longer than a balance counts."""
    return f"grid meter silent for {int(silent)} s"


@_reason("reservation_unknown")
def no_reservation(why: str) -> str:
    """The reservation is unknown, so those who respect it get nothing."""
    return f"battery reservation cannot be computed: {why}"


@_reason("held")
def held(sentence: str) -> str:
    """Another distributor is at work."""
    return sentence


@_reason("waiting")
def waiting(missing: int, reservation: int) -> str:
    """Off; so many W more and it would start, those for the `reservation` (microwatts) included."""
    part = f", {watts(reservation)} of it for the battery reservation" if reservation > 0 else ""
    return f"waiting for {missing} W more{part}"


@_reason("reservation")
def reserved(reservation: int) -> str:
    """Off only because of the reservation."""
    return f"battery reservation holds {watts(reservation)} back"


@_reason("full")
def full(request: int) -> str:
    """It has all it asked for."""
    return f"all of {watts(request)} granted"


@_reason("partial")
def partial(allowance: int, request: int, missing: int, reservation: int) -> str:
    """It has some; so many W more and it gets the next step, which the `reservation` may hold."""
    part = f"; battery reservation holds {watts(reservation)} back" if reservation > 0 else ""
    return f"{watts(allowance)} of {watts(request)}; waiting for {missing} W more{part}"


@_reason("paced")
def paced(target: int, left: float) -> str:
    """More is there, but a running load is raised only now and then."""
    return f"raised to {watts(target)} in {seconds(left)} at the earliest"


@_reason("min_on")
def kept_on(left: float) -> str:
    """On without sun, because it was started a short time ago."""
    return f"kept on for another {seconds(left)} (MinOn)"


@_reason("stop_delay")
def stopping_in(left: float) -> str:
    """On without sun, for the length of a cloud."""
    return f"stops in {seconds(left)} unless the sun returns (StopDelay)"


@_reason("start_delay")
def starting_in(left: float) -> str:
    """Off with sun, until it has lasted."""
    return f"starts in {seconds(left)} if the sun holds (StartDelay)"


@_reason("min_off")
def off_for(left: float) -> str:
    """Off with sun, because it was stopped a short time ago."""
    return f"off for another {seconds(left)} (MinOff)"


@_reason("overdrawn")
def overdrawn(excess: int) -> str:
    """It has drawn more than it may for a minute."""
    return f"draws {watts(excess)} above its allowance: counted as ordinary load"


def shared(amount: int, request: int, power: int, left: float) -> Reason:
    """Its share of `power`, until it is divided anew in `left` s; the last step is a whole one."""
    if amount >= request:
        return _whole_share(amount, request, left)
    return _part_share(amount, request, power, left)


@_reason("full")
def _whole_share(amount: int, request: int, left: float) -> str:
    what = f"all of {watts(request)} granted"
    if amount > request:
        what = f"{watts(amount)} granted for {watts(request)}, the last step being a whole one"
    return f"{what}; shared anew in {seconds(left)}"


@_reason("partial")
def _part_share(amount: int, request: int, power: int, left: float) -> str:
    what = f"{watts(amount)} of {watts(request)}, its share of {watts(power)}"
    return f"{what}; shared anew in {seconds(left)}"


@_reason("waiting")
def no_share(needs: int, rest: int, reservation: int, left: float) -> str:
    """Nothing, for its first portion must be less than the `rest` that nobody has been given."""
    kept = f" after {watts(reservation)} for the battery" if reservation > 0 else ""
    there = f"{watts(rest)} were left{kept}"
    return f"starts above {watts(needs)}, {there}; shared anew in {seconds(left)}"


@_reason("next_share")
def next_share(left: float) -> str:
    """New since the last division."""
    return f"takes part when power is shared anew in {seconds(left)}"


@_reason("waiting")
def too_little(share: float, needed: float, span: float) -> str:
    """Off: over the last `span` s too little of the time had the `needed` W that pay for a run."""
    part, minutes = round(100 * share), max(1, round(span / 60))
    if not part:
        return f"{round(needed)} W have not been there in the last {minutes} min"
    left = f"{round(needed)} W were there for {part} % of the last {minutes} min"
    return f"clouds: {left}, too little to start"


@_reason("waiting")
def not_worth(needed: float) -> str:
    """Off, and more important ones leave too little of the sun."""
    return f"what is left over does not yet pay for a run of {round(needed)} W"


def pays(amount: int, request: int, reservation: float = 0.0) -> Reason:
    """On, and the sun carries it. `reservation`: W that are kept from it for the battery."""
    return full(request) if amount >= request else _pays_in_part(amount, request, reservation)


@_reason("partial")
def _pays_in_part(amount: int, request: int, reservation: float) -> str:
    part = f"; battery reservation holds {round(reservation)} W back" if reservation > 0 else ""
    return f"{watts(amount)} of {watts(request)}: what pays with the sun there is{part}"


@_reason("partial")
def rounded_up(amount: int, request: int, lacking: float, reserved: bool) -> str:
    """On, with a last step that the sun covers for the most part."""
    what = f"{watts(amount)} of {watts(request)}"
    return f"{what}: {round(lacking)} W of it are {_source(reserved)}, a step less would earn less"


def _source(reserved: bool) -> str:
    return "meant for the battery" if reserved else "not from the sun"


@_reason("bridged")
def bridged(amount: int, lacking: float, minutes: float, reserved: bool) -> str:
    """On though some W are lacking, or `reserved`: a switch costs so many minutes of that."""
    what = f"kept on: {round(lacking)} W of {watts(amount)} are {_source(reserved)}, but"
    if minutes < 1:
        return f"{what} over the last minutes it has paid"
    long = f"{math.floor(minutes)} min" if minutes < _LONG else "an hour"
    return f"{what} stopping and starting again would cost more than {long} of that"


@_reason("bought")
def bought(amount: int, lacking: float, price: float) -> str:
    """On though some W are lacking: even bought they are worth it."""
    what = f"{round(lacking)} W of {watts(amount)}"
    return f"{what} are not from the sun: at {_price(price)} per kWh it is worth buying"


@_reason("bridged")
def rising(amount: int, lacking: float) -> str:
    """On, and set for where the sun will be in a few seconds."""
    return f"{watts(amount)}, {round(lacking)} W of them ahead of the rising sun"


@_reason("buffered")
def buffered(amount: int, lacking: float) -> str:
    """On, and the battery gives what the sun does not."""
    return f"the battery gives {round(lacking)} W of {watts(amount)} until it has less to spare"


@_reason("reservation")
def battery_first(kept: float, soc: float | None) -> str:
    """Off, for what the battery takes is worth more now."""
    at = "" if soc is None else f" at {round(soc)} %"
    return f"the battery comes first{at}: it keeps {round(kept)} W"


@_reason("waiting")
def worth_more_elsewhere(value: float, left: float) -> str:
    """Off, for a kWh is worth more sold or stored."""
    return f"a kWh is worth {_price(value)} to it, and {_price(left)} sold or stored"
