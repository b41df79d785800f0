"""Currencies, restarts and what a tariff remembers, under virtual time; it is noon in UTC."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import msgspec
import pytest

from bridge.tariff import Prices
from tests.runtime.virtual import VIRTUAL
from tests.tariff.service import (
    HOUR,
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


# --------------------------------------------------------------------------------------- currency


async def test_another_currency_is_refused_and_what_is_known_stays(tmp_path: Path) -> None:
    async with living(tmp_path, answer=Prices(today(), currency="EUR")) as box:
        box.actor.answer = Prices(hours(NOON, *[5.0] * 5), currency="SEK")
        await box.until(NOON + HOUR)
        error = box.error()
        assert error is not None
        assert "in SEK and not in EUR" in error
        assert "currency: SEK" in error
        assert box.value("ImportPrice") == "0.14"


async def test_the_configured_currency_is_meant(tmp_path: Path) -> None:
    answer = Prices(today(), currency="EUR")
    async with living(tmp_path, answer=answer, currency="SEK") as box:
        assert "in EUR and not in SEK" in (box.error() or "")
        assert box.value("ImportPrice") == ""


async def test_the_currency_is_the_services_unless_it_names_none(tmp_path: Path) -> None:
    async with living(tmp_path / "a", answer=Prices(today(), currency="NOK")) as box:
        assert box.actor.currency == "NOK"
    async with living(tmp_path / "b") as box:
        assert box.actor.currency == "EUR"


# ---------------------------------------------------------------------------------------- restart


async def test_a_restart_publishes_at_once_and_asks_nothing(tmp_path: Path) -> None:
    async with living(tmp_path, answer=Prices(today(), currency="NOK")) as box:
        curve = box.curve()
        await box.until(NOON + MINUTE)
    async with living(tmp_path, answer=down()) as box:
        # (The virtual clock goes on from where the first life ended.)
        assert box.value("ImportPrice") == "0.13"
        assert box.curve() == curve
        assert box.actor.currency == "NOK"
        assert box.actor.asked == []
        assert len(box.wire.of("Tariffs/dut/ImportPrice")) == 1
        assert box.error() is None
        await box.until(NOON + HOUR + MINUTE)
        assert len(box.actor.asked) >= 1


async def test_a_restart_with_other_rules_uses_the_same_prices(tmp_path: Path) -> None:
    async with living(tmp_path):
        pass
    async with living(tmp_path, answer=down(), charges=1.0) as box:
        assert box.value("ImportPrice") == "1.13"
        assert box.actor.asked == []


async def test_a_restart_with_another_source_forgets(tmp_path: Path) -> None:
    async with living(tmp_path):
        pass
    async with living(tmp_path, answer=down(), timezone="Europe/London") as box:
        assert len(box.actor.asked) == 1
        assert box.value("ImportPrice") == ""


async def test_a_restart_in_another_currency_forgets(tmp_path: Path) -> None:
    async with living(tmp_path, answer=Prices(today(), currency="EUR")):
        pass
    async with living(tmp_path, answer=down(), currency="GBP") as box:
        assert box.value("ImportPrice") == ""


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "{}",
        '{"source": "x"}',
        None,
        "1e999",
    ],
)
async def test_a_broken_file_is_no_obstacle(tmp_path: Path, content: str | None) -> None:
    async with living(tmp_path):
        pass
    path = tmp_path / "dut" / "prices.json"
    assert path.is_file()
    if content is None:
        found = msgspec.json.decode(path.read_bytes())
        found["imports"] = [[0, 1e300, 5]]
        content = json.dumps(found)
    path.write_text(content)
    async with living(tmp_path) as box:
        assert len(box.actor.asked) == 1
        assert box.value("ImportPrice") == "0.13"


async def test_no_secret_is_in_the_file(tmp_path: Path) -> None:
    from bridge.config.secret import Secret
    from bridge.tariff.store import source_of

    one, other = ({"token": Secret(text), "zone": "DE"} for text in ("abc", "xyz"))
    assert source_of("k", one) == source_of("k", other)
    assert source_of("k", one) != source_of("k", {**one, "zone": "AT"})
    assert source_of("k", one) != source_of("l", one)


async def test_a_kind_that_is_told_instead_of_asking(tmp_path: Path) -> None:
    async with living(tmp_path, pause=1e6) as box:
        assert await box.actor.took(Prices(hours(NOON, 0.77)))
        await anyio.sleep(0.01)
        assert box.value("ImportPrice") == "0.77"
        await box.actor.failed("what came on home/prices is no curve.")
        await anyio.sleep(0.01)
        assert (box.error() or "").startswith("what came on home/prices is no curve; prices are")
