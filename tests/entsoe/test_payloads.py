"""Payloads from elsewhere, where there are any: `$HELIOGRAPH_FACTS/payloads/entsoe`."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from actors.tariffs.entsoe.curves import read_prices
from actors.tariffs.entsoe.decode import read_series
from actors.tariffs.entsoe.document import parse

FACTS = os.environ.get("HELIOGRAPH_FACTS")
FOLDER = Path(FACTS or "") / "payloads" / "entsoe"
pytestmark = pytest.mark.skipif(FACTS is None, reason="HELIOGRAPH_FACTS is not set")
CODE = "10Y1001A1001A82H"


def test_a_day() -> None:
    body = (FOLDER / "de_lu_a01_96.xml").read_bytes()
    found = read_prices(read_series(parse(body)), CODE, "EUR", ZoneInfo("Europe/Berlin"))
    start, end = (datetime(2026, 11, day, 23, tzinfo=UTC) for day in (19, 20))
    assert (len(found.curve), found.curve.start, found.curve.end) == (96, start, end)
    assert found.curve.covers(start, end)
    assert (found.final, found.curve.notes) == (True, ())
    values = [slot.value for slot in found.curve]
    assert values[:4] == [0.07561, 0.08417, 0.08317, 0.07706]
    assert values[-4:] == [0.08441, 0.08445, 0.08498, 0.08308]
    written = re.findall(rb"<price.amount>([^<]*)<", body)
    assert [round(value * 1000, 5) for value in values] == [float(each) for each in written]


def test_no_data() -> None:
    assert read_series(parse((FOLDER / "ack_no_data.xml").read_bytes())) == []
