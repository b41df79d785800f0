"""The distributor's shell in virtual time: what it publishes of what the core decided."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import msgspec
import pytest

from actors.distributor.actor import DistributorActor, Settings
from bridge.clock import stamp
from tests.runtime.virtual import VIRTUAL, Wire, alive, context, hear

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

ALLOWANCE = "Requests/pool/Allowance"


@pytest.fixture
def anyio_backend() -> tuple[str, Any]:
    return VIRTUAL


def distributor(state: Path) -> DistributorActor:
    return DistributorActor(context(state, "distributor", Settings(strategy="surplus")))


def sun(actor: DistributorActor, watts: float) -> None:
    balance = {"at": "2026-11-21T12:00:00Z", "age": 0, "GridPower": -watts, "PvPower": None}
    rest = {"BatteryPower": None, "BatterySoc": None, "LoadPower": None, "why": None}
    hear(actor, "Site/Balance", msgspec.json.encode(balance | rest))


def ask(actor: DistributorActor, consumer: str = "pool") -> None:
    for name, value in (("Request", b"900"), ("Consumption", b"0"), ("IsAutomatic", b"true")):
        hear(actor, f"Requests/{consumer}/{name}", value)


async def test_what_a_former_run_left_is_not_renewed(tmp_path: Path) -> None:
    """Its age is unknown: saying it again would switch on a consumer that had rightly stopped."""
    wire, actor = Wire(), distributor(tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        hear(actor, ALLOWANCE, b"2000", retained=True)
        await anyio.sleep(29)
        assert wire.of(ALLOWANCE) == []
        assert wire.last("Requests/pool/Reason") == "waiting for the grid meter"
        await anyio.sleep(2)
    assert set(wire.of(ALLOWANCE)) == {b"0"}


async def test_what_a_former_run_left_is_taken_back_by_a_stop(tmp_path: Path) -> None:
    wire, actor = Wire(), distributor(tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        hear(actor, ALLOWANCE, b"2000", retained=True)
        await anyio.sleep(1)
        await actor.safe()
    assert wire.of(ALLOWANCE) == [b"0"]


async def test_who_speaks_again_gets_its_own_at_once(tmp_path: Path) -> None:
    wire, actor = Wire(), distributor(tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        hear(actor, ALLOWANCE, b"900", retained=True)
        sun(actor, 2000)
        ask(actor)
        await anyio.sleep(0.5)
    assert wire.of(ALLOWANCE) == [b"900"]


async def test_who_goes_while_it_draws_is_told_0_first(tmp_path: Path) -> None:
    wire, actor = Wire(), distributor(tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        sun(actor, 2000)
        ask(actor)
        await anyio.sleep(0.5)
        for name in ("Request", "Consumption", "IsAutomatic"):
            hear(actor, f"Requests/pool/{name}", b"")
        await anyio.sleep(0.5)
    assert wire.of(ALLOWANCE) == [b"900", b"0", b""]


async def test_strangers_cannot_invent_more_consumers_than_any_house_has(tmp_path: Path) -> None:
    wire, actor = Wire(), distributor(tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        for number in range(1500):
            hear(actor, f"Requests/c{number}/Allowance", b"5", retained=True)
        await anyio.sleep(0.1)
        known = actor.core.decide(actor.clock.now()).allowances
    assert len(known) == 1000


async def test_a_state_file_of_another_shape_does_not_stop_the_start(tmp_path: Path) -> None:
    folder = tmp_path / "distributor"
    folder.mkdir()
    (folder / "distributor.json").write_text('{"core": 5, "seen": [1]}', encoding="utf-8")
    wire, actor = Wire(), distributor(tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        sun(actor, 2000)
        ask(actor)
        await anyio.sleep(0.5)
    assert wire.of(ALLOWANCE) == [b"900"]


async def test_the_owner_s_newest_word_about_the_pause_counts(tmp_path: Path) -> None:
    wire, actor = Wire(), distributor(tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        hear(actor, "Site/Pause", b"true", retained=True)
        await anyio.sleep(0.01)
        assert wire.last("Site/Pause") == "true"
        hear(actor, "Site/Pause/Set", b"false")
        await anyio.sleep(0.01)
        hear(actor, "Site/Pause", b"true", retained=True)  # as a reconnect may bring it
        await anyio.sleep(0.01)
        assert wire.last("Site/Pause") == "false"
        assert not actor.core.paused


def left_by_a_former_run(actor: DistributorActor) -> None:
    hear(actor, ALLOWANCE, b"0", retained=True)
    hear(actor, "Requests/pool/Reason", b"the distributor is stopping", retained=True)


def seen_before(actor: DistributorActor, state: Path, hours: float) -> None:
    """The state of a run in which `pool` was heard last so many hours ago."""
    moment = stamp(actor.clock.utc() - timedelta(hours=hours))
    folder = state / "distributor"
    folder.mkdir()
    (folder / "distributor.json").write_bytes(msgspec.json.encode({"seen": {"pool": moment}}))


async def test_the_reason_of_a_stop_does_not_outlive_it(tmp_path: Path) -> None:
    wire, actor = Wire(), distributor(tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        left_by_a_former_run(actor)
        await anyio.sleep(0.5)
        assert wire.last("Requests/pool/Reason") == "waiting for a live message from pool"
        assert "pool" in actor.announcer.export()
        sun(actor, 2000)
        ask(actor)
        await anyio.sleep(0.5)
        assert wire.last(ALLOWANCE) == "900"


async def test_who_never_comes_again_is_removed_after_a_day_over_all_runs(tmp_path: Path) -> None:
    wire, actor = Wire(), distributor(tmp_path)
    seen_before(actor, tmp_path, 23)
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        left_by_a_former_run(actor)
        await anyio.sleep(600)
        # Its silence is as old as it was: a restart is no word of it.
        age = actor.clock.utc() - datetime.fromisoformat(actor.announcer.export()["pool"])
        assert age > timedelta(hours=23)
        assert wire.last("Requests/pool/Reason") == "waiting for a live message from pool"
        await anyio.sleep(3600)
        for name in ("Allowance", "Reason", "Grant"):
            assert wire.of(f"Requests/pool/{name}")[-1] == b""


async def test_who_was_gone_for_a_day_is_removed_at_the_start(tmp_path: Path) -> None:
    wire, actor = Wire(), distributor(tmp_path)
    seen_before(actor, tmp_path, 25)
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        left_by_a_former_run(actor)
        await anyio.sleep(2)
        assert wire.of(ALLOWANCE)[-1] == wire.of("Requests/pool/Reason")[-1] == b""
