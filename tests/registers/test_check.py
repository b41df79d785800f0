"""Each fault of a table is found when it is loaded, and said so that its author can mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.contract import load_contract
from bridge.registers import check_folder, load_map
from bridge.registers.check import TableError, contract_faults, remarks
from tests.registers.made_up import row, table

if TYPE_CHECKING:
    from pathlib import Path

CONTRACT = load_contract()
GOOD = row(3, "soc", unit="%", quantity="BatterySoc")
WISH = row(21, "wish", "s16", unit="W", access="RW", range=[-5000, 5000])
MODE = row(22, "mode", enum={0: "auto", 1: "remote"}, access="RW")
STATE = {0: "idle", 1: "making power"}


def told(folder: Path, *rows: dict[str, Any], **more: Any) -> tuple[str, ...]:
    """What is wrong with a table, the contract included, without the file."""
    try:
        return tuple(contract_faults(table(folder, *rows, **more), CONTRACT))
    except TableError as error:
        return tuple(each.partition("yaml: ")[2] for each in error.faults)


def text_fault(folder: Path, text: str) -> str:
    """The one fault of a file with this text."""
    path = folder / "borealis" / "registers.yaml"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TableError) as caught:
        load_map(path)
    (fault,) = caught.value.faults
    return fault


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"scle": 0.1}, "there is no key 'scle'; did you mean 'scale'?"),
        ({"scale": "abc"}, "scale must be a number, not 'abc'"),
        (
            {"scale": "1e-1"},
            "scale must be a number, not '1e-1': YAML takes it for a text, write 0.1",
        ),
        ({"scale": None}, "scale must be a number, not nothing"),
        ({"persistent": "yes"}, "persistent must be true or false, not 'yes'"),
        ({"valid": [1]}, "valid must be two numbers, such as [0, 100], not a list"),
        (
            {"enum": {0: False, 1: True}},
            "enum has a bare true or false: put on, off, yes and no in",
        ),
        ({"enum": {0: 7}}, "enum: 0 must be a text, not '7'"),
        ({"enum": [1]}, "enum must be keys and values, such as {a: b}, not a list"),
        (
            {"poll": "fats"},
            "poll must be one of fast, slow, once, demand, not 'fats'; did you mean 'fast'?",
        ),
        ({"invalid": "nan"}, "invalid must be the raw whole number that means no value, a list"),
        (
            {"invalid": float("nan")},
            "invalid must be the raw whole number that means no value, a li",
        ),
        (
            {"invalid": -1},
            "invalid -1 is no raw number of 16 bits: write it as unsigned, such as 0x",
        ),
        ({"invalid": 0x10000}, "invalid 65536 is no raw number of 16 bits"),
        ({"source": "sheet"}, "source must be a list of texts, not 'sheet'"),
        ({"source": []}, "source must say where the row is from"),
        (
            {"status": "ok"},
            "status must be one of confirmed, single-primary, unconfirmed, disputed",
        ),
        ({"address": 70000}, "address 70000 is not between 0 and 65535"),
        ({"address": -1}, "address -1 is not between 0 and 65535"),
        ({"type": "string", "words": 0}, "words must be 1 or more, not 0"),
        ({"type": "string", "words": 126}, "it has 126 words, and one read has at most 125"),
        ({"mask": 0}, "mask 0 has no bit of its 16"),
        ({"valid": [100, 0]}, "valid has the low end first: [0, 100]"),
        ({"range": [0, 1]}, "range and persistent are for rows that can be written"),
        ({"scale": 0}, "scale and factor must not be 0"),
        ({"short": True}, "short is for a 32-bit value whose two words are apart"),
        ({"bits": {0: "a"}}, "bits is for a row of type bits, not u16"),
        ({"enum": {"5..3": "a"}}, "enum has the low end of a span first, unlike 5..3"),
        ({"name": "value"}, "'value' cannot be a name"),
        ({"name": "battery soc"}, "'battery soc' cannot be a name"),
        ({"type": "hhmm", "unit": "s"}, "it has the unit s and is no number"),
        (
            {"access": "W", "quantity": "BatterySoc"},
            "it cannot be read (access: W), so it gives no",
        ),
        (
            {"quantity": "BatterySco"},
            "there is no quantity 'BatterySco' in topics.yaml; did you mean",
        ),
        (
            {"quantity": "PvEnergy", "unit": "Wh"},
            "PvEnergy is in kWh, the row in Wh: factor must be 0.001 or",
        ),
        (
            {"quantity": "PvPower", "unit": "kW"},
            "PvPower is in W, the row in kW: factor must be 1000 or",
        ),
        (
            {"quantity": "PvPower", "unit": "V"},
            "PvPower is in W, the row in V: W cannot be made of it",
        ),
        ({"quantity": "PvPower", "unit": "watt"}, "the row in watt: units are W, kW"),
        ({"quantity": "InverterState"}, "InverterState is a word: the row needs an enum"),
        (
            {"quantity": "InverterState", "enum": STATE},
            "idle is no word of InverterState: it needs `as`",
        ),
        (
            {"quantity": "InverterState", "enum": STATE, "as": {"idle": "sleepy"}},
            "as: sleepy is no word of InverterState, which has",
        ),
        (
            {"quantity": "InverterState", "enum": STATE, "as": {"idel": "standby"}},
            "as: idel is no word of the row's enum",
        ),
        (
            {"quantity": "PvPower", "enum": STATE},
            "PvPower is a number, which a row of type u16 with",
        ),
    ],
)
def test_a_fault_of_a_row(tmp_path: Path, wrong: dict[str, Any], sentence: str) -> None:
    (fault,) = told(tmp_path, GOOD, {**row(9, "other"), **wrong})
    assert fault.startswith("row 2 (")
    assert sentence in fault


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"set": {"wihs": "value"}}, "there is no row wihs"),
        ({"set": {"wish": "value", "mode": "remot"}}, "there is no row or enum word 'remot'"),
        ({"set": {"wish": "value", "mode": 7}}, "mode has no meaning for 7"),
        ({"set": {"wish": 6000}}, "wish 6000 is not between -5000 and 5000 W"),
        (
            {"set": {"wish": "value"}, "zero": {"wish": 0}},
            "set is for every value, so zero beside it",
        ),
        ({"set": {"wish": "value"}, "max": 6000}, "it offers 6000, but wish 6000 is not between"),
        ({"set": {"wish": "-value"}, "max": 6000}, "it offers 6000, but wish -6000 is not between"),
        ({"negative": {"wish": "value"}, "min": -6000, "max": 9000}, "it offers -6000, but wish"),
        ({"register": "wish", "max": 6000}, "it offers 6000, but wish 6000 is not between"),
        ({"set": {"wish": "value"}, "min": 1, "max": 0}, "min is greater than max"),
        ({"set": {"wish": "value"}, "watchdog": 0}, "watchdog must be 1 s or more"),
        ({"set": {"wish": "value +"}}, "'value +'"),
        (
            {"set": {"wish": "value"}, "wtachdog": 60},
            "there is no key 'wtachdog'; did you mean 'watch",
        ),
        ({"set": {"soc": "value"}}, "soc cannot be written: its access is R"),
        ({}, "nothing says what it writes"),
        (7, "it must be keys and values, not '7'"),
    ],
)
def test_a_fault_of_a_control(tmp_path: Path, entry: Any, sentence: str) -> None:
    (fault,) = told(tmp_path, GOOD, WISH, MODE, controls={"BatterySetpoint": entry})
    assert fault.startswith("control BatterySetpoint: ")
    assert sentence in fault


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (
            {"controls": {"BatterySetpiont": {"set": {"wish": "value"}}}},
            "no control 'BatterySetpiont'",
        ),
        ({"controls": {"MinSoc": {"register": "wish"}}}, "it is in %, and wish in W: it cannot"),
        (
            {"controls": {"EssMode": {"options": {"hlod": {"wish": 0}}}}},
            "hlod is none of its words",
        ),
        ({"controls": {"BatteryMode": {"set": {"wish": 0}}}}, "it takes words: give options"),
        ({"quantities": {"PvPower": "wish + sun"}}, "there is no row or quantity before it 'sun'"),
        (
            {"quantities": {"PvPowr": "wish + 0"}},
            "there is no quantity 'PvPowr' in topics.yaml; did",
        ),
        ({"quantities": {"PvEnergy": "wish + 0"}}, "wish is in W, and PvEnergy in kWh"),
        ({"limits": {"words": 126}}, "limits: words must be between 1 and 125, not 126"),
        ({"limits": {"gap": -1}}, "limits: gap must be between 0 and 125, not -1"),
        ({"limits": {"write": 0}}, "limits: write must be between 1 and 123, not 0"),
        ({"limits": {"word": 60}}, "limits: there is no key 'word'; did you mean 'words'?"),
        ({"pacing": {"between": -1}}, "pacing must not be negative"),
        ({"unit": 300}, "unit must be between 0 and 255, not 300"),
        ({"read": "coils"}, "read must be one of holding, input, not 'coils'"),
        ({"invalid": {"u8": 255}}, "a key of invalid must be"),
    ],
)
def test_a_fault_of_the_map(tmp_path: Path, more: dict[str, Any], sentence: str) -> None:
    (fault,) = told(tmp_path, WISH, **more)
    assert sentence in fault


def test_two_rows_cannot_have_one_word(tmp_path: Path) -> None:
    wide = row(2, "energy", "u32")
    (fault,) = told(tmp_path, wide, row(3, "power"))
    assert fault.startswith("row 2 (power): the word at 3 belongs to row 1 (energy) already")
    fields = [row(3, "low", mask=0x0F), row(3, "high", mask=0xF0), row(3, "whole")]
    assert told(tmp_path, *fields) == ()
    (fault,) = told(tmp_path, row(3, "low", mask=0x0F), row(3, "high", mask=0xF8))
    assert "the word at 3 belongs to row 1 (low)" in fault
    power = {"unit": "W", "quantity": "PvPower"}
    assert told(tmp_path, row(3, "old", **power), row(3, "new", "s16", **power)) == ()


def test_a_word_that_two_codes_have_cannot_be_written(tmp_path: Path) -> None:
    double = row(22, "mode", enum={0: "auto", 1: "off", 2: "off"}, access="RW")
    assert told(tmp_path, double) == ()
    control = {"BatterySetpoint": {"set": {"wish": "value", "mode": "off"}}}
    (fault,) = told(tmp_path, WISH, double, controls=control)
    assert "mode has the word off twice: nobody knows which code to write" in fault


def test_what_stands_twice_is_never_dropped_in_silence(tmp_path: Path) -> None:
    text = "device: x\nregisters: []\ncontrols:\n  MinSoc: {register: a}\n  MinSoc: {register: b}\n"
    assert text_fault(tmp_path, text) == (
        "borealis/registers.yaml: line 5: the key 'MinSoc' stands twice: join the two or rename one"
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("device: x\nregisters:\n  - {address: 1, name: a\n", "line 3: a bracket or brace"),
        ("device: x\nregisters:\n\t- {}\n", "line 3: a tab stands where blanks must"),
        ("[a, b]", "it must be keys and values, not a list"),
        ("", "it must be keys and values, not nothing"),
        ("device: x\nregisters: [7]\n", "row 1 (?): it must be keys and values, not '7'"),
        ("device: x\nregisters: []\n? [a]\n: b\n", "line 3: this is not valid YAML"),
    ],
)
def test_what_is_no_table(tmp_path: Path, text: str, sentence: str) -> None:
    fault = text_fault(tmp_path, text)
    assert fault.startswith("borealis/registers.yaml: ")
    assert sentence in fault


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "borealis"
    (folder / "registers").mkdir(parents=True)
    one = table(folder / "registers", row(1, "a", unit="Wh", quantity="PvEnergy"))
    (folder / "registers" / "bad.yaml").write_text("device: x\nregisters: [{}, {}]\n")
    with pytest.raises(TableError) as caught:
        check_folder(folder, CONTRACT)
    assert len(caught.value.faults) == 9
    assert str(caught.value).startswith("borealis/registers/bad.yaml: row 1 (?): the key 'name'")
    assert str(caught.value).endswith(" (and 8 more)")
    assert f"borealis/registers/{one.name}.yaml: row 1 (a): PvEnergy" in caught.value.faults[-1]


def test_a_wide_row_without_a_range_is_worth_a_remark(tmp_path: Path) -> None:
    wide = row(5, "power", "s32", unit="W", access="RW")
    made = table(tmp_path, wide, controls={"BatterySetpoint": {"register": "power"}})
    assert list(remarks(made, CONTRACT)) == [
        "control BatterySetpoint: power has no range, so any number is written that fits it"
    ]
    bounded = table(
        tmp_path, wide | {"range": [0, 9]}, controls={"BatterySetpoint": {"register": "power"}}
    )
    assert list(remarks(bounded, CONTRACT)) == []
