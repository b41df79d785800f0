"""Sources of carbon intensity: recorded answers, simulators, faults, and a day's calls."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import tempfile
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.tariffs.co2.actor import Co2
from actors.tariffs.co2.settings import TEMPLATES, Co2Settings
from actors.tariffs.co2.sim import SOURCES, TOKEN, Simulator
from actors.tariffs.co2.view import at, listed, share_of, usable
from bridge.cloud.described import load_template
from bridge.config.secret import Secret
from bridge.contract import load_contract
from bridge.curve import Curve
from bridge.curve.document import Reader
from bridge.discovery import House, carbon_messages
from tests.discovery.checker import check
from tests.runtime.virtual import Wire, alive, context
from tests.support.days import lived, week

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bridge.clock import Clock

NOON = datetime(2026, 11, 20, 12, 10, tzinfo=UTC)
FACTS = os.environ.get("HELIOGRAPH_FACTS")
# source, part, file, number of slots, first and last value
CASES = [
    ("electricity_maps", "intensity", "electricitymaps_ha.json", 1, 318.2, 318.2),
    ("energy_charts", "share", "energycharts_signal.json", 8, 41.2, 90.1),
    ("uk", "intensity", "uk_national_fw48h.json", 6, 118.0, 125.0),
    ("uk", "postcode", "uk_regional.json", 1, 141.0, 141.0),
]


OURS = [
    ("electricity_maps", "intensity", "electricitymaps_ha.json", 1, 301.5, 301.5),
    ("energy_charts", "share", "energycharts_signal.json", 1, 40.5, 40.5),
    ("uk", "intensity", "uk_national_fw48h.json", 2, 0.0, 121.0),
    ("uk", "postcode", "uk_regional.json", 1, 98.0, 98.0),
]
GIVEN = [(TEMPLATES.with_name("samples"), case) for case in OURS]
if FACTS:
    GIVEN += [(Path(FACTS) / "payloads" / "co2", case) for case in CASES]


@pytest.mark.parametrize(("folder", "case"), GIVEN, ids=[c[2] for _, c in GIVEN])
def test_an_answer(folder: Path, case: tuple[str, str, str, int, float, float]) -> None:
    source, part, file, count, first, last = case
    template = load_template(TEMPLATES, source)
    document = json.loads((folder / file).read_text(encoding="utf-8"))
    options = template.values({"zone": "DE", "postcode": "SW1"} if part != "share" else {})
    curve = Reader(template.parts[part], options).read(document).curve
    assert len(curve) == count
    assert curve.slots[0].value == first
    assert curve.slots[-1].value == last


@contextlib.asynccontextmanager
async def pair(
    clock: Clock, source: str, folder: Path | None = None, **more: Any
) -> AsyncIterator[tuple[Simulator, Co2, Wire]]:
    async with Simulator(source=source, clock=clock) as sim:
        actor, wire = made(sim, clock, folder or Path(tempfile.mkdtemp()), **more)
        try:
            yield sim, actor, wire
        finally:
            await actor.safe()


def made(sim: Simulator, clock: Clock, folder: Path, **more: Any) -> tuple[Co2, Wire]:
    given = {**sim.settings(), "url": f"http://127.0.0.1:{sim.port}", **more}
    if "token" in given:
        given["token"] = Secret(given["token"])
    settings = Co2Settings(**given)
    assert list(settings.check()) == []
    about = dataclasses.replace(context(folder, settings=settings), clock=clock)
    actor, wire = Co2(about), Wire()
    wire.attach(actor)
    return actor, wire


def shown(source: str, fault: str | None = None, **more: Any) -> tuple[Simulator, Wire]:
    async def scenario(clock: Clock) -> tuple[Simulator, Wire]:
        async with pair(clock, source, **more) as (sim, actor, wire):
            sim.fault = fault
            await actor.ask_once()
            await actor.show(again=True)
            return sim, wire

    return lived(scenario, begin=NOON)


PLACES: list[tuple[str, dict[str, Any], timedelta]] = [
    ("energy_charts", {"zone": "FR"}, timedelta(hours=10)),
    ("electricity_maps", {"zone": "DE"}, timedelta(minutes=30)),
    ("electricity_maps", {"zone": "DE", "forecast": True}, timedelta(hours=47)),
    ("uk", {}, timedelta(hours=47)),
    ("uk", {"postcode": "sw1"}, timedelta(hours=47)),
    ("uk", {"region": "13"}, timedelta(hours=47)),
    ("energinet", {"zone": "DK2"}, timedelta(hours=20)),
]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place[0]} {place[1]}")
def test_the_intensity_of_now_and_the_curve(place: tuple[str, dict[str, Any], timedelta]) -> None:
    source, more, ahead = place
    sim, wire = shown(source, **more)
    step = sim.market.minutes * 60
    begin = datetime.fromtimestamp(NOON.timestamp() // step * step, UTC)
    # Where the simulator has both, the forecast of now is 25 off: the measured value counts.
    wanted = sim.intensity(begin)
    if source == "energy_charts":
        assert NOON - begin < timedelta(hours=1)
    assert float(wire.last("Carbon/dut/Intensity") or "nan") == pytest.approx(wanted)
    curve = wire.json("Carbon/dut/Curve")
    assert curve[0]["start"] == f"{begin:%Y-%m-%dT%H:%M:%SZ}"
    assert datetime.fromisoformat(curve[-1]["end"]) >= NOON + ahead
    assert all(a["end"] == b["start"] for a, b in pairwise(curve))
    share = wire.last("Carbon/dut/RenewableShare")
    assert (share is not None) is (source == "energy_charts")
    assert wire.json("Actors/dut/Health") is None
    assert TOKEN not in " ".join(sim.requests)


@pytest.mark.parametrize("source", SOURCES)
def test_every_fault_is_a_sentence_or_leaves_what_is_right(source: str) -> None:
    good = shown(source)[1].last("Carbon/dut/Intensity")
    silent = {"nulls": source == "electricity_maps", "empty": True, "no_data": True}
    for fault in Simulator(source=source).faults:
        if fault == "slow":
            continue
        _, wire = shown(source, fault)
        value, health = wire.last("Carbon/dut/Intensity"), wire.json("Actors/dut/Health")
        if value:
            assert value == good, fault
            assert (health is not None) is (fault == "share")
        elif silent.get(fault, True):
            assert health["state"] == "degraded", fault
            assert health["error"].isprintable()


def test_a_forecast_that_is_refused_leaves_the_intensity_of_now() -> None:
    good = shown("electricity_maps")[1].last("Carbon/dut/Intensity")
    _, wire = shown("electricity_maps", "unpaid", forecast=True)
    assert wire.last("Carbon/dut/Intensity") == good
    error = wire.json("Actors/dut/Health")["error"]
    assert error.startswith("the forecast is not known: Electricity Maps ")


def test_a_source_that_is_away_leaves_what_is_known_to_its_end() -> None:
    async def scenario(clock: Clock) -> list[str | None]:
        folder = Path(tempfile.mkdtemp())
        async with pair(clock, "electricity_maps", folder) as (sim, actor, wire):
            await actor.ask_once()
            sim.fault = "down"
            found = []
            for _ in range(4):
                await actor.show(again=True)
                found.append(wire.last("Carbon/dut/Intensity"))
                await clock.sleep(2400)
                await actor.ask_once()
            again, other = made(sim, clock, folder)
            await again.show(again=True)
            assert not other.last("Carbon/dut/Intensity")
            await again.safe()
            assert "unknown" in wire.json("Actors/dut/Health")["error"]
            return found

    values = lived(scenario, begin=NOON)
    # The hour from 12:00, and one more in which the last value stands: 12:10, 12:50, 13:30; 14:10.
    assert values[0] == values[1] == values[2]
    assert values[0]
    assert not values[3]


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES)
def test_the_calls_of_a_day(source: str) -> None:
    async def loop(sim: Simulator, clock: Clock) -> None:
        actor, _ = made(sim, clock, Path(tempfile.mkdtemp()))
        try:
            await actor.ask()
        finally:
            await actor.safe()

    calls = week(lambda clock: Simulator(source=source, clock=clock), loop, days=1)
    print(f"{source}: {calls} calls a day")
    each = 2 if source == "energy_charts" else 1
    assert 46 * each <= calls <= 49 * each


def test_its_life_over_an_hour_and_a_restart_that_asks_nothing() -> None:
    async def scenario(clock: Clock) -> None:
        folder = Path(tempfile.mkdtemp())
        async with Simulator(source="uk", clock=clock) as sim:
            actor, wire = made(sim, clock, folder)
            async with alive(actor, wire):
                await anyio.sleep(1)
                assert float(wire.last("Carbon/dut/Intensity") or "nan") == sim.intensity(
                    NOON.replace(minute=0)
                )
                await anyio.sleep(3600)
                assert float(wire.last("Carbon/dut/Intensity") or "nan") == sim.intensity(
                    NOON.replace(hour=13, minute=0)
                )
            await actor.safe()
            asked = len(sim.requests)
            again, heard = made(sim, clock, folder)
            async with alive(again, heard):
                await anyio.sleep(1)
                assert heard.last("Carbon/dut/Intensity") == wire.last("Carbon/dut/Intensity")
                assert len(sim.requests) == asked
            await again.safe()

    lived(scenario, begin=NOON)


def test_what_is_shown_of_a_curve() -> None:
    hour = timedelta(hours=1)
    start = datetime(2026, 11, 20, 12, tzinfo=UTC)
    raw = Curve.of((start + n * hour, start + (n + 1) * hour, v) for n, v in enumerate((5, -1, 90)))
    curve = usable(raw)
    assert at(curve, start, 0) == 5
    assert at(curve, start + hour, 3600) is None
    assert at(curve, start + 3.5 * hour, 3600) == 90
    assert at(curve, start + 4 * hour, 3600) is None
    assert at(None, start, 0) is None
    assert listed(curve, start + hour, 10_000) == [
        {"start": "2026-11-20T14:00:00Z", "end": "2026-11-20T15:00:00Z", "intensity": 90.0}
    ]
    assert listed(curve, start + 3 * hour, 10_000) is None
    more = Curve.of([(start, start + hour, 104.2)])
    assert share_of(more).at(start) == 100


@pytest.mark.parametrize("form", ["device", "components"])
def test_home_assistant_takes_it(form: Any) -> None:
    house = House("heliograph", form=form, version="1.0")
    messages = carbon_messages(load_contract(), house, "grid", share=True, source="uk")
    check(messages)
    assert "gCO2eq/kWh" in json.dumps(messages)
    assert "RenewableShare" not in json.dumps(
        carbon_messages(load_contract(), house, "grid", share=False)
    )


def test_settings_that_do_not_fit_are_told() -> None:
    def told(**given: Any) -> list[str]:
        return [field for field, _ in Co2Settings(**given).check()]

    assert told(source="uk") == []
    assert told(source="uk", postcode="SW1", region="3") == ["region"]
    assert told(source="uk", region="18") == ["region"]
    assert told(source="uk", zone="DE") == ["zone"]
    assert told(source="electricity_maps") == ["zone", "token"]
    assert told(source="energinet", token=Secret("x")) == ["token"]
    assert told(source="energinet", forecast=True) == ["forecast"]


@pytest.mark.parametrize("source", ["uk", "energinet"])
def test_a_hole_in_the_values_is_told(source: str) -> None:
    _, wire = shown(source, "gap", **({"zone": "DK1"} if source == "energinet" else {}))
    assert "the values have a hole: " in str(wire.last("Actors/dut/Messages/Warning"))
    assert shown("uk")[1].last("Actors/dut/Messages/Warning") is None
