"""The simulator as pysunspec2 sees it, the SunSpec Alliance's own client."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from actors.devices.sunspec.models import REPEATS, known
from actors.devices.sunspec.profiles import profiles
from actors.devices.sunspec.sim import Simulator
from bridge.simulators.plant import Plant
from tests.support.oracle import ask_oracle, oracle_python

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.simulators.bank import Unit

SCRIPT = Path(__file__).parents[1] / "oracles" / "pysunspec2_check.py"
NESTED = {160: "module", 714: "Prt"}

# The first run installs pysunspec2, which takes longer than a test may.
pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def pysunspec2() -> Path:
    return oracle_python(["pysunspec2==1.3.7"])


def said(unit: Unit, prefix: str, model: int, points: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """(row, what the other client says) for every row that both know."""
    for point, value in points.items():
        if point == NESTED.get(model):
            for index, inner in enumerate(value, 1):
                for name, each in inner.items():
                    yield f"{prefix}{index}_{name}", each
        elif isinstance(value, list):
            for inner in value:
                for name, each in inner.items():
                    yield f"{prefix}{point}_{name}", each
        elif f"{prefix}{point}" in unit.table:
            yield f"{prefix}{point}", value


def agrees(unit: Unit, name: str, theirs: Any) -> bool:
    """True when both read the same out of the words of one row."""
    row, ours = unit.table[name], unit[name]
    if row.enum or row.bits:
        ours = None if ours is None else unit.raw(name)
    if ours is None or theirs is None:
        # A counter at 0 is not accumulated; to the other client it is 0.
        return ours is None and theirs in {None, 0, ""}
    if isinstance(ours, float) or isinstance(theirs, float):
        return math.isclose(float(ours), float(theirs), rel_tol=1e-6, abs_tol=1e-9)
    return bool(ours == (theirs.strip() if isinstance(theirs, str) else theirs))


@pytest.mark.parametrize(
    ("profile", "unit"),
    [(name, unit) for name, profile in profiles().items() for unit in profile.chains],
)
async def test_every_point_is_what_the_other_client_reads(
    pysunspec2: Path, profile: str, unit: int
) -> None:
    plant = Plant(pv=2345.0, load=3456.0, has_battery=profile != "sma")
    async with Simulator(profile=profile, plant=plant, speed=0.0) as sim:
        seen = await ask_oracle(pysunspec2, SCRIPT, sim.host, str(sim.port), str(unit))
        served = sim.bank.units[unit]
        # The other client leaves out what it does not know, as ours does.
        slots = [slot for slot in sim.profile.chains[unit] if known(slot.model)]
        assert seen["base"] == sim.profile.base
        assert [each["model"] for each in seen["models"]] == [slot.model for slot in slots]
        compared = 0
        for slot, model in zip(slots, seen["models"], strict=True):
            prefix = f"{slot.label}m{slot.model}_"
            assert served.table[f"{prefix}ID"].address == model["address"]
            wandering = {f"{prefix}{p}" for p in ("W", "WphA", "WphB", "WphC", "W_SF")}
            for name, theirs in said(served, prefix, slot.model, model["points"]):
                if sim.profile.wanders and name in wandering:
                    continue
                assert agrees(served, name, theirs), f"{name}: {served[name]} is not {theirs}"
                compared += 1
        assert compared > (60 if unit == 200 else 180)
    assert set(NESTED) == set(REPEATS)


async def test_the_plant_follows_what_the_other_client_writes(pysunspec2: Path) -> None:
    async with Simulator(plant=Plant(pv=8000.0)) as sim:
        arguments = [sim.host, str(sim.port), "1", "45.5"]
        await ask_oracle(pysunspec2, SCRIPT, *arguments)
        assert sim.plant.sun == pytest.approx(4550)
        sim.device["m123_WMaxLim_Ena"] = "disabled"
        assert [words for _, _, words in sim.bank.writes]


async def test_scale_factors_that_change_between_two_reads_fit_their_values(
    pysunspec2: Path,
) -> None:
    plant = Plant(pv=1500.0, load=700.0, has_battery=False)
    async with Simulator(profile="solaredge", plant=plant) as sim:
        factors = set()
        for ticks in range(4):
            for _ in range(ticks):
                sim.tick()
            seen = await ask_oracle(pysunspec2, SCRIPT, sim.host, str(sim.port), "1")
            points = seen["models"][1]["points"]
            factors.add(points["W_SF"])
            assert points["W"] == 1500
            assert seen["models"][3]["points"]["W"] == 800
        assert factors == {-1, 0}
