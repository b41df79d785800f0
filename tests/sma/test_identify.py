"""Which SMA inverter it is: from its codes, from what it has values for, or not at all."""

from __future__ import annotations

import pytest

from actors.devices.sma import identify
from actors.devices.sma.actor import Sma

MAPS = {name: Sma.map(name) for name in identify.FAMILIES}


@pytest.mark.parametrize(
    ("device_class", "device_type", "family"),
    [
        (8007, 9334, "sunny_island"),  # 8.0H-12
        (None, 9224, "sunny_island"),  # 8.0H-11, whose class is not told
        (8007, 9476, "sunny_island"),  # 8.0H-13
        (8007, 9326, "sbs"),
        (8007, 9359, "sbs"),
        (8001, 9348, "stp"),
        (8001, 12345, "stp"),  # a PV inverter that nobody listed
        (8007, 12345, None),  # a battery inverter that nobody listed
        (8009, 19051, None),  # a hybrid
        (8128, 9343, None),  # a Sunny Home Manager
        (None, None, None),
    ],
)
def test_codes(device_class: int | None, device_type: int | None, family: str | None) -> None:
    assert identify.by_code(device_class, device_type, MAPS) == family


def test_no_type_belongs_to_two_families() -> None:
    codes = [code for table in MAPS.values() for code in table["device_type"].enum]
    assert len(codes) == len(set(codes))


def test_enum_codes_without_information() -> None:
    assert identify.code([0x0000, 0x1F47]) == 8007
    assert identify.code([0x00FF, 0xFFFD]) is None
    assert identify.code([0xFFFF, 0xFFFF]) is None
    assert identify.code([0x0000, 0x0000]) == 0


@pytest.mark.parametrize(
    ("device_class", "present", "family"),
    [
        (8007, {30595, 30845}, "sunny_island"),
        (8007, {30997, 30999}, "sunny_island"),
        (8007, {31391, 30845}, "sbs"),
        (8007, {30595, 31391}, None),
        (8007, set(), None),
        (None, {30773}, "stp"),
        (None, {30773, 30845}, None),  # strings and a state of charge: a hybrid
        (None, {31391, 30845}, "sbs"),
        (None, {31391, 30773, 30845}, "sbs"),
        (8128, {30773}, None),
        (8009, {30773, 31391}, None),
    ],
)
def test_probing(device_class: int | None, present: set[int], family: str | None) -> None:
    families = identify.candidates(device_class)
    assert identify.by_probe(families, present.__contains__) == family


def test_what_is_probed_is_in_no_other_sheet() -> None:
    for name, addresses in identify.PROBES.items():
        for other, table in MAPS.items():
            places = {place for row in table.registers for place in row.places}
            assert (other == name) == (set(addresses) <= places)
            assert other == name or not places & set(addresses)


@pytest.mark.parametrize(
    ("words", "there"),
    [
        ([0xFFFF, 0xFFFF], False),
        ([0x8000, 0x0000], False),
        ([0x00FF, 0xFFFD], False),
        ([0x0000, 0x0000], True),
        ([0xFFFF, 0xFF9C], True),
    ],
)
def test_a_value_is_told_from_none(words: list[int], there: bool) -> None:
    assert identify.has_value(words) is there


def test_the_table_of_units() -> None:
    assert identify.unit_of([0xB38C, 0x414E, 346, 7]) == 7
    assert identify.unit_of([0xB38C, 0x414E, 346, 0xFFFF]) is None
    assert identify.unit_of([0xB38C, 0x414E, 346, 2]) is None


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (0x02104104, "2.10.65.R"),
        (0x03100A04, "3.10.10.R"),
        (0x01052303, "1.05.35.B"),
        (0x01000000, "1.00.00.N"),
        (0x01000009, "1.00.00.9"),
        (None, None),
    ],
)
def test_firmware(raw: int | None, text: str | None) -> None:
    assert identify.firmware(raw) == text
