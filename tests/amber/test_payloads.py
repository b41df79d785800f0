"""Payloads from elsewhere, where there are any: `$HELIOGRAPH_FACTS/payloads/amber`."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from actors.tariffs.amber.curves import export_curve, import_curve
from actors.tariffs.amber.interval import (
    GENERAL,
    interval_at,
    of_channel,
    read_intervals,
    read_renewables,
)
from actors.tariffs.amber.limits import read_limits
from actors.tariffs.amber.site import chosen, read_sites

FACTS = os.environ.get("HELIOGRAPH_FACTS")
FOLDER = Path(FACTS or "") / "payloads" / "amber"
pytestmark = pytest.mark.skipif(FACTS is None, reason="HELIOGRAPH_FACTS is not set")
NOON = datetime(2026, 11, 20, 2, 40, tzinfo=UTC)


def payload(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())


def test_half_hours() -> None:
    found = read_intervals(payload("current_30min"))
    imports = import_curve(found, GENERAL, predicted=True)
    exports = export_curve(found, predicted=True)
    assert exports is not None
    assert [slot.value for slot in imports] == [0.0981, 0.0622, 0.0888, 0.211]
    assert [slot.value for slot in exports] == [-0.0012, -0.021, 0.006, 0.094]
    assert [slot.value for slot in import_curve(found, GENERAL, predicted=False)][2:] == [
        0.0918,
        0.214,
    ]
    assert imports.start == datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
    assert imports.covers(imports.start, datetime(2026, 11, 20, 4, 0, tzinfo=UTC))
    now = interval_at(of_channel(found, GENERAL), NOON)
    assert now is not None
    assert (now.kind, now.estimate, now.spot) == ("current", True, -0.94)


def test_five_minutes() -> None:
    found = read_intervals(payload("current_5min"))
    imports = import_curve(found, GENERAL, predicted=True)
    exports = export_curve(found, predicted=True)
    assert exports is not None
    assert [slot.value for slot in imports] == [0.241, 0.253, 0.277]
    assert [slot.value for slot in exports] == [0.102, 0.11, 0.126]
    assert {slot.length.total_seconds() for slot in imports} == {300}


def test_sites_usage_renewables_and_limits() -> None:
    assert chosen(read_sites(payload("sites")), None).nmi == "3000000001"
    fed = of_channel(read_intervals(payload("usage")), "feedIn")[0]
    assert (fed.kwh, fed.cost, fed.quality, fed.meter) == (-0.93, -7.53, "estimated", "B1")
    shares = [each.renewables for each in read_renewables(payload("renewables_vic"))]
    assert shares == [51.5, 50.5, 49.5]
    found = read_limits(payload("ratelimit_headers"), NOON)
    assert found is not None
    assert (found.limit, found.remaining, found.reset, found.window) == (50, 47, 211, 300)
