"""A table with a fault says which file, which row and what; a good one is taken as it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.registers import RegisterMap, find_map, load_map, maps_of
from bridge.registers.check import TableError
from tests.registers.made_up import row, table

if TYPE_CHECKING:
    from pathlib import Path

SETPOINT = row(21, "setpoint", "s16", access="RW")


def test_defaults_say_how_often_a_row_is_read(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        row(1, "power", unit="W", quantity="PvPower"),
        row(2, "energy", unit="kWh", quantity="PvEnergy"),
        row(3, "model", "string", words=2, info="model"),
        row(5, "other"),
        row(6, "told", access="W"),
    )
    assert [each.poll for each in found.registers] == ["fast", "slow", "once", "demand", "demand"]


@pytest.mark.parametrize(
    ("rows", "more", "sentence"),
    [
        ([row(1, "a", "u8")], {}, "row 1 (a): type must be one of u16, s16,"),
        ([{"name": "a"}], {}, "row 1 (a): the key 'type' is missing: one of u16,"),
        ([row(1, "a", colour="red")], {}, "row 1 (a): there is no key 'colour'"),
        ([row(1, "a", "string")], {}, "row 1 (a): it needs `address` (and `words` for a text)"),
        ([row(1, "a", "u32", words=1)], {}, "row 1 (a): u32 has 2 words, not 1"),
        ([row(1, "a", "u32", addresses=[1])], {}, "row 1 (a): u32 has 2 words, not 1"),
        ([row(1, "a", enum={"few": "x"})], {}, "row 1 (a): enum: 'few' is no code"),
        ([row(1, "a"), row(2, "a")], {}, "rows with the same name: a"),
        ([row(1, "a", scale_factor="SF")], {}, "row 1 (a): there is no row SF"),
        (
            [row(1, "a")],
            {"quantities": {"PvPower": "a + b"}},
            "quantity PvPower: there is no row or quantity before it 'b'",
        ),
        ([row(1, "a")], {"controls": {"MinSoc": {"register": "b"}}}, "there is no row b"),
        ([row(1, "a")], {"controls": {"MinSoc": {"register": "a"}}}, "a cannot be written"),
        ([row(1, "a")], {"controls": {"MinSoc": {}}}, "nothing says what it writes"),
        (
            [row(1, "a", access="RW") | {"status": "unconfirmed"}],
            {"controls": {"MinSoc": {"register": "a"}}},
            "control MinSoc: a is not confirmed",
        ),
        (
            [SETPOINT],
            {"controls": {"BatterySetpoint": {"set": {"setpoint": "value / volts"}}}},
            "control BatterySetpoint: there is no row or enum word 'volts'",
        ),
        (
            [row(1, "a")],
            {"limits": {"words": "many"}},
            "limits: words must be a whole number, not 'many'",
        ),
        ([row(1, "a")], {"colour": "red"}, "there is no key 'colour'"),
    ],
)
def test_a_fault_is_one_sentence(
    tmp_path: Path, rows: list[dict[str, Any]], more: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(TableError) as caught:
        table(tmp_path, *rows, **more)
    assert sentence in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path.name}/t0.yaml: ")
    assert "\n" not in str(caught.value)


def test_what_is_no_yaml_is_said(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("device: [")
    with pytest.raises(TableError) as caught:
        load_map(path)
    assert str(caught.value).startswith(
        f"{tmp_path.name}/broken.yaml: line 1: a value is missing here"
    )


def test_maps_are_found_by_name_in_any_spelling(tmp_path: Path) -> None:
    (tmp_path / "registers").mkdir()
    for name in ("sunny_island", "sbs"):
        (tmp_path / "registers" / f"{name}.yaml").write_text("device: x\nregisters: []\n")
    assert list(maps_of(tmp_path)) == ["sbs", "sunny_island"]
    assert find_map(tmp_path, "Sunny-Island").name == "sunny_island"
    with pytest.raises(TableError, match="has several maps: name one; it has sbs, sunny_island"):
        find_map(tmp_path)
    with pytest.raises(TableError, match="has no map 'x'; it has sbs, sunny_island"):
        find_map(tmp_path, "x")


# ------------------------------------------------------------------------------- composing


@pytest.fixture
def module(tmp_path: Path) -> RegisterMap:
    return table(
        tmp_path,
        row(0, "W", "s16", scale_factor="W_SF", quantity="PvString{n}Power", access="RW"),
        row(1, "W_SF", "s16"),
        quantities={"PvPower": "W + 0"},
        controls={"BatterySetpoint": {"set": {"W": "value + W_SF"}, "back": {"W": "original"}}},
    )


def test_a_map_can_be_moved_named_and_numbered(module: RegisterMap) -> None:
    found = module.numbered(3).named("m3_").moved(40).on(7)
    assert [(each.name, each.places, each.station) for each in found.registers] == [
        ("m3_W", (40,), 7),
        ("m3_W_SF", (41,), 7),
    ]
    assert found["m3_W"].scale_factor == "m3_W_SF"
    assert found["m3_W"].quantity == "PvString3Power"
    assert found.quantities == {"PvPower": "m3_W + 0"}
    entry = found.controls["BatterySetpoint"]
    assert (entry.set, entry.back) == ({"m3_W": "value + m3_W_SF"}, {"m3_W": "original"})


def test_joined_maps_have_the_strictest_limits(tmp_path: Path, module: RegisterMap) -> None:
    other = table(tmp_path, row(9, "x"), limits={"words": 20, "gap": 1}, pacing={"between": 0.1})
    found = RegisterMap.join("both", [module, other])
    assert [each.name for each in found.registers] == ["W", "W_SF", "x"]
    assert (found.limits.words, found.limits.gap, found.pacing.between) == (20, 1, 0.1)
    with pytest.raises(ValueError, match="same name"):
        RegisterMap.join("both", [module, module])


def test_rows_and_controls_can_be_left_out(module: RegisterMap) -> None:
    found = module.without("BatterySetpoint", "PvPower")
    assert not found.controls
    assert found.produced == ("PvString{n}Power",)
