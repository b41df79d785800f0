"""What every forecast kind must keep to, whoever wrote it: found by folder, none is named here.

Each is asked against its simulator over real HTTP; its later life (expiry, accuracy, restarts) is
the base's and tested in tests/forecast.
"""

from __future__ import annotations

import itertools
import json
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bridge.config.kinds import all_kinds
from bridge.config.load import load_text
from bridge.contract import load_contract
from bridge.forecast import Forecast, ForecastSettings, Outlook
from tests.actors.kinds import last as newest
from tests.actors.kinds import make, running, settings_for
from tests.runtime.virtual import Wire

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.config.kinds import Kind
    from tests.support.mosquitto import Mosquitto

FORECASTS = tuple(name for name, kind in all_kinds().items() if kind.role == "forecasts")
CONTRACT = load_contract()
FARTHEST = timedelta(days=17)
LEAST = timedelta(hours=24)
every_forecast = pytest.mark.parametrize("kind", FORECASTS, indirect=True)


def plain(text: str) -> bool:
    """One line that says something, and shows nothing of the program's insides."""
    insides = ("Traceback", "Error(", "object at 0x", "<class", "NoneType")
    return 10 < len(text) < 500 and text.isprintable() and not any(w in text for w in insides)


def simulate(kind: Kind) -> Any:
    simulator: Any = kind.simulator()
    return simulator.Simulator(host="127.0.0.1", port=0)


def born(kind: Kind, settings: Any, folder: Path) -> tuple[Forecast, Wire]:
    """An actor that publishes to a wire and does not run."""
    actor = make(kind, settings, folder)
    assert isinstance(actor, Forecast)
    wire = Wire()
    wire.attach(actor)
    return actor, wire


def secrets(settings: Any) -> list[str]:
    """The texts that must never be shown."""
    values = [getattr(settings, name) for name in settings.__struct_fields__]
    return [each.reveal() for each in values if hasattr(each, "reveal") and each.reveal()]


def covers_now(known: Outlook | None, actor: Forecast) -> bool:
    return known is not None and known.power.at(actor.clock.utc()) is not None


def agree(truth: Outlook | None, actor: Forecast, fault: str) -> None:
    """Fail where a fault has put in another power than the service means."""
    assert truth is not None
    for slot in actor.known.power if actor.known else ():
        wanted = truth.power.at(slot.start + slot.length / 2)
        assert wanted is None or slot.value == pytest.approx(wanted, rel=0.005, abs=0.2), (
            f"{fault}: another power at {slot.start}"
        )


def test_there_are_forecasts() -> None:
    assert len(FORECASTS) >= 3


@every_forecast
def test_it_has_the_settings_of_all_forecasts_and_a_simulator_with_faults(kind: Kind) -> None:
    assert issubclass(kind.settings(), ForecastSettings)
    assert set(Forecast.writes) <= set(kind.load().writes)
    assert {"url"} <= set(kind.settings().__struct_fields__)
    simulator: Any = kind.simulator()
    assert len(simulator.FAULTS) >= 3


@every_forecast
async def test_what_its_simulator_prints_is_a_configuration(kind: Kind) -> None:
    from bridge.cli.sim import snippet

    async with simulate(kind) as sim:
        line = snippet(kind, kind.simulator(), sim)  # type: ignore[arg-type]
    (found,) = load_text(f"actors:\n  {line}\n").actors.values()
    assert isinstance(found.settings, ForecastSettings)
    assert list(found.settings.check()) == []


@every_forecast
async def test_it_takes_a_forecast_from_its_simulator(kind: Kind, tmp_path: Path) -> None:
    async with simulate(kind) as sim:
        actor, _ = born(kind, settings_for(kind, sim), tmp_path)
        wait = await actor.ask_once()
        assert actor.error is None
        assert covers_now(actor.known, actor)
        assert actor.known is not None
        horizon = actor.known.power.horizon(actor.clock.utc())
        assert horizon is not None
        assert LEAST <= horizon - actor.clock.utc() + timedelta(hours=1) < FARTHEST
        assert max(slot.value for slot in actor.known.power) > 100
        assert 60 <= wait <= 86400
        await actor.make_safe()


@every_forecast
async def test_every_fault_is_a_sentence_or_mended_and_what_is_known_stays(
    kind: Kind, tmp_path: Path
) -> None:
    simulator: Any = kind.simulator()
    async with simulate(kind) as sim:
        settings = settings_for(kind, sim)
        first, _ = born(kind, settings, tmp_path / "first")
        await first.ask_once()
        await first.make_safe()
        refused = 0
        for fault in simulator.FAULTS:
            # A new life that knows the forecast and nothing of caches and counted calls.
            folder = tmp_path / fault
            (folder / "dut").mkdir(parents=True)
            shutil.copy(tmp_path / "first" / "dut" / "forecast.json", folder / "dut")
            actor, wire = born(kind, settings, folder)
            before = actor.known
            assert covers_now(before, actor), fault
            sim.fault = fault
            wait = await actor.ask_once()
            assert covers_now(actor.known, actor), fault
            if actor.error is not None:
                refused += 1
                assert plain(actor.error), fault
                assert actor.known == before, fault
                assert "the forecast is known until" in actor.error, fault
                assert wait >= 30, fault
            said = b"\n".join(payload for _, _, payload in wire.sent).decode()
            assert not any(secret in said for secret in secrets(settings)), fault
            await actor.make_safe()
            sim.fault = None
    assert refused >= 8


@every_forecast
async def test_every_fault_at_the_first_start_is_a_sentence_or_the_right_power(
    kind: Kind, tmp_path: Path
) -> None:
    simulator: Any = kind.simulator()
    async with simulate(kind) as sim:
        first, _ = born(kind, settings_for(kind, sim), tmp_path / "first")
        await first.ask_once()
        await first.make_safe()
        for fault in simulator.FAULTS:
            # Calls that were counted by the service for the fault before do not matter here.
            async with simulate(kind) as ill:
                actor, _ = born(kind, settings_for(kind, ill), tmp_path / fault)
                ill.fault = fault
                await actor.ask_once()
                if actor.error is not None:
                    assert plain(actor.error), fault
                    if actor.known is None:
                        await actor.make_safe()
                        continue
                if fault != "negative":
                    agree(first.known, actor, fault)
                assert actor.known is not None, fault
                assert all(slot.value >= 0 for slot in actor.known.power), fault
                await actor.make_safe()


@every_forecast
async def test_missing_hours_are_holes_and_not_zero(kind: Kind, tmp_path: Path) -> None:
    async with simulate(kind) as sim:
        for fault in ("missing", "some_nulls"):
            actor, _ = born(kind, settings_for(kind, sim), tmp_path / fault)
            sim.fault = fault
            found = await actor.fetch(actor.clock.utc())
            power = found.power if isinstance(found, Outlook) else found
            # What is left of an evening has nothing after it before the sun rises: that is no hole.
            day = itertools.dropwhile(lambda each: each.value == 0, power)
            gaps = [b.start - a.end for a, b in itertools.pairwise(day) if a.end < b.start]
            assert gaps, fault
            assert set(gaps) == {timedelta(hours=1)}, fault
            await actor.make_safe()


@every_forecast
async def test_running_it_publishes_all_and_a_restart_asks_nothing(
    kind: Kind, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with simulate(kind) as sim:
        settings = settings_for(kind, sim)
        async with running(kind, settings, tmp_path, mosquitto.port) as them:
            await them.until(lambda: newest(them, "Forecasts/dut/PvPower"))
            await them.until(lambda: newest(them, "Forecasts/dut/EnergyRemaining"))
            await them.until(lambda: newest(them, "Forecasts/dut/EnergyTomorrow"))
            await them.until(lambda: newest(them, "Forecasts/dut/Curve"))
            curve = json.loads(newest(them, "Forecasts/dut/Curve") or "")
            assert '"degraded"' not in (newest(them, "Actors/dut/Health") or "")
        assert all(point["start"] < point["end"] for point in curve)
        assert all(a["end"] <= b["start"] for a, b in itertools.pairwise(curve))
        asked = len(sim.requests)
        # The service is gone: the next life shows the same at once.
        await sim.stop()
        async with running(kind, settings, tmp_path, mosquitto.port) as them:
            await them.until(lambda: newest(them, "Actors/dut/Status") == "online")
            await them.until(lambda: newest(them, "Forecasts/dut/PvPower"))
            await them.until(lambda: newest(them, "Forecasts/dut/Curve"))
            again = json.loads(newest(them, "Forecasts/dut/Curve") or "")
            assert again[-1] == curve[-1]
            assert '"degraded"' not in (newest(them, "Actors/dut/Health") or "")
        assert len(sim.requests) == asked
        await sim.start()
