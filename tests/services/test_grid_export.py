"""grid_charge weighs what feeding in pays: by hand, and what must always hold."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.services.grid_charge.actor import GridCharge, Settings
from actors.services.grid_charge.planning import Plan, Step, best, play, steps_of
from actors.services.grid_charge.profile import Profile
from tests.runtime.virtual import VIRTUAL, Wire, alive, context, hear

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
FREE = Plan(power=9000, capacity=10_000, efficiency=1.0, wear=0.0, soc_min=10, soc_max=60)


def day(night: float, paid: float) -> list[Step]:
    """A night of an hour, 3 kWh in the morning, 9 kWh of sun for 9 kWh of room, an evening."""
    rows = [(night, 0.0), (0.30, 3000.0), (0.30, -9000.0), (0.30, 9000.0)]
    return [Step(1.0, price, need, paid) for price, need in rows]


def bought(night: float, paid: float) -> float:
    found = best(FREE, day(night, paid), 10.0)
    assert found is not None
    return found.bought


def test_sun_that_is_driven_out_counts_at_the_export_price() -> None:
    # 3 kWh are used in the morning; each one more drives a kWh of sun out into the grid.
    assert bought(0.10, 0.0) == pytest.approx(3.0)
    assert bought(0.10, 0.05) == pytest.approx(3.0), "sold for less than it costs"
    assert bought(0.10, 0.15) == pytest.approx(5.0), "sold for more than it costs"


def test_a_negative_export_price_leaves_room_for_the_sun() -> None:
    assert bought(-0.02, 0.0) == pytest.approx(5.0), "one is paid for taking it"
    assert bought(-0.02, -0.01) == pytest.approx(5.0)
    assert bought(-0.02, -0.15) == pytest.approx(3.0), "but the sun that is driven out costs more"
    cost, _, _ = play(FREE, day(-0.02, -0.15), 10.0, -0.02, 60.0)
    # 5 kWh at -0.02, then 2 of 9 kWh of sun fed in at -0.15, nothing else from the grid.
    assert cost == pytest.approx(5 * -0.02 + 2 * 0.15)


def test_only_sun_without_room_is_fed_in() -> None:
    plan = Plan(power=5000, capacity=10_000, efficiency=0.81)
    cost, _, _ = play(plan, [Step(1.0, 0.3, -3000.0, 0.10)], 95.0, -math.inf, 0.0)
    # 500 Wh of room take 500 / 0.9.
    assert cost == pytest.approx(-0.10 * (3.0 - 0.5 / 0.9))


def test_a_price_below_zero_is_taken_with_no_need_in_sight() -> None:
    found = best(FREE, [Step(1.0, -0.05, 0.0)], 10.0)
    assert found is not None
    assert found.gain == pytest.approx(5 * 0.05)
    assert best(FREE, [Step(1.0, 0.0, 0.0)], 10.0) is None
    slight = Plan(power=9000, capacity=10_000, min_gain=0.06)
    assert best(slight, [Step(1.0, -0.05, 0.0)], 10.0) is None


def test_the_curve_of_exports_meets_its_hours() -> None:
    hours = [NOON + timedelta(hours=n) for n in range(4)]
    prices = tuple((at, at + timedelta(hours=1), 0.2) for at in hours[:3])
    exports = ((hours[0], hours[1], 0.08), (hours[2], hours[3], -0.30))
    steps = steps_of(prices, None, Profile(1.0), NOON, exports)
    assert [each.export for each in steps] == [0.08, 0.0, -0.30], "what is not told is nothing"


def test_power_at_the_meter_leaves_the_battery_the_rest() -> None:
    meter = Plan(power=3000, capacity=10_000, max_import=2500, at_meter=True)
    own = Plan(power=3000, capacity=10_000, max_import=2500)
    assert (meter.power_for(1000), meter.power_for(-500), meter.power_for(4000)) == (1500, 2500, 0)
    assert (own.power_for(1000), own.power_for(-500), own.power_for(4000)) == (1500, 2500, 0)
    assert Plan(power=3000, capacity=1, at_meter=True).power_for(1000) == 2000
    assert Plan(power=3000, capacity=1).power_for(1000) == 3000


finite = st.floats(-1.0, 1.0)
days = st.lists(st.tuples(finite, st.floats(-9000, 9000), finite), min_size=1, max_size=8)


@settings(deadline=None)
@given(rows=days, soc=st.floats(0, 100), eta=st.floats(0.3, 1.0), meter=st.booleans())
def test_the_best_is_better_than_nothing_and_what_is_paid_adds_up(
    rows: list[tuple[float, float, float]], soc: float, eta: float, meter: bool
) -> None:
    plan = Plan(power=3000, capacity=8000, efficiency=eta, max_import=5000, at_meter=meter)
    steps = [Step(1.0, *row) for row in rows]
    found = best(plan, steps, soc)
    nothing, _, _ = play(plan, steps, soc, -math.inf, 0.0)
    if found is not None:
        assert found.gain > 0
        assert found.target <= max(plan.soc_max, min(soc, plan.soc_max))
        cost, kilowatthours, _ = play(plan, steps, soc, found.price, found.target)
        assert (nothing - cost, kilowatthours) == pytest.approx((found.gain, found.bought))
    # A battery with no room and nothing in it: all is bought or fed in.
    shut = Plan(power=3000, capacity=1e-6, efficiency=eta, wear=0.0)
    cost, _, _ = play(shut, steps, 100.0, -math.inf, 0.0)
    plain = sum((p if need > 0 else x) * need / 1000 for p, need, x in rows)
    assert cost == pytest.approx(plain, abs=1e-3)


# ---------------------------------------------------------------------------------- the shell


@pytest.fixture
def anyio_backend() -> Any:
    return VIRTUAL


async def test_the_shell_hears_what_feeding_in_pays(tmp_path: Path) -> None:
    wanted = Settings(
        battery="ess", tariff="dyn", power=3000, capacity=9000, control="GridSetpoint"
    )
    actor, wire = GridCharge(context(tmp_path, "night", wanted)), Wire()
    slot: dict[str, Any] = {"start": "2026-11-21T12:00:00Z", "end": "2026-11-21T13:00:00Z"}
    async with alive(actor, wire):
        await anyio.sleep(1)
        for paid, told in ((-0.05, 1), (None, 0)):
            curve = [slot | {"import": 0.2, "export": paid}]
            hear(actor, "Tariffs/dyn/Curve", json.dumps(curve).encode(), retained=True)
            await anyio.sleep(2)
            inputs = actor.inputs()
            assert inputs.prices is not None
            assert [row[2] for row in inputs.exports] == [-0.05][:told]
        hear(actor, "Tariffs/dyn/Curve", b"", retained=True)
        await anyio.sleep(2)
        assert (actor.inputs().prices, actor.inputs().exports) == (None, ())
    assert wanted.plan.at_meter
    assert not Settings(battery="ess", tariff="dyn", power=1, capacity=1).plan.at_meter
