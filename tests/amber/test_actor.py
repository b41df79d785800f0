"""The actor as a house sees it: prices, spikes and what else is published, and settings."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from actors.tariffs.amber.facts import Facts
from actors.tariffs.amber.interval import of_channel, read_intervals
from actors.tariffs.amber.settings import Settings
from actors.tariffs.amber.sim import SITE, Simulator
from actors.tariffs.amber.simulator.items import House
from actors.tariffs.amber.simulator.market import Market
from bridge.config.secret import Secret
from bridge.errors import DeviceError
from tests.amber.test_week import amber
from tests.runtime.virtual import Wire
from tests.support.days import Days

if TYPE_CHECKING:
    from pathlib import Path

EVENING = datetime(2026, 11, 20, 8, 10, 40, tzinfo=UTC)  # 18:10 at the market, in the spike


async def test_prices_and_facts_of_a_spike(tmp_path: Path) -> None:
    days = Days(EVENING)
    async with Simulator(days=["spike"], order="mixed", clock=days) as sim:
        actor, wire = amber(sim, days, tmp_path), Wire()
        wire.attach(actor)
        prices = await actor.fetch(EVENING)
        await actor.safe()
    assert (prices.currency, prices.raw, prices.final) == ("AUD", False, True)
    assert prices.exports is not None
    now, export = prices.imports.at(EVENING), prices.exports.at(EVENING)
    assert now is not None
    assert export is not None
    assert now > export > 10
    assert prices.imports.covers(EVENING, EVENING.replace(day=22))
    assert wire.last("Tariffs/power/SpikeStatus") == "spike"
    assert wire.last("Tariffs/power/DemandWindow") == "true"
    assert wire.last("Tariffs/power/PriceDescriptor") == "spike"
    assert wire.last("Tariffs/power/PriceEstimate") == "false"


async def test_a_forecast_whose_time_has_come_is_not_a_final_price(tmp_path: Path) -> None:
    now = datetime(2026, 11, 20, 8, 3, 40, tzinfo=UTC)
    days = Days(now)
    async with Simulator(clock=days, length=30) as sim:
        sim.fault = "stuck"
        actor = amber(sim, days, tmp_path)
        prices = await actor.fetch(now)
        assert prices.imports.at(now) is not None
        assert prices.final is False
        sim.fault = None
        assert (await actor.fetch(now)).final is True
        await actor.safe()


async def test_a_second_actor_serves_the_controlled_load(tmp_path: Path) -> None:
    days = Days(EVENING)
    channels = ("general", "controlledLoad", "feedIn")
    async with Simulator(channels=channels, order="reversed", clock=days) as sim:
        found = {}
        for channel in ("general", "controlled_load"):
            actor = amber(sim, days, tmp_path, channel=channel)
            found[channel] = await actor.fetch(EVENING)
            await actor.safe()
    general, load = found["general"], found["controlled_load"]
    assert load.exports is None
    assert (load.imports.at(EVENING) or 0) < (general.imports.at(EVENING) or 0)


async def test_a_channel_that_the_house_lacks_is_said(tmp_path: Path) -> None:
    days = Days(EVENING)
    async with Simulator(clock=days, channels=("general",)) as sim:
        actor = amber(sim, days, tmp_path, channel="controlled_load")
        with pytest.raises(DeviceError, match="no prices of the channel controlled_load"):
            await actor.fetch(EVENING)
        await actor.safe()
        actor = amber(sim, days, tmp_path)
        assert (await actor.fetch(EVENING)).exports is None
        await actor.safe()


async def test_shorter_intervals_than_were_thought_are_asked_for_again(tmp_path: Path) -> None:
    days = Days(EVENING)
    async with Simulator(clock=days, length=30, resolution=True) as sim:
        actor = amber(sim, days, tmp_path, hours=2)
        await actor.fetch(EVENING)
        assert sim.requests[-1].endswith("next=4")
        sim.house.length = 5
        for _ in range(2):
            await days.advance(1801)
            await actor.fetch(days.utc())
        whole = [each for each in sim.requests if each.endswith(("next=4", "next=24"))]
        assert len(whole) == 3
        await actor.safe()


async def test_with_a_site_nobody_asks_for_the_sites(tmp_path: Path) -> None:
    days = Days(EVENING)
    async with Simulator(clock=days) as sim:
        actor = amber(sim, days, tmp_path, site=SITE.lower(), hours=2)
        await actor.fetch(EVENING)
        assert len(sim.requests) == 1
        sim.fault = "site"
        with pytest.raises(DeviceError, match="does not know that site"):
            await actor.fetch(EVENING)
        await actor.safe()


async def test_facts_follow_the_forecast_and_end_with_it() -> None:
    days, told = Days(EVENING), {}

    async def publish(name: str, value: Any) -> None:
        told[name] = value

    house = House(length=5, market=Market(days=("spike",)))
    raw = house.current(EVENING, 5, 0, 5)
    facts = Facts(days, publish)
    await facts.show()
    assert set(told.values()) == {None}
    await facts.take(of_channel(read_intervals(raw), "general"))
    assert (told["SpikeStatus"], told["PriceEstimate"]) == ("spike", True)
    await days.advance(20 * 60)
    await facts.show()
    assert told["SpikeStatus"] == "potential"
    await days.advance(10 * 60)
    await facts.show()
    assert set(told.values()) == {None}


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"charges": 0.1}, "charges"),
        ({"tax": 10.0}, "tax"),
        ({"export": 0.05}, "export"),
        ({"url": "http://api.example.org"}, "url"),
        ({"token": Secret("a\nb")}, "token"),
        ({"timezone": "Mars/Base"}, "timezone"),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, Any], word: str) -> None:
    given: dict[str, Any] = {"token": Secret("psk_1")} | wrong
    found = dict(Settings(**given).check())
    assert list(found) == [word]
    assert "psk_1" not in found[word]
