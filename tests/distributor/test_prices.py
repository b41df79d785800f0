"""Prices of a tariff in the live actor: what is bought, what is believed, what is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import msgspec
import pytest

from actors.distributor.actor import DistributorActor, Settings
from bridge.config import ConsumerSettings
from tests.distributor.test_shell import sun
from tests.runtime.virtual import VIRTUAL, Wire, alive, context, hear

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

ALLOWANCE = "Requests/pool/Allowance"
CURVE = "Tariffs/awattar/Curve"
IMPORT, EXPORT = "Tariffs/awattar/ImportPrice", "Tariffs/awattar/ExportPrice"
OPERATIONAL, WARNING = "Actors/dut/Messages/Operational", "Actors/dut/Messages/Warning"
SET = "the price per kWh is 0.3 for import and 0.08 for feeding in, as set"
OURS = "the price per kWh is that of the tariff awattar"


@pytest.fixture
def anyio_backend() -> tuple[str, Any]:
    return VIRTUAL


def distributor(state: Path, **settings: Any) -> DistributorActor:
    """One whose pool of 1000 W is worth 0.2 a kWh: it pays to buy at 0.1 and not at 0.3."""
    given: dict[str, Any] = {"strategy": "value", "tariff": "awattar", "request_ttl": 0} | settings
    made = context(state, "dut", Settings(**given))
    made.config.consumers["pool"] = ConsumerSettings(value_per_kwh=0.2)
    return DistributorActor(made)


def curve(*slots: tuple[str, str, float | None, float | None]) -> bytes:
    """Slots of the day on which virtual time begins, at 12:00."""
    return msgspec.json.encode(
        [
            {
                "start": f"2026-11-21T{start}Z",
                "end": f"2026-11-21T{end}Z",
                "import": bought,
                "export": sold,
            }
            for start, end, bought, sold in slots
        ]
    )


def ask(actor: DistributorActor) -> None:
    for name, value in (("Request", b"1000"), ("Consumption", b"0"), ("IsAutomatic", b"true")):
        hear(actor, f"Requests/pool/{name}", value)


async def live(actor: DistributorActor, wire: Wire, seconds: int, watts: float = 0.0) -> None:
    """The house speaks every second; the pool draws what it may."""
    for _ in range(seconds):
        given = float(wire.last(ALLOWANCE) or 0)
        hear(actor, "Requests/pool/Consumption", b"%d" % given)
        sun(actor, watts - given)
        await anyio.sleep(1)


async def test_a_curve_is_followed_from_slot_to_slot_retained_or_not(tmp_path: Path) -> None:
    wire, actor = Wire(), distributor(tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        told = curve(("11:00:00", "12:05:00", 0.1, 0.05), ("12:05:00", "13:00:00", 0.4, 0.05))
        hear(actor, CURVE, told, retained=True)
        ask(actor)
        await live(actor, wire, 60)
        assert wire.last(ALLOWANCE) == "1000"
        reason = "1000 W of 1000 W are not from the sun: at 0.10 per kWh it is worth buying"
        assert wire.last("Requests/pool/Reason") == reason
        await live(actor, wire, 235)
        assert wire.last(ALLOWANCE) == "1000"
        await live(actor, wire, 20)
        assert wire.last(ALLOWANCE) == "0"
    assert str(wire.last(OPERATIONAL)).endswith(f" {OURS}")
    assert wire.of(WARNING) == []


async def test_a_plain_price_counts_only_live(tmp_path: Path) -> None:
    wire, actor = Wire(), distributor(tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        hear(actor, IMPORT, b"0.1", retained=True)
        ask(actor)
        await live(actor, wire, 20)
        assert wire.last(ALLOWANCE) == "0"
        hear(actor, IMPORT, b"0.1")
        await live(actor, wire, 20)
        assert wire.last(ALLOWANCE) == "1000"
        sentence = f"{OURS}, that for feeding in is 0.08 as set"
        assert str(wire.last(OPERATIONAL)).endswith(sentence)


async def test_a_stale_tariff_is_told_and_the_settings_hold(tmp_path: Path) -> None:
    wire, actor = Wire(), distributor(tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        hear(actor, CURVE, curve(("11:00:00", "12:01:00", 0.1, 0.05)), retained=True)
        ask(actor)
        await live(actor, wire, 58)
        assert wire.last(ALLOWANCE) == "1000"
        assert wire.of(WARNING) == []
        await live(actor, wire, 20)
        assert wire.last(ALLOWANCE) == "0"
        sentence = f"the tariff awattar does not tell a price for now; {SET}"
        assert str(wire.last(WARNING)).endswith(f"Z {sentence}")
        assert str(wire.last(OPERATIONAL)).endswith(f" {SET}")
        assert wire.json("Actors/dut/Health")["error"] == sentence
        hear(actor, CURVE, curve(("12:00:00", "13:00:00", 0.1, 0.05)))
        await live(actor, wire, 20)
        assert wire.last(ALLOWANCE) == "1000"
        assert wire.last(WARNING) == ""
        assert wire.json("Actors/dut/Health")["error"] is None


async def test_a_tariff_has_half_a_minute_to_begin(tmp_path: Path) -> None:
    wire, actor = Wire(), distributor(tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(28)
        assert wire.of(WARNING) == []
        await anyio.sleep(4)
        assert len(wire.of(WARNING)) == 1


async def test_a_curve_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    wire, actor = Wire(), distributor(tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        hear(actor, CURVE, curve(("12:00:00", "12:00:00", 0.1, 0.05)))
        await anyio.sleep(40)
    why = "the slot at 2026-11-21T12:00:00Z ends before it begins"
    sentence = f"the curve of the tariff awattar cannot be used: {why}; {SET}"
    assert str(wire.last(WARNING)).endswith(sentence)


async def test_its_warning_stands_beside_one_about_a_command(tmp_path: Path) -> None:
    wire, actor = Wire(), distributor(tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(40)
        hear(actor, "Site/Pause/Set", b"true", retained=True)
        await anyio.sleep(1)
        told = str(wire.last(WARNING))
        assert SET in told
        assert "Site/Pause/Set was sent with the retain flag" in told
        hear(actor, CURVE, curve(("12:00:00", "13:00:00", 0.1, 0.05)))
        await anyio.sleep(2)
        told = str(wire.last(WARNING))
        assert SET not in told
        assert "retain flag" in told


@pytest.mark.parametrize("strategy", ["surplus", "es_ess"])
async def test_who_does_not_decide_by_money_hears_no_prices(tmp_path: Path, strategy: str) -> None:
    wire, actor = Wire(), distributor(tmp_path, strategy=strategy)
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        hear(actor, CURVE, curve(("12:00:00", "13:00:00", -0.5, -0.5)))
        ask(actor)
        await live(actor, wire, 60)
        assert wire.last(ALLOWANCE) == "0"
    assert wire.of(WARNING) == wire.of(OPERATIONAL) == []


async def test_at_a_negative_import_price_is_bought_and_at_a_negative_export_price_taken(
    tmp_path: Path,
) -> None:
    wire, actor = Wire(), distributor(tmp_path)
    actor.config.consumers["pool"] = ConsumerSettings(value_per_kwh=0.0)
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        told = curve(
            ("12:00:00", "12:05:00", 0.3, 0.08),
            ("12:05:00", "12:10:00", 0.3, -0.05),
            ("12:10:00", "12:15:00", -0.1, -0.05),
        )
        hear(actor, CURVE, told)
        ask(actor)
        await live(actor, wire, 290, 2000.0)  # worth nothing here, but 0.08 in the grid
        assert wire.last(ALLOWANCE) == "0"
        await live(actor, wire, 250, 2000.0)  # who feeds in pays
        assert wire.last(ALLOWANCE) == "1000"
        # The sun goes before the grid pays for taking. What was seen lately is still believed in.
        await live(actor, wire, 200, 0.0)
        assert wire.last(ALLOWANCE) == "1000"
