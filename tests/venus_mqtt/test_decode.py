"""Payloads and values of a GX, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.venus.venus_mqtt.decode import Found, Gone, Reader, number, parse, rival

# What a three-phase ESS shows: the grid delivers 300 W, the sun 2400 W, the battery takes 1500 W.
HOUSE: dict[str, Any] = {
    "system/0/Ac/Grid/L1/Power": 500.0,
    "system/0/Ac/Grid/L2/Power": -300.0,
    "system/0/Ac/Grid/L3/Power": 100.0,
    "system/0/Ac/Grid/NumberOfPhases": 3.0,
    "system/0/Ac/Genset/L1/Power": Gone.NULL,
    "system/0/Ac/PvOnGrid/L1/Power": 400.0,
    "system/0/Ac/PvOnOutput/L1/Power": 200.0,
    "system/0/Ac/PvOnOutput/L2/Power": 300.0,
    "system/0/Ac/PvOnGenset/L1/Power": Gone.NULL,
    "system/0/Ac/Consumption/L1/Power": 900.0,
    "system/0/Ac/Consumption/L2/Power": 200.0,
    "system/0/Ac/Consumption/L3/Power": 50.0,
    "system/0/Ac/ActiveIn/Source": 1.0,
    "system/0/Dc/Pv/Power": 1500.0,
    "system/0/Dc/System/Power": 50.0,
    "system/0/Dc/Battery/Power": 1500.0,
    "system/0/Dc/Battery/Current": 28.8,
    "system/0/Dc/Battery/Voltage": 52.1,
    "system/0/Dc/Battery/Soc": 61.0,
    "system/0/Dc/Battery/State": 1.0,
    "system/0/Dc/Battery/TimeToGo": Gone.NULL,
    "system/0/Control/ActiveSocLimit": 20.0,
}


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        (b'{"value":5}', 5.0),
        (b'{"value": 5.0}', 5.0),
        (b'{"max":1,"min":0,"value":1}', 1.0),
        (b'{"value":20.43000030517578}', 20.43000030517578),
        (b'{"value":"ESS"}', "ESS"),
        (b'{"value":true}', True),
        (b'{"value":null}', Gone.NULL),
        (b'{"value":[]}', Gone.NULL),
        (b'{"value":[1,2]}', [1, 2]),
        (b"", Gone.DEVICE),
        (b"1", Gone.GARBLED),
        (b"nonsense", Gone.GARBLED),
        (b"\xff\xfe", Gone.GARBLED),
        (b'{"other":1}', Gone.GARBLED),
        (b'{"value":1' + b" " * 70_000 + b"}", Gone.GARBLED),
        (b"[" * 100_000, Gone.GARBLED),
        (b'{"value":' + b"9" * 400 + b"}", Gone.GARBLED),
        (b'{"value":1e999}', Gone.GARBLED),
        (b'{"value":NaN}', Gone.GARBLED),
    ],
)
def test_a_payload(payload: bytes, found: Found) -> None:
    assert parse(payload) == found


@given(st.binary(max_size=200))
def test_no_payload_is_too_strange(payload: bytes) -> None:
    number(parse(payload))


def test_a_house_by_hand() -> None:
    found = Reader().reading(HOUSE)
    assert found["GridPower"] == 300
    assert [found[f"GridPowerL{n}"] for n in (1, 2, 3)] == [500, -300, 100]
    assert found["PvPower"] == 400 + 200 + 300 + 1500
    assert [found[f"PvPowerL{n}"] for n in (1, 2, 3)] == [600, 300, None]
    assert (found["PvOnGridPower"], found["PvOnOutputPower"]) == (400, 500)
    assert (found["PvOnGeneratorPower"], found["PvDcPower"]) == (None, 1500)
    # A GX counts charging as positive, we do not.
    assert (found["BatteryPower"], found["BatteryCurrent"]) == (-1500, -28.8)
    assert (found["BatterySoc"], found["BatteryVoltage"]) == (61, 52.1)
    assert (found["BatteryState"], found["BatteryTimeToGo"]) == ("charging", None)
    assert (found["LoadPower"], found["ActiveMinSoc"]) == (1200, 20)
    assert (found["AcInputSource"], found["GeneratorPower"]) == ("grid", None)
    total = 300 + 2400 - 1500
    assert total == found["LoadPower"]


def test_a_phase_that_never_was_is_not_there() -> None:
    one = {path: each for path, each in HOUSE.items() if "/L2/" not in path and "/L3/" not in path}
    one["system/0/Ac/Grid/NumberOfPhases"] = 1.0
    found = Reader().reading(one)
    assert (found["GridPower"], found["GridPowerL2"]) == (500, None)


@pytest.mark.parametrize("family", ["Grid", "Consumption"])
def test_a_phase_that_is_lost_makes_the_sum_unknown(family: str) -> None:
    reader = Reader()
    reader.reading(HOUSE)
    # The GX counts only phases with a value, so its own number does not tell.
    now = HOUSE | {f"system/0/Ac/{family}/L2/Power": Gone.NULL}
    now["system/0/Ac/Grid/NumberOfPhases"] = 2.0
    found = reader.reading(now)
    word = "GridPower" if family == "Grid" else "LoadPower"
    assert (found[word], found[f"{word}L2"]) == (None, None)
    assert found[f"{word}L1"] is not None
    assert reader.lost == [f"{family.lower()} phase L2"]
    assert reader.reading(HOUSE)[word] is not None
    assert reader.lost == []


def test_fewer_phases_than_the_gx_counts_are_no_sum() -> None:
    """As after a connection, while the values come one after the other."""
    some = {path: each for path, each in HOUSE.items() if path != "system/0/Ac/Grid/L3/Power"}
    assert Reader().reading(some)["GridPower"] is None


def test_a_meter_that_was_taken_off_the_gx_is_not_lost() -> None:
    reader = Reader()
    reader.reading(HOUSE)
    gone = {f"system/0/Ac/Grid/L{n}/Power": Gone.DEVICE for n in (2, 3)}
    one = HOUSE | gone | {"system/0/Ac/Grid/NumberOfPhases": 1.0}
    assert reader.reading(one)["GridPower"] == 500
    assert reader.lost == []


def test_a_grid_that_is_lost_is_unknown_and_nothing_else_is() -> None:
    null = {f"system/0/Ac/Grid/L{n}/Power": Gone.NULL for n in (1, 2, 3)}
    found = Reader().reading(HOUSE | null | {"system/0/Ac/ActiveIn/Source": 240.0})
    assert (found["GridPower"], found["AcInputSource"]) == (None, "disconnected")
    assert (found["PvPower"], found["BatteryPower"]) == (2400, -1500)


def test_a_generator_counts_as_import() -> None:
    null = {f"system/0/Ac/Grid/L{n}/Power": Gone.NULL for n in (1, 2, 3)}
    power = {"system/0/Ac/Genset/L1/Power": 2000.0, "system/0/Ac/ActiveIn/Source": 2.0}
    found = Reader().reading(HOUSE | null | power)
    assert (found["GridPower"], found["GridPowerL1"], found["GeneratorPower"]) == (2000, 2000, 2000)
    assert found["AcInputSource"] == "generator"


def test_nothing_heard_is_nothing_known() -> None:
    assert set(Reader().reading({}).values()) == {None}


def test_a_text_is_no_number() -> None:
    found = Reader().reading(
        HOUSE | {"system/0/Dc/Battery/Soc": "61", "system/0/Dc/Pv/Power": True}
    )
    assert (found["BatterySoc"], found["PvDcPower"]) == (None, None)


@pytest.mark.parametrize(
    ("path", "unknown"),
    [
        ("system/0/Ac/Grid/L2/Power", "GridPower"),
        ("system/0/Ac/Consumption/L3/Power", "LoadPower"),
        ("system/0/Dc/System/Power", "LoadPower"),
        ("system/0/Ac/PvOnOutput/L2/Power", "PvPower"),
        ("system/0/Dc/Pv/Power", "PvPower"),
    ],
)
@pytest.mark.parametrize("rubbish", ["300", True, Gone.GARBLED])
def test_a_sum_with_something_that_is_no_number_is_unknown(
    path: str, unknown: str, rubbish: Found
) -> None:
    reader = Reader()
    # Not even where the GX does not say how many phases there are.
    heard = {each: value for each, value in HOUSE.items() if "NumberOfPhases" not in each}
    found = reader.reading(heard | {path: rubbish})
    assert found[unknown] is None
    assert reader.odd == [path]
    assert reader.reading(heard)[unknown] is not None
    assert reader.odd == []


def test_a_generator_that_tells_no_number_is_no_import() -> None:
    null = {f"system/0/Ac/Grid/L{n}/Power": Gone.NULL for n in (1, 2, 3)}
    power = {"system/0/Ac/Genset/L1/Power": 2000.0, "system/0/Ac/Genset/L2/Power": "500"}
    found = Reader().reading(HOUSE | null | power | {"system/0/Ac/ActiveIn/Source": 2.0})
    assert found["GridPower"] is None


def night() -> dict[str, Any]:
    sun = {
        f"system/0/Ac/{side}/L{n}/Power": Gone.NULL
        for side in ("PvOnGrid", "PvOnOutput", "PvOnGenset")
        for n in (1, 2, 3)
    }
    return HOUSE | sun | {"system/0/Dc/Pv/Power": Gone.NULL}


def test_at_night_there_is_no_sun() -> None:
    """The inverters sleep and have left the GX: absent is not unknown."""
    found = Reader().reading(night())
    assert found["PvPower"] == 0
    assert [found[name] for name in ("PvDcPower", "PvOnGridPower", "PvPowerL1")] == [None] * 3


@pytest.mark.parametrize("how", [Gone.DEVICE, Gone.GARBLED, "0", ...])
def test_sun_that_was_not_heard_of_is_unknown(how: Any) -> None:
    dark = night() | {"system/0/Dc/Pv/Power": how}
    if how is ...:
        del dark["system/0/Dc/Pv/Power"]
    assert Reader().reading(dark)["PvPower"] is None


def test_a_gx_that_has_just_started_knows_nothing_of_the_sun() -> None:
    """All is null then, also what always is there."""
    assert Reader().reading(dict.fromkeys(night(), Gone.NULL))["PvPower"] is None


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("system/0/DynamicEss/Active", "Dynamic ESS"),
        ("platform/0/Services/OpportunityLoads/Mode", "opportunity loads"),
    ],
)
def test_rivals_are_told(path: str, word: str) -> None:
    assert rival({}) is None
    assert rival({path: 0.0}) is None
    assert word in (rival({path: 1.0}) or "")
