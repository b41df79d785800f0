"""Payloads as people publish them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from actors.tariffs.mqtt_tariff.forms import Curves, curves
from bridge.curve.document import Reading
from bridge.errors import CurveError

START = datetime(2026, 11, 20, 23, tzinfo=UTC)
A, B, C = "2026-11-21T00:00:00+01:00", "2026-11-21T01:00:00+01:00", "2026-11-21T02:00:00+01:00"


def read(document: Any, **given: Any) -> Curves:
    return curves(json.dumps(document).encode(), **{"zone": "Europe/Berlin", **given})


FORMS: list[Any] = [
    [{"start": A, "end": B, "import": 0.2, "export": None}, {"start": B, "end": C, "import": -0.1}],
    [{"start": A, "end": B, "value": 0.2}, {"start": B, "end": C, "value": "-0.1"}],
    [{"start": B, "end": C, "price": -0.1}, {"start": A, "end": B, "price": 0.2}],
    {
        "raw_today": [{"start": A, "end": B, "value": 0.2}, {"start": B, "end": C, "value": -0.1}],
        "raw_tomorrow": [],
    },
    {
        "attributes": {
            "data": [
                {"start_time": A, "end_time": B, "price_per_kwh": 0.2},
                {"start_time": B, "end_time": C, "price_per_kwh": -0.1},
            ]
        }
    },
    [
        {"start_time": A, "end_time": B, "price_ct_per_kwh": 20},
        {"start_time": B, "end_time": C, "price_ct_per_kwh": -10},
    ],
    {"today": [{"startsAt": A, "total": 0.2}], "tomorrow": [{"startsAt": B, "total": -0.1}]},
    [
        {"start": "2026-11-21T00:00:00", "end": "2026-11-21T01:00:00", "value": 0.2},
        {"start": "2026-11-21T01:00:00", "end": "2026-11-21T02:00:00", "value": -0.1},
    ],
    [{"time": 1795215600, "price": 0.2}, {"time": 1795219200, "price": -0.1}],
    [{"timestamp": 1795215600000, "price": 0.2}, {"timestamp": 1795219200000, "price": -0.1}],
]


@pytest.mark.parametrize("document", FORMS, ids=lambda form: json.dumps(form)[:40])
def test_every_form_says_the_same(document: Any) -> None:
    found = read(document)
    assert [(slot.start, round(slot.value, 9)) for slot in found.imports] == [
        (START, 0.2),
        (START.replace(day=21, hour=0), -0.1),
    ]
    assert found.imports.end == START.replace(day=21, hour=1)
    assert found.exports is None


def test_our_own_form_has_both_curves() -> None:
    found = read([{"start": A, "end": B, "import": 0.3, "export": 0.08}])
    assert found.imports.at(START) == 0.3
    assert found.exports is not None
    assert found.exports.at(START) == 0.08


def test_a_unit_and_a_reading_of_ones_own() -> None:
    found = read([{"start": A, "end": B, "value": 80}], unit="EUR/MWh")
    assert found.imports.at(START) == pytest.approx(0.08)
    assert found.currency == "EUR"
    form = Reading(start="t", value="p", time="unix", unit="SEK/MWh")
    found = read({"t": [1795215600, 1795219200], "p": [500, None]}, form=form)
    assert [slot.value for slot in found.imports] == [0.5]
    assert found.currency == "SEK"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff",
        b"{",
        b"12",
        b"[]",
        b"{}",
        b'"text"',
        b"[1, 2]",
        b'[{"a": 1}]',
        b'[{"start": "soon", "value": 1}]',
        b'[{"start": null, "value": 1}]',
        b'[{"start": "2026-11-21T00:00:00Z", "end": "2026-11-21T01:00:00Z", "value": "cheap"}]',
        b"[" * 100_000,
        b'[{"start": 1e300, "value": 1}]',
        b" " * 600_000,
    ],
    ids=lambda payload: repr(payload[:30]),
)
def test_what_is_none_is_refused_with_a_sentence(payload: bytes) -> None:
    with pytest.raises(CurveError) as caught:
        curves(payload, zone=None)
    assert 5 < len(str(caught.value)) < 200
