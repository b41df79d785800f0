"""Failures, holes and the end of what is known, under virtual time; it is noon in UTC."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.curve import Curve
from bridge.errors import DeviceTimeout
from bridge.tariff import Prices
from tests.runtime.virtual import VIRTUAL
from tests.tariff.service import (
    DOWN,
    HOUR,
    MIDNIGHT,
    NOON,
    down,
    hours,
    living,
    today,
)

if TYPE_CHECKING:
    from pathlib import Path

MINUTE = timedelta(minutes=1)
NOON_STAMP = 1000.0


@pytest.fixture(scope="module", params=[VIRTUAL], ids=["virtual"])
def anyio_backend(request: pytest.FixtureRequest) -> object:
    return request.param


# ------------------------------------------------------------------------------ failure and expiry


async def test_a_service_that_is_down_leaves_what_is_known_until_its_end(tmp_path: Path) -> None:
    async with living(tmp_path) as box:
        before = box.curve()
        box.actor.answer = down()
        await box.until(NOON + HOUR + MINUTE)
        error = box.error()
        assert error == f"{DOWN}; prices are known until 2026-11-22 00:00"
        assert box.value("ImportPrice") == "0.14"
        assert box.curve() == before
        await box.until(MIDNIGHT + 24 * HOUR - MINUTE)
        assert box.value("ImportPrice") == "0.23"
        await box.until(MIDNIGHT + 24 * HOUR)
        assert box.value("ImportPrice") == ""
        assert box.value("Rank") == ""
        assert box.start("1h") == ""
        assert box.wire.last("Tariffs/dut/Curve") == ""
        assert box.error() == f"no price is known any more since 2026-11-22 00:00: {DOWN}"
        box.actor.answer = Prices(today(days=2))
        await box.until(MIDNIGHT + 26 * HOUR)
        assert box.error() is None
        assert box.value("ImportPrice") == "0.02"


async def test_a_service_that_says_nothing_new_is_told_as_well(tmp_path: Path) -> None:
    async with living(tmp_path) as box:
        await box.until(MIDNIGHT + 25 * HOUR)
        error = box.error()
        assert error is not None
        assert error.startswith("no price is known any more since 2026-11-22 00:00: ")


async def test_failures_are_tried_again_with_patience(tmp_path: Path) -> None:
    async with living(tmp_path, answer=down()) as box:
        assert box.value("ImportPrice") == ""
        assert box.error() == DOWN
        await box.until(NOON + 12 * HOUR)
        asked = box.actor.asked
        gaps = [later - sooner for sooner, later in itertools.pairwise(asked)]
        assert timedelta(seconds=55) < gaps[0] < timedelta(seconds=80)
        assert gaps[-1] <= 1.3 * HOUR
        assert len(asked) < 25


async def test_a_wait_that_the_service_asks_for_is_kept(tmp_path: Path) -> None:
    class Spent(DeviceTimeout):
        wait = 5000.0

    async with living(tmp_path, answer=Spent("the budget is spent")) as box:
        await box.until(NOON + timedelta(seconds=4999))
        assert len(box.actor.asked) == 1
        await box.until(NOON + timedelta(seconds=5040))
        assert len(box.actor.asked) == 2


async def test_a_hole_now_is_said_to_be_one(tmp_path: Path) -> None:
    answer = Prices(hours(MIDNIGHT, *([0.1] * 13), None, *([0.1] * 10)))
    async with living(tmp_path, answer=answer) as box:
        assert box.value("ImportPrice") == ""
        assert box.value("Rank") == ""
        error = box.error()
        assert error is not None
        assert "unknown until 2026-11-21 14:00" in error
        await box.until(NOON + HOUR)
        assert box.value("ImportPrice") == "0.1"
        assert box.error() is None


async def test_a_service_without_any_price_is_no_silence(tmp_path: Path) -> None:
    async with living(tmp_path, answer=Prices(Curve())) as box:
        assert box.error() == "the service answers, but has no price for today or later"
        assert box.value("ImportPrice") == ""


async def test_contradictions_are_holes_with_a_warning(tmp_path: Path) -> None:
    twice = Curve.of(
        [*((s.start, s.end, s.value) for s in today()), (NOON, NOON + HOUR, 9.0)],
    )
    async with living(tmp_path, answer=Prices(twice)) as box:
        assert box.value("ImportPrice") == ""
        warning = box.message("Warning")
        assert warning is not None
        assert "contradict themselves" in warning
        box.actor.answer = Prices(today())
        await box.until(NOON + HOUR)
        assert box.message("Warning") == ""


async def test_what_is_no_price_is_left_out_with_a_warning(tmp_path: Path) -> None:
    answer = Prices(hours(NOON, 85.0, 0.2), raw=True)
    async with living(tmp_path, answer=answer, charges=950.0) as box:
        assert box.value("ImportPrice") == ""
        assert "1035 per kWh cannot be right" in (box.message("Warning") or "")


async def test_a_formula_that_gives_no_number_is_a_sentence(tmp_path: Path) -> None:
    async with living(tmp_path, import_formula="1/(tax - tax)") as box:
        error = box.error()
        assert error is not None
        assert "divides by zero" in error
        assert box.value("ImportPrice") == ""


async def test_news_are_merged_and_revised(tmp_path: Path) -> None:
    async with living(tmp_path) as box:
        box.actor.answer = Prices(hours(NOON + HOUR, 0.5, 0.6))
        await box.until(NOON + HOUR)
        assert box.value("ImportPrice") == "0.5"
        curve = box.curve()
        assert curve is not None
        assert [point["import"] for point in curve[12:17]] == [0.12, 0.13, 0.5, 0.6, 0.16]


async def test_provisional_prices_are_asked_for_again_soon(tmp_path: Path) -> None:
    async with living(tmp_path, answer=Prices(today(), final=False), pause=1e5) as box:
        await box.until(NOON + 16 * MINUTE)
        assert len(box.actor.asked) == 2
