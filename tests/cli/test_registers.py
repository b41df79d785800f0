"""`heliograph registers`: a table as people read it, and what raw words mean."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bridge.cli.main import main
from bridge.config.kinds import Kind, KindError
from bridge.registers import load_map
from bridge.registers.explain import explain

if TYPE_CHECKING:
    from pathlib import Path

ROW = "source: [sheet], status: confirmed"
WEST = f"""\
device: Made up inverter, west
unit: 5
invalid: {{u16: 0xFFFF, s16: 0x8000, s32: 0x80000000}}
registers:
  - {{address: 100, name: pv_power, type: u16, unit: W, quantity: PvPower, {ROW}}}
  - {{address: 101, name: battery_power, type: s16, scale: 0.1, unit: W,
     quantity: BatteryPower, factor: -1, {ROW}}}
  - {{address: 102, name: grid_power, type: s32, word_order: little, unit: W, {ROW}}}
  - {{address: 104, name: state, type: u16, enum: {{0: standby, "1..3": starting}}, {ROW}}}
  - {{address: 105, name: relays, type: bits, bits: {{0: inverter_relay, 2: grid_relay}}, {ROW}}}
  - {{address: 106, name: temperature, type: s16, scale: 0.1, offset: -100, unit: °C,
     valid: [-40, 120], {ROW}}}
  - {{address: 107, name: low_bits, type: u16, mask: 0x0003, access: RW, persistent: true, {ROW}}}
  - {{address: 107, name: high_bits, type: u16, mask: 0xFF00, access: RW, {ROW}}}
  - {{addresses: [110, 120], name: load_power, type: s32, word_order: little, short: true,
     unit: W, {ROW}}}
  - {{addresses: [111, 121], name: total, type: u32, word_order: little, scale: 0.1, unit: kWh,
     {ROW}}}
  - {{address: 130, name: volts, type: u16, scale_factor: volts_sf, unit: V,
     quantity: GridVoltageL1, {ROW}}}
  - {{address: 131, name: volts_sf, type: s16, {ROW}}}
  - {{address: 40000, name: model, type: string, words: 4, info: model, {ROW}}}
quantities:
  GridPower: -grid_power
  LoadPower: PvPower + GridPower + BatteryPower
"""
EAST = f"""\
device: Made up inverter, east
unit: 9
registers:
  - {{address: 100, name: pv_power, type: u16, scale: 10, unit: W, quantity: PvPower, {ROW}}}
  - {{address: 900, name: only_here, type: u16, unit: s, status: unconfirmed, source: [one]}}
"""


@pytest.fixture
def kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kind:
    """A kind with two tables."""
    (tmp_path / "registers").mkdir()
    (tmp_path / "registers" / "west_3p.yaml").write_text(WEST, encoding="utf-8")
    (tmp_path / "registers" / "east.yaml").write_text(EAST, encoding="utf-8")
    found = Kind("madeup", "devices", tmp_path, "nowhere.madeup")

    def find(name: str) -> Kind:
        if name != "madeup":
            raise KindError(f"kind '{name}' is not known")
        return found

    monkeypatch.setattr("bridge.config.kinds.find_kind", find)
    return found


Capsys = pytest.CaptureFixture[str]


def decoded(capsys: Capsys, *words: str) -> dict[str, Any]:
    assert main(["registers", "madeup", "decode", *words, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize(
    ("words", "name", "value", "unit"),
    [
        (["100", "1230"], "pv_power", 1230, "W"),
        (["0x64", "0x04CE"], "pv_power", 1230, "W"),
        (["100", "65535"], "pv_power", None, "W"),
        (["101", "0xFFF6"], "battery_power", -1.0, "W"),
        (["102", "0xFB2E", "0xFFFF"], "grid_power", -1234, "W"),
        (["104", "2"], "state", "starting", None),
        (["104", "9"], "state", None, None),
        (["105", "5"], "relays", "inverter_relay grid_relay", None),
        (["106", "1215"], "temperature", 21.5, "°C"),
        (["106", "5000"], "temperature", None, "°C"),
        (["110", "0xFF9C"], "load_power", -100, "W"),
        (["110", "100"], "load_power", 100, "W"),
        (["111", "1234"], "total", 123.4, "kWh"),
        (["121", "1"], "total", None, "kWh"),
        (["102", "5"], "grid_power", None, "W"),
        (["130", "2301", "0xFFFF"], "volts", 230.1, "V"),
        (["130", "2301"], "volts", None, "V"),
        (["130", "2301", "0x8000"], "volts", None, "V"),
        (["40000", "0x4142", "0x4300", "0", "0"], "model", "ABC", None),
    ],
)
def test_words_mean_what_the_table_says(
    kind: Kind, capsys: Capsys, words: list[str], name: str, value: object, unit: str | None
) -> None:
    found = decoded(capsys, *words, "--map", "West-3P")
    assert (found["name"], found["value"], found["unit"]) == (name, value, unit)
    half = words[0] in {"110", "111"}
    assert (found["why"] is None) == (value is not None and not half)


def test_the_quantity_has_our_sign(kind: Kind, capsys: Capsys) -> None:
    found = decoded(capsys, "101", "10000", "--map", "west_3p")
    assert (found["value"], found["quantity"]) == (1000.0, "BatteryPower")
    assert (found["quantity_value"], found["quantity_unit"]) == (-1000.0, "W")


def test_several_rows_and_what_follows_from_them(kind: Kind, capsys: Capsys) -> None:
    found = decoded(capsys, "100", "3000", "10000", "500", "0", "--map", "west_3p")
    assert [row["name"] for row in found["rows"]] == ["pv_power", "battery_power", "grid_power"]
    assert found["computed"] == {
        "GridPower": {"value": -500, "unit": "W"},
        "LoadPower": {"value": 1500.0, "unit": "W"},
    }
    assert decoded(capsys, "100", "3000", "0", "--map", "west_3p")["computed"] == {}


def test_fields_of_one_word_are_all_shown(kind: Kind, capsys: Capsys) -> None:
    rows = decoded(capsys, "107", "0x1203", "--map", "west_3p")["rows"]
    assert [(row["name"], row["value"]) for row in rows] == [("low_bits", 3), ("high_bits", 0x12)]


def test_words_of_no_row_are_named(kind: Kind, capsys: Capsys) -> None:
    found = decoded(capsys, "107", "0", "0", "0", "5")
    assert found["unknown_addresses"] == [108, 109]
    assert found["map"] == "west_3p"


def test_a_missing_high_word_is_said(kind: Kind) -> None:
    table = load_map(kind.folder / "registers" / "west_3p.yaml")
    (meaning,) = explain(table, 111, [1234]).meanings
    assert meaning.why == "the high word at 121 is not among the words and is taken as 0"
    (meaning,) = explain(table, 121, [1]).meanings
    assert meaning.why == "it needs the word at 111 too"
    (meaning,) = explain(table, 130, [2301]).meanings
    assert meaning.why == "its scale factor volts_sf at 131 is not among the words"
    whole = explain(table, 110, [0x8000, 1, *[0] * 8, 1, 1]).meanings
    assert {each.row.name: each.value for each in whole} == {"load_power": 0x18000, "total": 6553.7}


def test_the_unit_id_chooses_between_maps(kind: Kind, capsys: Capsys) -> None:
    assert decoded(capsys, "100", "7", "--unit", "9")["value"] == 70
    assert decoded(capsys, "100", "7", "--unit", "5")["value"] == 7
    assert decoded(capsys, "900", "7", "--unit", "6")["map"] == "east", "the only one that has it"


def test_options_may_stand_anywhere(kind: Kind, capsys: Capsys) -> None:
    words = ["registers", "--json", "madeup", "--map=east", "decode", "--unit", "1", "100", "7"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["value"] == 70


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("nokind", "kind 'nokind' is not known"),
        ("madeup --map south", "has no map 'south'; it has east, west_3p"),
        ("madeup decode 100 1", "100 is in several maps of madeup: --map east, west_3p"),
        ("madeup decode 500 1", "no map of madeup has anything at 500; it has east, west_3p"),
        ("madeup decode 500 1 --map east", "map east of madeup has nothing at 500"),
        ("madeup decode 100", "decode needs an ADDRESS and at least one WORD"),
        ("madeup encode 100 1", "after the kind comes nothing or decode, not encode"),
        ("madeup decode 100 65536", "word 65536 is too large: it is at most 65535 (0xFFFF)"),
        ("madeup decode 100 0x", "word 0x is no number: write it like 1230 or 0x04CE"),
        ("madeup decode 100 12z", "word 12z is no number"),
        ("madeup decode 100 -5", "word -5 is no number"),
        ("madeup decode 100 \u0661", "word \u0661 is no number"),
        ("madeup decode 70000 1", "address 70000 is too large"),
        ("madeup decode 65535 1 2", "2 words from 65535 on do not end before address 65536"),
        ("madeup decode 100 1 --unit x", "unit x is no number"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    kind: Kind, capsys: Capsys, words: str, sentence: str
) -> None:
    assert main(["registers", *words.split()]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert sentence in err
    assert err.count("\n") == 1


def test_a_kind_without_registers_says_so(capsys: Capsys) -> None:
    assert main(["registers", "shelly"]) == 2
    assert capsys.readouterr().err == "shelly is not made of registers\n"


def test_the_table_shows_every_row(kind: Kind, capsys: Capsys) -> None:
    assert main(["registers", "madeup"]) == 0
    out = capsys.readouterr().out
    lines = {line.split()[1]: line for line in out.splitlines() if line[:1].isdigit()}
    assert len([line for line in out.splitlines() if line[:1].isdigit()]) == 15
    for part in ("101", "s16", "0.1", "W", "confirmed", "BatteryPower = -1 * value", "fast"):
        assert part in lines["battery_power"]
    assert lines["load_power"].startswith("120+110")
    assert "10^volts_sf" in lines["volts"]
    assert "0.1 -100" in lines["temperature"]
    assert "RW (flash)" in lines["low_bits"]
    assert "GridPower = -grid_power" in out


def test_the_table_as_json(kind: Kind, capsys: Capsys) -> None:
    assert main(["registers", "madeup", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["maps"]) == {"west_3p", "east"}
    west = found["maps"]["west_3p"]
    rows = {row["name"]: row for row in west["registers"]}
    assert west["unit"] == 5
    assert rows["load_power"]["addresses"] == [120, 110]
    assert rows["state"]["enum"] == {"0": "standby", "1..3": "starting"}
    assert rows["battery_power"]["factor"] == -1


CONTROLS = f"""\
device: Made up inverter, south
unit: 3
read: input
write: single
word_order: little
limits: {{words: 40, gap: 4}}
pacing: {{between: 0.05, after_connect: 1}}
registers:
  - {{address: 1, name: energy, type: u32, unit: kWh, quantity: PvEnergy, {ROW}}}
  - {{address: 20, name: mode, type: u16, enum: {{0: auto, 1: remote}}, access: RW, {ROW}}}
  - {{address: 21, name: setpoint, type: s16, unit: W, range: [-5000, 5000], access: RW, {ROW}}}
  - {{address: 22, name: floor, type: u16, scale: 10, unit: "%", access: RW, {ROW}}}
controls:
  BatterySetpoint:
    min: -5000
    max: 5000
    watchdog: 60
    set: {{setpoint: -value, mode: remote}}
    back: {{mode: auto, setpoint: 0}}
  GridSetpoint: {{register: setpoint}}
  MinSoc: {{register: floor, min: 10}}
  ExportLimit: {{register: setpoint, max: 4000}}
  MaxChargePower: {{register: power}}
"""


def test_the_table_says_how_it_is_read_and_what_can_be_set(kind: Kind, capsys: Capsys) -> None:
    power = f"  - {{address: 30, name: power, type: u16, unit: W, access: RW, {ROW}}}\ncontrols:"
    path = kind.folder / "registers" / "south.yaml"
    path.write_text(CONTROLS.replace("controls:", power), encoding="utf-8")
    assert main(["registers", "madeup", "--map", "south"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == (
        "unit 3; input registers (function 4); low word first; at most 40 words in a read, over "
        "gaps of up to 4; 0.05 s between requests; 1 s after connecting; written with function 6, "
        "at most 123 words"
    )
    assert lines[lines.index("can be set:") + 1 :] == [
        "  BatterySetpoint:",
        "    -5000 to 5000 W",
        "    setpoint = -value, mode = remote",
        "    given back: mode = auto, setpoint = 0",
        "    forgotten after 60 s, written every 30 s",
        "  GridSetpoint: -5000 to 5000 W; writes setpoint; given back: what was there before",
        "  MinSoc: 10 to 100 %; writes floor",
        "  ExportLimit: -5000 to 4000 W; writes setpoint",
        "  MaxChargePower: writes power",
        "note: control MaxChargePower: power has no range, so any number is written that fits it",
    ]


def test_everything_that_is_wrong_with_a_table_is_told(kind: Kind, capsys: Capsys) -> None:
    path = kind.folder / "registers" / "east.yaml"
    wrong = EAST.replace("scale: 10", "scle: 10").replace("type: u16, unit: s", "unit: s")
    path.write_text(wrong, encoding="utf-8")
    for words in ([], ["decode", "100", "7"]):
        assert main(["registers", "madeup", *words]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert [line.partition("/registers/")[2] for line in err.splitlines()] == [
            "east.yaml: row 1 (pv_power): there is no key 'scle'; did you mean 'scale'?",
            (
                "east.yaml: row 2 (only_here): the key 'type' is missing: one of u16, s16, u32, "
                "s32, u64, s64, f32, f64, hhmm, datetime, bits, string, raw"
            ),
        ]


def test_a_table_that_the_contract_does_not_know_is_told(kind: Kind, capsys: Capsys) -> None:
    path = kind.folder / "registers" / "east.yaml"
    path.write_text(EAST.replace("unit: W", "unit: kW"), encoding="utf-8")
    assert main(["registers", "madeup"]) == 2
    assert "PvPower is in W, the row in kW: factor must be 1000 or -1000" in capsys.readouterr().err


def test_a_unit_of_another_map_is_refused(kind: Kind, capsys: Capsys) -> None:
    assert main(["registers", kind.name, "decode", "900", "7", "--unit", "5"]) == 2
    assert capsys.readouterr().err == (
        "unit 5 of madeup is west_3p, which has nothing at 900; east has\n"
    )
    for unit in ("9", "77"):
        assert decoded(capsys, "900", "7", "--unit", unit)["name"] == "only_here"
