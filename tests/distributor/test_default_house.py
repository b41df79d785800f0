"""What a house sees that has set nothing: when a pump of 750 W runs on grid power, and when not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from actors.distributor.core import Balance, CoreSettings, Distributor
from actors.distributor.requests import ConsumerRule

if TYPE_CHECKING:
    from collections.abc import Callable

HOUR = 3600
PUMP = {"IsAutomatic": True, "Request": 750.0, "Consumption": 0.0}


class Seen(NamedTuple):
    """W allowed, by second; kWh of the pump that the sun did not give; the reasons in order."""

    allowed: list[float]
    bought: float
    reasons: list[str]


def play(
    sun: Callable[[int], float],
    seconds: int,
    value: float | None = None,
    settings: CoreSettings | None = None,
    soc: float | None = None,
) -> Seen:
    """A pump that draws what it may; with a `soc` (%) a battery takes and gives the rest."""
    core = Distributor(settings or CoreSettings(), {"pump": ConsumerRule(value_per_kwh=value)})
    core.request("pump", PUMP, 0.0)
    allowed, bought, reasons, draw = [], 0.0, [], 0.0
    for second in range(seconds):
        left = sun(second) - draw
        bought += min(draw, max(0.0, -left)) / 3.6e6
        grid, battery = (-left, None) if soc is None else (0.0, -left)
        has = soc is not None
        pv = max(0.0, sun(second) + 500)
        core.balance(Balance(grid, pv, battery, soc, battery_present=has), float(second))
        core.request("pump", {"Consumption": draw}, float(second))
        verdict = core.decide(float(second)).allowances.get("pump")
        if verdict is not None:
            draw = verdict.allowance
            reasons.append(verdict.reason)
        allowed.append(draw)
    return Seen(allowed, bought, reasons)


def sunny_then_dark(second: int) -> float:
    return 2000.0 if second < HOUR else -300.0


def on_in_the_dark(seen: Seen) -> int:
    """Seconds."""
    return sum(watts > 0 for watts in seen.allowed[HOUR:])


@pytest.mark.parametrize(("watts", "runs"), [(400, False), (600, True), (800, True)])
def test_it_starts_when_the_sun_gives_about_two_thirds(watts: float, runs: bool) -> None:
    seen = play(lambda _: watts, HOUR)
    assert set(seen.allowed[10:]) == {750.0 if runs else 0.0}


def test_a_cloud_that_stays_ends_it_within_minutes() -> None:
    seen = play(sunny_then_dark, 2 * HOUR)
    assert 60 < on_in_the_dark(seen) < 900
    assert 0 < seen.bought < 0.2
    assert "kept on: 750 W of 750 W are not from the sun" in " ".join(seen.reasons)


def test_a_low_value_hardly_buys() -> None:
    plain, low = play(sunny_then_dark, 2 * HOUR), play(sunny_then_dark, 2 * HOUR, value=0.10)
    assert low.allowed[HOUR - 1] == 750
    assert on_in_the_dark(low) <= 120
    assert low.bought < plain.bought / 2


def test_at_the_price_of_feeding_in_it_stays_off() -> None:
    seen = play(lambda _: 5000.0, HOUR, value=0.08)
    assert not any(seen.allowed)
    assert seen.reasons[-1] == "a kWh is worth 0.08 to it, and 0.08 sold or stored"


def test_surplus_never_buys() -> None:
    seen = play(sunny_then_dark, 2 * HOUR, settings=CoreSettings(strategy="surplus"))
    assert on_in_the_dark(seen) == 0


def test_nothing_starts_out_of_the_reservation_but_a_cloud_is_bridged() -> None:
    kept = CoreSettings(reservation="5000 - 40*SOC")  # 2200 W at 70 %
    assert not any(play(lambda _: 2800.0, 600, settings=kept, soc=70).allowed)
    seen = play(lambda second: 3000.0 if second < 540 else 2600.0, 600, settings=kept, soc=70)
    assert seen.allowed[500] == seen.allowed[-1] == 750
    assert seen.reasons[-1].startswith("kept on: 350 W of 750 W are meant for the battery, but")


def test_who_has_a_part_hears_of_the_reservation() -> None:
    core = Distributor(CoreSettings(reservation=2000))
    verdict = None
    core.request("car", {**PUMP, "Request": 11000.0, "StepSize": 250.0, "Minimum": 1500.0}, 0.0)
    for second in range(20):
        core.balance(Balance(-5000.0, 5500.0), float(second))
        verdict = core.decide(float(second)).allowances.get("car")
    assert verdict is not None
    assert verdict.reason == (
        "3000 W of 11000 W: what pays with the sun there is; battery reservation holds 2000 W back"
    )
