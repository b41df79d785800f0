"""The words of go-e's HTTP v1 and MQTT as pure data, with numbers computed by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from actors.chargers.go_e import decode
from actors.chargers.go_e.simulator import first
from bridge.charging.goe_keys import KEYS, NEUTRAL, OFF, ON
from bridge.charging.goe_keys import decode as decode_keys
from bridge.charging.goe_recipe import reading_of
from bridge.simulators.car import Car
from bridge.simulators.goe_box import GoeBox

SAMPLE = Path(decode.__file__).parent / "samples" / "v1.json"


def sample(**changed: Any) -> dict[str, Any]:
    return json.loads(SAMPLE.read_text()) | changed


def test_a_status_of_v1() -> None:
    found = decode_keys(decode.from_v1(sample(), None))
    reading = reading_of(found)
    # 360000 deka-watt-seconds are 1 kWh; 4711 are tenths of a kWh; 249 are 2.49 kW.
    assert (reading.session_energy, reading.energy) == (1.0, 471.1)
    assert (reading.power, reading.powers) == (2490, (2500, 0, 0))
    assert reading.voltages == (229, 0, 0)
    assert reading.currents == (10.9, 0, 0)
    assert (reading.vehicle, reading.fault) == ("charging", None)
    # Bits 3 and 0: L1 before and after the contactor.
    assert (reading.phases, set(reading.phases_possible)) == (1, {1})
    assert (found.volatile, found.current, found.stored) == (True, 11, 13)
    assert (reading.max_current, found.cable, found.temperature) == (32, 32, 27)
    assert (found.serial, found.firmware) == ("000777", "040")
    assert found.factors == (0.99, 0, 0)


@pytest.mark.parametrize(
    ("alw", "force", "expected"),
    [
        ("0", None, OFF),
        ("0", ON, OFF),
        ("1", None, NEUTRAL),
        ("1", NEUTRAL, NEUTRAL),
        ("1", OFF, NEUTRAL),
        ("1", ON, ON),
    ],
)
def test_the_force_of_v1(alw: str, force: int | None, expected: int) -> None:
    found = decode_keys(decode.from_v1(sample(alw=alw), force))
    assert (found.force, found.allowed) == (expected, alw == "1")


def test_what_v1_does_not_tell_is_unknown() -> None:
    bare = {"car": "3", "amp": "x", "alw": None, "nrg": [230]}
    found = decode_keys(decode.from_v1(bare, None))
    assert (found.energy, found.session, found.power, found.force) == (None,) * 4
    assert (found.current, found.volatile, found.temperature, found.wired) == (
        *(None, False, None, None),
    )
    assert found.voltages == (230, None, None)
    assert not decode.tells_v1({"car": "3"})
    assert decode.tells_v1(bare)


def test_writes_of_v1() -> None:
    assert decode.to_v1("frc", ON) == ("alw", 1)
    assert decode.to_v1("frc", OFF) == ("alw", 0)
    assert decode.to_v1("amx", 9) == ("amx", 9)
    assert decode.to_v1("psm", 1) is None
    assert decode.to_v1("lmo", 4) is None


def test_filters() -> None:
    assert decode.filters(("a", "b"), as_list=False) == ["a,b"]
    lists = [json.loads(each) for each in decode.filters(decode.KEYS, as_list=True)]
    assert [key for each in lists for key in each] == list(decode.KEYS)
    assert max(map(len, lists)) == 10
    assert set(KEYS) < set(decode.KEYS)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"amp": True}, None),
        ({"amp": "unknown key"}, "unknown key"),
        ({"amp": 'value\nmust be "x"'}, 'value must be "x"'),
        ({"amp": False}, "False"),
        ({"amp": None}, "None"),
        ({"amp": 1}, "1"),
        ({"psm": True}, "it does not say whether it took it"),
        ([True], "it does not say whether it took it"),
        ({"amp": ""}, "no reason given"),
    ],
)
def test_answers_to_a_write(answer: Any, expected: str | None) -> None:
    assert decode.complaint(answer, "amp") == expected


def test_mqtt() -> None:
    assert decode.result(b"success") is None
    assert decode.result(b'"success"') is None
    assert decode.result(b"value must be string 0") == "value must be string 0"
    assert decode.parse(b"16") == 16
    for bad in (b"NaN", b"", b"\xff", b"{"):
        with pytest.raises(ValueError):
            decode.parse(bad)


def test_what_the_simulator_says_in_v1_is_what_it_is() -> None:
    box = GoeBox(Car(), lmo=3)
    for _ in range(20):
        box.advance(1.0)
    names = {"fwv": "041.0", "sse": "1"}
    status = first.status(box, names)
    assert all(isinstance(value, str) for key, value in status.items() if key != "nrg")
    reading = reading_of(decode_keys(decode.from_v1(status, None)))
    assert reading.power == box.power == 11040
    assert reading.currents == (16, 16, 16)
    assert (reading.phases, reading.vehicle) == (3, "charging")
    assert reading.energy == pytest.approx(box.keys["eto"] / 1000, abs=0.06)
    assert reading.session_energy == pytest.approx(box.keys["wh"] / 1000, abs=0.001)
