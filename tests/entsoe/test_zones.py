"""Bidding zones: the table, the check character, and what is taken for a name."""

from __future__ import annotations

from typing import Any

import pytest

from actors.tariffs.entsoe.settings import Settings
from actors.tariffs.entsoe.zones import ZONES, checked, code_of, name_of
from bridge.config.secret import Secret


@pytest.mark.parametrize(("name", "code"), ZONES.items())
def test_every_code_of_the_table_is_right(name: str, code: str) -> None:
    assert checked(code)
    assert code_of(name) == code_of(name.lower().replace("-", "_")) == code_of(code) == code
    assert name_of(code) == name


def test_codes_are_those_of_one_zone_each() -> None:
    assert len(set(ZONES.values())) == len(ZONES)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("de", "10Y1001A1001A82H"),
        ("DE_LU", "10Y1001A1001A82H"),
        ("se 3", "10Y1001A1001A46L"),
        ("IT-NORD", "10Y1001A1001A73I"),
        ("10y1001a1001a59c", "10Y1001A1001A59C"),
        ("10Y1001A1001A82J", None),
        ("10Y1001A1001A28H", None),
        ("Mars", None),
        ("", None),
    ],
)
def test_names_and_codes(text: str, code: str | None) -> None:
    assert code_of(text) == code


@pytest.mark.parametrize(
    ("given", "field", "word"),
    [
        ({}, None, ""),
        ({"area": "SE5"}, "zone", "'SE5' is not known"),
        ({"area": "10Y1001A1001A82J"}, "zone", "is not known"),
        ({"token": Secret("")}, "token", "one word"),
        ({"url": "http://web-api.tp.entsoe.eu/api"}, "url", "https"),
        ({"url": "https://web-api.tp.entsoe.eu/api?securityToken=x"}, "url", "address"),
    ],
)
def test_settings(given: dict[str, Any], field: str | None, word: str) -> None:
    found = Settings(**{"token": Secret("t"), "area": "DE-LU", **given})
    faults = list(found.check())
    assert [name for name, _ in faults] == ([] if field is None else [field])
    assert all(word in sentence for _, sentence in faults)
