"""What the owner writes: read by the configuration, refused with a sentence."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from bridge.tariff import Charge, TariffSettings


def settings(**given: Any) -> TariffSettings:
    return msgspec.convert(given, TariffSettings)


def faults(**given: Any) -> dict[str, str]:
    return dict(settings(**given).check())


def test_defaults_change_nothing() -> None:
    found = settings()
    assert faults() == {}
    assert found.rules().imports is not None
    assert settings(timezone="Europe/Berlin").zone() == ZoneInfo("Europe/Berlin")


def test_charges_are_a_number_or_a_list() -> None:
    assert settings(charges=0.2).charges == 0.2
    found = settings(charges=[{"price": 0.1}, {"price": 0.2, "hours": "7-9", "days": "Mon-Fri"}])
    assert found.charges == (Charge(price=0.1), Charge(price=0.2, hours="7-9", days="Mon-Fri"))


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"timezone": "Berlin"}, "timezone", "is not known"),
        ({"import_formula": "spot + 1"}, "import_formula", "'spot' is not known"),
        ({"export_formula": "__import__('os')"}, "export_formula", "not allowed"),
        ({"export": 0.1, "export_formula": "price"}, "export", "leave it out"),
        ({"charges": [{"price": 1, "hours": "7-25"}]}, "charges[0].hours", "no clock shows"),
        ({"charges": [{"price": 1}, {"price": 1, "days": "Mo"}]}, "charges[1].days", "not known"),
    ],
)
def test_what_cannot_be_used_is_a_sentence(given: dict, field: str, words: str) -> None:
    found = faults(**given)
    assert list(found) == [field]
    assert words in found[field]


@pytest.mark.parametrize(
    "given",
    [
        {"currency": "eur"},
        {"currency": "€"},
        {"tax": -1},
        {"charges": "much"},
        {"charges": 5000},
        {"charges": [{"hours": "7-9"}]},
        {"charge": 1},
    ],
)
def test_wrong_types_are_refused(given: dict) -> None:
    with pytest.raises(msgspec.ValidationError):
        settings(**given)


def test_the_configuration_reads_both_forms_of_charges() -> None:
    from pathlib import Path

    from bridge.config import load_text

    text = """
    actors:
      one: {kind: fixed_tariff, price: 0.3, charges: 0.05}
      two:
        kind: fixed_tariff
        price: 0.3
        timezone: Europe/Berlin
        charges:
          - {price: 0.1}
          - {price: 0.02, hours: "22:00-06:00", months: Nov-Mar}
    """
    found = load_text(text, Path("house.yaml"))
    assert found.actors["one"].settings.charges == 0.05
    assert found.actors["two"].settings.charges[1].hours == "22:00-06:00"
