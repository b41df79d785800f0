"""The tables: models of one layout agree, and offsets are those of the published models."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from actors.devices.sunspec.chain import Place
from actors.devices.sunspec.models import FOLDER, INVERTERS, METERS, model_at
from bridge.registers import RegisterMap, load_map, maps_of
from bridge.registers.codec import decode

TABLES = {
    name: load_map(path) for name, path in maps_of(Path(FOLDER).parent).items() if name.isdigit()
}


def nameless(table: RegisterMap) -> list[object]:
    """The rows without the model's number in their names."""
    mark = f"m{table.name}_"

    def bare(text: str | None) -> str | None:
        return text and text.removeprefix(mark)

    return [
        asdict(replace(row, name=bare(row.name) or "", scale_factor=bare(row.scale_factor)))
        for row in table.registers
    ]


def test_there_is_a_table_for_every_model_that_is_promised() -> None:
    promised = {1, 120, 121, 122, 123, 124, 160, 701, 702, 704, 713, 714, 802} | INVERTERS | METERS
    assert {int(name) for name in TABLES} == promised


@pytest.mark.parametrize(
    "family",
    [("101", "102", "103"), ("111", "112", "113"), ("202", "203", "204"), ("212", "213", "214")],
)
def test_models_of_one_layout_agree(family: tuple[str, ...]) -> None:
    first, *others = (nameless(TABLES[name]) for name in family)
    for other in others:
        assert other == first


@pytest.mark.parametrize("name", TABLES)
def test_rows_stand_side_by_side_and_are_named_after_their_model(name: str) -> None:
    table = TABLES[name]
    assert all(row.name.startswith(f"m{name}_") for row in table.registers)
    places = sorted({place for row in table.registers for place in row.places})
    missing = set(range(places[-1] + 1)) - set(places)
    # Pads keep a few models even.
    assert len(missing) <= 1
    scaled = [row for row in table.registers if row.scale_factor]
    assert all(table[row.scale_factor or ""].type == "s16" for row in scaled)


def test_values_are_scaled_and_sentinels_are_unknown() -> None:
    table = TABLES["103"]
    words = {
        14: 0xFF16,
        15: 1,
        16: 4998,
        17: 0xFFFE,
        33: 0xFFC9,
        37: 0xFFFF,
        24: 0,
        25: 0,
        2: 0xFFFF,
    }

    def value(point: str, power: int | None) -> object:
        return decode(table[f"m103_{point}"], words, power)

    assert value("W", 1) == -2340
    assert value("W", None) is None
    assert value("Hz", -2) == 49.98
    assert value("TmpCab", -1) == -5.5
    assert value("WH", 0) is None
    assert value("A", -2) is None


def test_a_shorter_model_lacks_its_last_points_and_what_they_scale() -> None:
    whole = model_at(Place(103, 40070, 50)).table
    short = model_at(Place(103, 40070, 30)).table
    assert "m103_W" in short
    assert "m103_DCW_SF" in whole
    assert "m103_DCW_SF" not in short
    assert "m103_DCW" not in short
    assert max(max(row.places) for row in short.registers) < 40070 + 32


def test_repeated_blocks_are_numbered() -> None:
    table = model_at(Place(160, 100, 8 + 3 * 20)).table
    assert table["m160_1_DCW"].places == (121,)
    assert table["m160_3_DCW"].places == (161,)
    assert table["m160_3_DCWH"].places == (162, 163)
    assert table["m160_3_DCW"].scale_factor == "m160_DCW_SF"
    assert "m160_4_DCW" not in table
    ports = model_at(Place(714, 0, 18 + 2 * 25)).table
    assert ports["m714_2_DCW"].places == (57,)


def test_what_no_source_confirms_is_marked() -> None:
    doubtful = {row.name for table in TABLES.values() for row in table.registers if not row.trusted}
    assert {"m802_W", "m802_A"} <= doubtful
    extras = load_map(FOLDER / "solaredge.yaml")
    settable = [row for row in extras.registers if row.access != "R"]
    assert settable
    assert not any(row.trusted for row in settable)
    # The low word stands first.
    assert extras["battery1_power"].places == (0xE175, 0xE174)
