"""Payloads from elsewhere, where there are any: `$HELIOGRAPH_FACTS/payloads/tibber`."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from actors.tariffs.tibber.answer import chosen, read_homes
from actors.tariffs.tibber.decode import read_prices
from bridge.errors import DeviceRefused

FACTS = os.environ.get("HELIOGRAPH_FACTS")
FOLDER = Path(FACTS or "") / "payloads" / "tibber"
pytestmark = pytest.mark.skipif(FACTS is None, reason="HELIOGRAPH_FACTS is not set")
BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 11, 19, 23, tzinfo=UTC)


def payload(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())


@pytest.mark.parametrize(
    ("name", "count", "last", "last_energy"),
    [("price_info_96", 96, None, None), ("price_info_96_tomorrow", 192, 0.2518, 0.0771)],
)
def test_days(name: str, count: int, last: float | None, last_energy: float | None) -> None:
    raw = payload(name)
    home = chosen(read_homes(raw), None)
    found = read_prices(home, "total", BERLIN)
    assert (home.zone, found.currency, found.curve.notes) == ("Europe/Berlin", "EUR", ())
    end = START + count * timedelta(minutes=15)
    assert (len(found.curve), found.curve.start, found.curve.end) == (count, START, end)
    assert found.curve.covers(START, end)
    assert [slot.value for slot in found.curve][:5] == [0.25, 0.2602, 0.259, 0.2517, 0.2551]
    energy = read_prices(home, "energy", BERLIN).curve
    assert [slot.value for slot in energy][:5] == [0.0756, 0.0842, 0.0832, 0.0771, 0.08]
    if last is not None:
        assert (found.curve.slots[-1].value, energy.slots[-1].value) == (last, last_energy)
    info = raw["data"]["viewer"]["homes"][0]["currentSubscription"]["priceInfo"]
    items = [*info["today"], *info["tomorrow"]]
    assert [slot.value for slot in found.curve] == [each["total"] for each in items]
    assert [each.word for each in found.levels] == [each["level"].lower() for each in items]


def test_a_refused_token() -> None:
    with pytest.raises(DeviceRefused, match="refuses the token"):
        read_homes(payload("error_unauthenticated"))
