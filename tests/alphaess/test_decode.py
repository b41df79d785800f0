"""What answers mean: signs, units, nulls, codes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from actors.devices.alphaess import codes, decode
from actors.devices.alphaess.codes import CODES, Said, Sort, opened
from actors.devices.alphaess.signing import sign, signed
from bridge.errors import DeviceGarbled

README = Path(__file__).parents[2] / "actors/devices/alphaess/README.md"
NAME = "the cloud"


def live(**changed: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ppv": 3000.0,
        "ppvDetail": {"ppv1": 1800.0, "ppv2": 1200.0, "ppv3": None, "ppv4": 0.0},
        "pload": 700.0,
        "pgrid": -1100.0,
        "pgridDetail": {"pmeterL1": -1100.0, "pmeterL2": None, "pmeterL3": None},
        "pbat": -1200.0,
        "soc": 56.0,
        "pev": 0,
        "prealL1": 1800.0,
    }
    return found | changed


def test_the_makers_own_example_of_a_signature() -> None:
    secret = "c2d2ef6c047c49678e2c332fb2d74c3c"
    assert sign("alphaef7900ee81dbbce9", secret, "1676353875") == (
        "0f023c2287b8f6b21b0994947465f8e9de0e1542567b1735bdc6c427336b9b64"
        "06285cd94f9215c3e9af958df37fb11c2c9fe792713d8afbdb8c463359a1add8"
    )
    headers = signed("alphaef7900ee81dbbce9", secret, 1676353875.9)
    assert headers["timeStamp"] == "1676353875"
    assert headers["sign"] == sign("alphaef7900ee81dbbce9", secret, "1676353875")


def test_by_day_it_exports_and_charges() -> None:
    values = decode.live(live())
    assert (values["GridPower"], values["BatteryPower"]) == (-1100.0, -1200.0)
    assert values["PvPower"] + values["GridPower"] + values["BatteryPower"] == 700.0  # type: ignore[operator]
    assert (values["PvString1Power"], values["PvString3Power"]) == (1800.0, None)
    assert (values["GridPowerL1"], values["GridPowerL2"]) == (-1100.0, None)
    assert values["ChargerPower"] == 0.0


def test_the_charge_is_in_percent_also_when_it_is_nearly_empty() -> None:
    assert decode.live(live(soc=56.0))["BatterySoc"] == 56.0
    assert decode.live(live(soc=0.9))["BatterySoc"] == 0.9
    assert decode.live(live(soc="38.4"))["BatterySoc"] == 38.4


def test_what_is_left_out_is_unknown_and_never_zero() -> None:
    assert decode.live({"ppv": 10.0})["GridPower"] is None
    assert decode.live(live(ppvDetail=None))["PvString1Power"] is None
    nothings: list[Any] = [{}, None, [], {"ppv": None}]
    for nothing in nothings:
        with pytest.raises(DeviceGarbled):
            decode.live(nothing)


@pytest.mark.parametrize("bad", ["n/a", True, [], "NaN", "inf"])
def test_what_is_no_number_is_refused_by_its_name(bad: Any) -> None:
    with pytest.raises(DeviceGarbled, match="pgrid"):
        decode.live(live(pgrid=bad))


def test_sums_are_kwh_and_shares_percent() -> None:
    found = decode.sums({"epvtoday": 14.2, "epvtotal": None, "eselfConsumption": 0.84})
    assert (found["PvEnergyToday"], found["PvEnergy"]) == (14.2, None)
    assert found["SelfConsumptionToday"] == pytest.approx(84.0)
    assert decode.percent(84.0) == 84.0
    assert decode.percent(1.0) == 100.0


def test_systems_come_as_a_list_or_as_one() -> None:
    one = {"sysSn": "AL1", "cobat": 13.34, "usCapacity": 90.0, "emsStatus": "Fault", "mbat": "B"}
    (system,) = decode.systems(one)
    assert decode.systems([one]) == (system,)
    assert system.capacity == pytest.approx(12_006.0)
    assert (system.status, system.model) == ("Fault", "B")
    assert decode.systems([one | {"emsStatus": "Normal"}])[0].status is None
    assert decode.systems(None) == ()
    with pytest.raises(DeviceGarbled):
        decode.systems([{"minv": "x"}])
    with pytest.raises(DeviceGarbled):
        decode.systems([{"sysSn": "../x"}])


def test_a_day_is_sorted_and_takes_both_spellings() -> None:
    rows = decode.day_power(
        [
            {"uploadTime": "2026-11-19 10:05:04", "cobat": 61.0, "pChargingPile": 7},
            {"uploadTime": "2026-11-19 10:00:04", "cbat": 60.0, "pchargingPile": 0},
        ]
    )
    assert [row["cbat"] for row in rows] == [60.0, 61.0]
    assert [row["pchargingPile"] for row in rows] == [0.0, 7.0]
    assert rows[0]["ppv"] is None
    assert decode.day_power(None) == []


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (1, "disconnected"),
        (2, "connected"),
        (3, "charging"),
        (4, "waiting"),
        (5, "connected"),
        (6, "complete"),
        (7, None),
        (8, None),
        (9, "fault"),
        (42, None),
    ],
)
def test_nine_is_the_fault_and_seven_is_unknown(status: int, word: str | None) -> None:
    assert decode.charger_status({"evchargerStatus": status}) == status
    assert decode.charger_status([{"evchargerStatus": status}]) == status
    assert decode.vehicle(status) == word


# -------------------------------------------------------------------------------- codes


def test_only_the_code_counts_never_the_text() -> None:
    assert opened({"code": 200, "msg": "Fehlgeschlagen", "data": {"a": 1}}, NAME) == {"a": 1}
    assert opened({"code": "200", "data": []}, NAME) == []
    with pytest.raises(Said):
        opened({"code": 6001, "msg": "Success", "data": {}}, NAME)
    assert opened({"code": 6016, "msg": "x", "data": None}, NAME) is None


def test_what_has_no_code_is_no_answer() -> None:
    wrongs: list[Any] = [
        {"status": 405, "error": "x"},
        [],
        None,
        "x",
        {"code": None},
        {"code": True},
    ]
    for wrong in wrongs:
        with pytest.raises(DeviceGarbled):
            opened(wrong, NAME)


@pytest.mark.parametrize("code", sorted(set(CODES) - {200, 6016}))
def test_every_code_says_in_one_sentence_what_to_do(code: int) -> None:
    with pytest.raises(Said) as caught:
        opened({"code": code, "info": "fail", "data": None}, NAME)
    sentence = str(caught.value)
    assert sentence.startswith(f"the cloud answers {code}: ")
    assert CODES[code].todo in sentence
    assert len(sentence) < 250
    assert (caught.value.code, caught.value.sort) == (code, CODES[code].sort)


def test_the_facts_of_what_follows_from_a_code() -> None:
    sorts = {code: entry.sort for code, entry in CODES.items()}
    assert sorts[6017] is Sort.ABSENT
    assert sorts[6053] is Sort.FAST
    assert sorts[6042] is Sort.OFFLINE
    assert {code for code, sort in sorts.items() if sort is Sort.CLOCK} == {6006, 6009}
    assert sorts[6007] is Sort.ACCOUNT
    assert codes.meant(9999).sort is Sort.LATER


def test_the_value_that_is_wrong_is_named_and_a_secret_never() -> None:
    answer = {"code": 6001, "expMsg": "time list is null", "msg": "参数错误"}
    with pytest.raises(Said, match=r"\(time list is null\)"):
        opened(answer, NAME)
    with pytest.raises(Said) as caught:
        opened({"code": 6007, "expMsg": "secret s3cr3t is bad"}, NAME, hidden="s3cr3t")
    assert "s3cr3t" not in str(caught.value)
    with pytest.raises(Said, match="maximum number"):
        opened({"code": 4711, "msg": "The maximum number of requests\x1b[2J\n was"}, NAME)


def test_6009_names_both_reasons() -> None:
    with pytest.raises(Said) as caught:
        opened({"code": 6009}, NAME, clock="the clock of this computer is 400 s behind")
    assert "IP list" in str(caught.value)
    assert "400 s behind" in str(caught.value)


def test_the_readme_has_the_table_of_the_code() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+) \| (.+) \|$", README.read_text(), re.MULTILINE)
    told = {int(code): (meaning, todo) for code, meaning, todo in rows}
    assert told == {n: (c.meaning, c.todo) for n, c in CODES.items() if n != 200}
