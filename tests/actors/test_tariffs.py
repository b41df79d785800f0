"""What every tariff kind must keep to, whoever wrote it: found by folder, none is named here.

Each is asked against its simulator over real HTTP; its later life (expiry, ranks, restarts) is the
base's and tested in tests/tariff.
"""

from __future__ import annotations

import itertools
import json
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bridge.config.kinds import all_kinds
from bridge.contract import load_contract
from bridge.tariff import Tariff, TariffSettings
from tests.actors.kinds import last as newest
from tests.actors.kinds import make, running, settings_for
from tests.runtime.virtual import Wire

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.config.kinds import Kind
    from bridge.curve import Curve
    from tests.support.mosquitto import Mosquitto

TARIFFS = tuple(name for name, kind in all_kinds().items() if kind.role == "tariffs")
ASKING = tuple(name for name in TARIFFS if (all_kinds()[name].folder / "sim.py").is_file())
CONTRACT = load_contract()
# So far into the future an answer may reach, and so long its prices are, at most.
FARTHEST = timedelta(days=15)
every_tariff = pytest.mark.parametrize("kind", TARIFFS, indirect=True)
every_asking_tariff = pytest.mark.parametrize("kind", ASKING, indirect=True)


def is_tariff(kind: Kind) -> bool:
    """A kind of that folder may be something else, such as the carbon of the grid."""
    return issubclass(kind.load(), Tariff)


def plain(text: str) -> bool:
    """One line that says something, and shows nothing of the program's insides."""
    insides = ("Traceback", "Error(", "object at 0x", "<class", "NoneType")
    return 10 < len(text) < 500 and text.isprintable() and not any(w in text for w in insides)


def simulate(kind: Kind) -> Any:
    simulator: Any = kind.simulator()
    return simulator.Simulator(host="127.0.0.1", port=0)


def born(kind: Kind, settings: Any, folder: Path) -> tuple[Tariff, Wire]:
    """An actor that publishes to a wire and does not run."""
    actor = make(kind, settings, folder)
    assert isinstance(actor, Tariff)
    wire = Wire()
    wire.attach(actor)
    return actor, wire


async def close(actor: Tariff) -> None:
    """What every stop calls."""
    await actor.make_safe()


def secrets(settings: Any) -> list[str]:
    """The texts that must never be shown."""
    values = [getattr(settings, name) for name in settings.__struct_fields__]
    return [each.reveal() for each in values if hasattr(each, "reveal") and each.reveal()]


def covers_now(known: Curve | None, actor: Tariff) -> bool:
    return known is not None and known.at(actor.clock.utc()) is not None


def agree(truth: Curve | None, actor: Tariff, fault: str) -> None:
    """Fail where a fault has put in another price; forecasts may be revised.

    So are those to come, and while the service calls it no final one, that of now.
    """
    assert truth is not None
    known: Any = actor._known
    now = actor.clock.utc()
    for slot in actor.known or ():
        if slot.start > now or (slot.end > now and not known.final):
            break
        wanted = truth.at(slot.start)
        assert wanted is None or slot.value == wanted, f"{fault}: another price at {slot.start}"


# -------------------------------------------------------------------------------- what is declared


@every_tariff
def test_it_has_the_settings_of_all_tariffs(kind: Kind) -> None:
    if not is_tariff(kind):
        return
    assert issubclass(kind.settings(), TariffSettings)
    assert set(Tariff.writes) <= set(kind.load().writes)


@every_asking_tariff
def test_it_can_be_pointed_at_a_simulator_and_the_simulator_has_faults(kind: Kind) -> None:
    if not is_tariff(kind):
        return
    simulator: Any = kind.simulator()
    assert {"url"} <= set(kind.settings().__struct_fields__)
    assert len(simulator.FAULTS) >= 3


# ----------------------------------------------------------------------------------- it is asked


@every_asking_tariff
async def test_it_takes_prices_from_its_simulator(kind: Kind, tmp_path: Path) -> None:
    if not is_tariff(kind):
        return
    async with simulate(kind) as sim:
        actor, _ = born(kind, settings_for(kind, sim), tmp_path)
        wait = await actor.ask_once()
        assert actor.error is None
        assert covers_now(actor.known, actor)
        assert actor.known is not None
        assert actor.known.end is not None
        assert actor.known.end < actor.clock.utc() + FARTHEST
        assert 1 <= wait <= 86400
        await close(actor)


@every_asking_tariff
async def test_every_fault_is_a_sentence_or_mended_and_what_is_known_stays(
    kind: Kind, tmp_path: Path
) -> None:
    if not is_tariff(kind):
        return
    simulator: Any = kind.simulator()
    async with simulate(kind) as sim:
        settings = settings_for(kind, sim)
        first, _ = born(kind, settings, tmp_path / "first")
        await first.ask_once()
        await close(first)
        refused = 0
        for fault in simulator.FAULTS:
            # A new life that knows the prices and nothing of caches and counted calls.
            folder = tmp_path / fault
            (folder / "dut").mkdir(parents=True)
            shutil.copy(tmp_path / "first" / "dut" / "prices.json", folder / "dut" / "prices.json")
            actor, wire = born(kind, settings, folder)
            before = actor.known
            assert covers_now(before, actor), fault
            sim.fault = fault
            wait = await actor.ask_once()
            assert covers_now(actor.known, actor), fault
            agree(before, actor, fault)
            if actor.error is not None:
                refused += 1
                assert plain(actor.error), fault
                assert actor.known == before, fault
                assert "prices are known until" in actor.error, fault
                assert wait >= 30, fault
            assert wait >= 1, fault
            said = b"\n".join(payload for _, _, payload in wire.sent).decode()
            for secret in secrets(settings):
                assert secret not in said, fault
            await close(actor)
            sim.fault = None
    assert refused >= 3


@every_asking_tariff
async def test_every_fault_at_the_first_start_is_a_sentence_or_the_right_price(
    kind: Kind, tmp_path: Path
) -> None:
    if not is_tariff(kind):
        return
    simulator: Any = kind.simulator()
    async with simulate(kind) as sim:
        first, _ = born(kind, settings_for(kind, sim), tmp_path / "first")
        await first.ask_once()
        await close(first)
        for fault in simulator.FAULTS:
            actor, _ = born(kind, settings_for(kind, sim), tmp_path / fault)
            sim.fault = fault
            await actor.ask_once()
            if actor.error is not None:
                assert plain(actor.error), fault
                assert not covers_now(actor.known, actor), fault
            else:
                agree(first.known, actor, fault)
            await close(actor)
            sim.fault = None


@every_asking_tariff
async def test_a_stopped_simulator_is_a_sentence_and_it_comes_back(
    kind: Kind, tmp_path: Path
) -> None:
    if not is_tariff(kind):
        return
    async with simulate(kind) as sim:
        settings = settings_for(kind, sim)
        await sim.stop()
        gone, _ = born(kind, settings, tmp_path / "gone")
        await gone.ask_once()
        assert gone.error is not None
        assert plain(gone.error)
        await close(gone)
        await sim.start()
        back, _ = born(kind, settings, tmp_path / "back")
        await back.ask_once()
        assert back.error is None
        await close(back)


# ----------------------------------------------------------------------------------- running


@every_asking_tariff
async def test_running_it_publishes_all_and_a_restart_asks_nothing(
    kind: Kind, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    if not is_tariff(kind):
        return
    async with simulate(kind) as sim:
        settings = settings_for(kind, sim)
        async with running(kind, settings, tmp_path, mosquitto.port) as them:
            await them.until(lambda: newest(them, "Tariffs/dut/ImportPrice"))
            await them.until(lambda: newest(them, "Tariffs/dut/Curve"))
            await them.until(lambda: newest(them, "Tariffs/dut/Cheapest/1h/Start"))
            curve = json.loads(newest(them, "Tariffs/dut/Curve") or "")
            assert '"degraded"' not in (newest(them, "Actors/dut/Health") or "")
        assert all(point["start"] < point["end"] for point in curve)
        assert all(a["end"] <= b["start"] for a, b in itertools.pairwise(curve))
        # The service is gone: the next life shows the same at once.
        await sim.stop()
        async with running(kind, settings, tmp_path, mosquitto.port) as them:
            await them.until(lambda: newest(them, "Actors/dut/Status") == "online")
            await them.until(lambda: newest(them, "Tariffs/dut/ImportPrice"))
            again = json.loads(newest(them, "Tariffs/dut/Curve") or "")
            assert again[-1] == curve[-1]
            assert '"degraded"' not in (newest(them, "Actors/dut/Health") or "")
        await sim.start()
