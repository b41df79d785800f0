"""Each template against its simulator: days of any length, faults, and a week's calls."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from actors.tariffs.http_tariff.sim import KINDS, Simulator
from bridge.curve.days import local_day, zone_of
from bridge.errors import CurveError, DeviceError
from tests.http_tariff.made import TEMPLATES, pair, tariff
from tests.support.days import lived, week

if TYPE_CHECKING:
    from bridge.clock import Clock

EVENING = datetime(2026, 11, 21, 18, tzinfo=UTC)
QUARTERS = {"2026-03-28": 96 + 92, "2026-10-24": 96 + 100, "2026-11-21": 96 + 96}


def asked(template: str, fault: str | None = None, begin: datetime = EVENING, **sim: Any) -> Any:
    """What one asking gives: (simulator, Prices)."""

    async def scenario(clock: Clock) -> Any:
        folder = Path(tempfile.mkdtemp())
        async with pair(folder, clock, template, **sim) as (simulator, actor):
            simulator.fault = fault
            return simulator, await actor.fetch(clock.utc())

    return lived(scenario, begin=begin)


def expected(sim: Simulator, now: datetime) -> list[tuple[datetime, float | str | None]]:
    """What the market has for today and tomorrow, in currency of the simulator's own form."""
    days = [day for day in sim.market.days(now) if day >= now.date()]
    return [(item.start, item.value) for day in days for item in sim.market.items(day)]


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("day", QUARTERS)
def test_days_of_92_96_and_100_quarter_hours(template: str, day: str) -> None:
    begin = datetime.fromisoformat(f"{day}T18:00:00+00:00")
    sim, prices = asked(template, begin=begin)
    zone = zone_of(KINDS[template].zone)
    start = local_day(begin.date(), zone)[0]
    end = local_day(begin.date() + timedelta(days=1), zone)[1]
    if template == "octopus":
        end -= timedelta(hours=1)
    step = timedelta(minutes=KINDS[template].minutes)
    curve = prices.imports.between(start, end)
    assert curve.covers(start, end)
    assert len(curve) == (end - start) // step
    if template != "octopus":
        assert len(curve) * step == QUARTERS[day] * timedelta(minutes=15)
    assert prices.imports.end == end
    assert {slot.length for slot in curve} == {step}
    factor = {"nordpool": 11.05, "octopus": 1.05, "energinet": 7.46}.get(template, 1.0) / 1000
    for moment, value in expected(sim, begin):
        if moment < end:
            assert curve.at(moment) == pytest.approx(float(str(value)) * factor, abs=1e-5)


def test_export_prices_come_from_their_own_product() -> None:
    _, prices = asked("octopus")
    assert len(prices.exports) == len(prices.imports) == 94
    assert prices.exports.slots[0].value < prices.imports.slots[0].value


def test_negative_prices_stay_negative() -> None:
    _, prices = asked("elering", prices="negative")
    assert min(slot.value for slot in prices.imports) < -0.02


HARMLESS = ("strings", "duplicates", "shuffled", "second_holes", "hourly_then_quarter")
HOLES = ("nulls", "gap", "overlap")
BROKEN = ("broken", "down", "html", "half", "redirect", "busy", "busy_plain")


def whole(sim: Simulator) -> tuple[datetime, datetime]:
    return local_day(EVENING.date(), sim.market.zone)


@pytest.mark.parametrize("template", TEMPLATES)
def test_what_can_be_wrong_with_the_data_is_mended_or_left_out(template: str) -> None:
    good = asked(template)[1].imports
    faults = Simulator(template=template).faults
    for fault in HARMLESS:
        if fault in faults:
            sim, prices = asked(template, fault)
            start, end = whole(sim)
            if template == "octopus":
                end -= timedelta(hours=1)
            assert prices.imports.covers(start, end), fault
            if fault != "hourly_then_quarter":
                assert prices.imports == good, fault
    for fault in HOLES:
        sim, prices = asked(template, fault)
        start = whole(sim)[0]
        third = start + timedelta(hours=3)
        assert prices.imports.at(third) is None, fault
        assert prices.imports.at(start + timedelta(hours=1)) == good.at(start + timedelta(hours=1))
        assert prices.imports.at(start + timedelta(hours=5)) == good.at(start + timedelta(hours=5))
        assert "have a hole: " in prices.imports.notes[-1], fault
        assert any("contradict" in note for note in prices.imports.notes) is (fault == "overlap")


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_failing_service_is_one_plain_sentence(template: str) -> None:
    faults = Simulator(template=template).faults
    assert set(BROKEN) <= set(faults)
    for fault in (*BROKEN, *({"pages", "elsewhere"} & set(faults))):
        with pytest.raises(DeviceError) as caught:
            asked(template, fault)
        text = str(caught.value)
        assert text.isprintable(), fault
        assert 10 < len(text) < 200, fault


@pytest.mark.parametrize("template", ["energy_charts", "nordpool", "omie", "octopus"])
def test_a_tomorrow_that_is_not_there_is_no_error(template: str) -> None:
    sim, prices = asked(template, "empty")
    start, end = whole(sim)
    if template == "octopus":
        end -= timedelta(hours=1)
    assert prices.imports.covers(start, end)
    assert prices.imports.end == end


def test_preliminary_prices_are_not_taken() -> None:
    sim, prices = asked("nordpool", "preliminary")
    assert prices.imports.end == whole(sim)[1]
    assert len(sim.requests) == 2


def test_another_currency_is_told() -> None:
    for template, named in (("energy_charts", "CHF"), ("awattar_de", "CHF"), ("nordpool", "NOK")):
        assert asked(template, "currency")[1].currency == named


def test_a_day_without_prices_is_a_hole() -> None:
    missing = EVENING.date()
    sim, prices = asked("elering", missing=missing)
    assert prices.imports.at(EVENING) is None
    assert prices.imports.covers(*local_day(missing + timedelta(days=1), sim.market.zone))


# More than two calls a day only where a day has several pages, or import and export.
MOST = {"octopus": 60, "nordpool": 60}


@pytest.mark.slow
@pytest.mark.parametrize("template", TEMPLATES)
def test_the_calls_of_a_week(template: str) -> None:
    def count(days: int, late: float) -> int:
        folder = Path(tempfile.mkdtemp())

        async def loop(sim: Simulator, clock: Clock) -> None:
            actor = tariff(sim, folder, clock)
            try:
                await actor.ask()
            finally:
                await actor.safe()

        return week(
            lambda clock: Simulator(template=template, clock=clock, late=late), loop, days=days
        )

    usual, late = count(7, 0), count(1, 4 * 3600)
    print(f"{template}: {usual} calls a week, {late} on a day when tomorrow is 4 h late")
    assert 7 <= usual <= MOST.get(template, 30)
    assert 10 <= late <= 80


async def test_a_web_page_in_place_of_lines_is_told() -> None:
    from actors.tariffs.http_tariff.settings import TEMPLATES as FOLDER
    from bridge.cloud.described import load_template
    from bridge.curve.document import Reader

    template = load_template(FOLDER, "omie")
    with pytest.raises(CurveError, match="web page"):
        Reader(template.parts["import"], template.values({})).read("<html></html>")
