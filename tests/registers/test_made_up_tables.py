"""A made-up table: what the loader refuses, and words in every order, worked out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from bridge.registers.check import TableError
from bridge.registers.codec import decode
from bridge.registers.load import load_map

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.registers.model import RegisterMap

GOOD = {
    "device": "A made-up inverter",
    "registers": [
        {
            "address": 100,
            "name": "power",
            "type": "s16",
            "unit": "W",
            "quantity": "PvPower",
            "source": ["sheet"],
            "status": "confirmed",
        },
        {
            "address": 200,
            "name": "wish",
            "type": "s16",
            "unit": "W",
            "access": "RW",
            "range": [-5000, 5000],
            "source": ["sheet"],
            "status": "confirmed",
        },
    ],
    "controls": {"BatterySetpoint": {"set": {"wish": "value"}, "back": {"wish": 0}}},
}


def load(tmp_path: Path, **changed: Any) -> RegisterMap:
    path = tmp_path / "registers.yaml"
    content: dict[str, Any] = yaml.safe_load(yaml.safe_dump(GOOD))
    content["registers"][1] |= changed.pop("wish", {})
    content["registers"][0] |= changed.pop("power", {})
    path.write_text(yaml.safe_dump(content | changed), encoding="utf-8")
    load_map.cache_clear()
    return load_map(path)


def test_a_good_table_is_taken(tmp_path: Path) -> None:
    found = load(tmp_path)
    assert found.produced == ("PvPower",)
    assert found["wish"].range == (-5000, 5000)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"wish": {"status": "unconfirmed"}}, "wish is not confirmed"),
        ({"wish": {"status": "disputed"}}, "wish is not confirmed"),
        ({"wish": {"access": "R"}}, "range and persistent are for rows that can be written"),
        ({"wish": {"name": "power"}}, "same name"),
        ({"wish": {"type": "u17"}}, "u17"),
        ({"wish": {"status": "rumour"}}, "status must be one of confirmed, single-primary"),
        ({"wish": {"sauce": 1}}, "sauce"),
        ({"power": {"scale_factor": "W_SF"}}, "W_SF"),
        ({"quantities": {"GridPower": "power - export"}}, "export"),
        ({"controls": {"BatterySetpoint": {"set": {"hope": "value"}}}}, "hope"),
        ({"controls": {"BatterySetpoint": {"set": {"wish": "value * gain"}}}}, "gain"),
        ({"controls": {"BatterySetpoint": {}}}, "nothing says what it writes"),
        ({"registers": [{"name": "power"}]}, "row 1"),
    ],
)
def test_a_fault_in_a_table_is_one_sentence(
    changed: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(TableError) as caught:
        load(tmp_path, **changed)
    text = str(caught.value)
    assert text.startswith(f"{tmp_path.name}/registers.yaml: ")
    assert sentence in text
    assert "\n" not in text
    assert len(text) < 300


# -------------------------------------------------------------- word order, worked out by hand


@pytest.mark.parametrize(
    ("row", "words", "value"),
    [
        ({"type": "s32"}, {100: 0xFFFF, 101: 0xFA24}, -1500),
        ({"type": "s32", "word_order": "little"}, {100: 0xFA24, 101: 0xFFFF}, -1500),
        ({"type": "u64"}, {100: 0, 101: 1, 102: 0, 103: 1000}, 4294968296),
        ({"type": "u64", "word_order": "little"}, {100: 1000, 101: 0, 102: 1, 103: 0}, 4294968296),
        (
            {"address": None, "addresses": [625, 690], "type": "s32", "word_order": "little"},
            {625: 0xFF38, 690: 0xFFFF},
            -200,
        ),
        (
            {"address": None, "addresses": [690, 625], "type": "u32"},
            {690: 0x0001, 625: 0x0002},
            65538,
        ),
        ({"type": "f32"}, {100: 0x4148, 101: 0x0000}, 12.5),
        ({"type": "f32", "word_order": "little"}, {100: 0x0000, 101: 0x4148}, 12.5),
        ({"type": "s16", "scale": 0.1}, {100: 0xFFF1}, -1.5),
        ({"type": "u16", "scale": 0.1, "offset": -100}, {100: 1215}, 21.5),
        ({"type": "u16", "mask": 0x0030}, {100: 0x00EF}, 2),
        ({"type": "s16", "mask": 0x00F0}, {100: 0x00E0}, -2),
        ({"type": "s16", "factor": -1, "absolute": True}, {100: 0xFFFF}, 1),
        ({"type": "s16", "valid": [0, 100]}, {100: 0xFFFF}, None),
    ],
)
def test_words_in_every_order(
    row: dict[str, Any], words: dict[int, int], value: float | None, tmp_path: Path
) -> None:
    content = GOOD["registers"][0] | row  # type: ignore[index]
    content = {key: each for key, each in content.items() if each is not None}
    found = load(tmp_path, registers=[content], controls={})["power"]
    assert decode(found, words) == value
