"""The report: one line for each key, with its number in config.ini, and never a password."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.importing import Imported, Verdict, convert
from tests.importing.support import FILES, checked
from tests.importing.test_any_input import read

if TYPE_CHECKING:
    from pathlib import Path

ALL_ON = "[Services]\n" + "".join(
    f"{each}=true\n"
    for each in (
        *("SolarOverheadDistributor", "TimeToGoCalculator", "FroniusWattpilot", "MqttExporter"),
        *("MqttTemperature", "NoBatToEV", "Shelly3EMGrid", "ShellyPMInverter"),
        *("FroniusSmartmeterJSON", "MqttPVInverter"),
    )
)
HEATER = (
    "Request=750\nOnTopic=a\nOnValue=1\nOffTopic=a\nOffValue=0\nStatusTopic=b\nOnKeywordRegex=1\n"
)
SECRET = "never-shown"


def told(found: Imported) -> dict[int, str]:
    """Report by line of the file; what stands twice in it is joined."""
    lines: dict[int, str] = {}
    for each in found.lines:
        lines[each.number] = f"{lines.get(each.number, '')}{each}\n"
    return lines


@pytest.mark.parametrize("name", ["small", "full", "broken", "fork"])
def test_the_report_follows_the_file_line_by_line(name: str) -> None:
    content = (FILES / f"{name}.ini").read_text(encoding="utf-8")
    found = convert(content)
    numbers = [each.number for each in found.lines]
    assert [each for each in numbers if each] == sorted(each for each in numbers if each)
    assert not any(numbers[numbers.index(0) :])
    text = content.split("\n")
    for each in found.lines:
        if each.number and each.key:
            assert text[each.number - 1].strip().lower().startswith(each.key.lower()), str(each)
    kept = told(found)
    for number, line in enumerate(text, 1):
        # (A line that continues a value is told with its key.)
        if re.match(r"\w+ *=", line):
            assert number in kept, line


def test_a_line_says_where_it_is() -> None:
    found = convert("# mine\n\n[Mqtt]\nPort = 1884\n")
    (line,) = (each for each in found.lines if each.key == "Port")
    assert (line.number, str(line)) == (
        4,
        "line 4: [Mqtt] Port: taken: it is part of `broker.url`",
    )


def test_what_stands_twice_is_told_at_both_places() -> None:
    lines = told(convert("[Mqtt]\nHost=a.lan\nhost=b.lan\n[mqtt]\nPort=1\n"))
    assert "it stands again in line 3" in lines[2]
    assert "`broker.url`" in lines[3]
    assert "begins again here" in lines[4]


def test_an_inherited_key_is_where_it_is_written() -> None:
    lines = told(convert(f"[DEFAULT]\nPriority=7\n{ALL_ON}[MqttConsumer:heater]\n{HEATER}"))
    assert "[MqttConsumer:heater] Priority: taken" in lines[2]


@pytest.mark.parametrize(
    "line",
    [
        f"Password {SECRET}",
        f"Password {SECRET}==",
        f"Password\n  {SECRET}=",
        f"Password {SECRET}: x",
        f"OnUrl http://u:{SECRET}@h/on",
        f"[{SECRET}\nx=1",
        f"no key {SECRET}\n   {SECRET}=1\n\t{SECRET}: 1",
    ],
)
def test_a_password_whose_sign_is_missing_is_not_told(line: str) -> None:
    found = convert(f"{ALL_ON}[FroniusWattpilot]\nHost=a.lan\n{line}\n")
    assert not any(SECRET in f"{each}{each!r}" for each in found.lines)
    assert SECRET not in found.yaml


@given(st.text(st.sampled_from("Pa s=:\n\t[]%#;'\""), max_size=12), st.booleans())
@settings(max_examples=150, deadline=None)
def test_a_password_behind_its_key_is_not_told_whatever_stands_between(
    between: str, inherited: bool
) -> None:
    head = "[DEFAULT]\n" if inherited else "[FroniusWattpilot]\nHost=a.lan\n"
    found = convert(f"{ALL_ON}{head}Password {between.replace(chr(10), '')} {SECRET}==\n")
    assert not any(SECRET in str(each) for each in found.lines)
    assert SECRET not in found.yaml


def test_an_indented_key_belongs_to_the_line_above_and_that_is_told() -> None:
    found = convert(f"{ALL_ON}[SolarOverheadDistributor]\nUpdateInterval=45000\n  Strategy=x\n")
    assert "part of the value of UpdateInterval" in told(found)[14]


def test_a_value_that_is_cut_says_so() -> None:
    found = convert("[Mqtt]\nUser=u\nPassword=" + "x" * 5000)
    assert "longer than 4096 characters and was cut" in told(found)[3]


def test_a_remark_behind_a_value_is_explained() -> None:
    lines = told(convert("[Mqtt]\nHost=a.lan\nPort=1884 ; the other one\n"))
    assert "it is not a number (a remark behind a value is part of it" in lines[3]


def test_a_switch_keeps_its_id_beside_a_sensor_of_the_same_name() -> None:
    """Flows read `Requests/pool/Allowance`; nobody reads a sensor under its id in es-ESS."""
    found = convert(
        f"{ALL_ON}[MqttTemperature:pool]\nTopic=t\n[ShellyPMInverter:pool]\nHost=a\n"
        f"[MqttConsumer:pool]\n{HEATER}"
    )
    actors = yaml.safe_load(found.yaml)["actors"]
    assert {id_: actors[id_]["kind"] for id_ in actors if id_.startswith("pool")} == {
        "pool": "mqtt_switch",
        "pool_2": "shelly",
        "pool_3": "mqtt_sensor",
    }


def test_a_switch_whose_id_changes_is_told_its_new_topics() -> None:
    found = convert(f"{ALL_ON}[MqttConsumer:pool heater]\n{HEATER}")
    assert "under `es-ESS/` it is `Requests/pool_heater/…` now" in told(found)[12]


def test_names_that_differ_in_case_are_two_consumers() -> None:
    found = convert(
        f"{ALL_ON}[MqttConsumer:Pool]\n{HEATER}[MqttConsumer:pool]\n{HEATER.replace('750', '80')}"
    )
    actors = yaml.safe_load(found.yaml)["actors"]
    assert (actors["Pool"]["request"], actors["pool_2"]["request"]) == (750, 80)


@pytest.mark.parametrize("name", ["password", "auth_key", "TOKEN"])
def test_a_login_in_the_query_of_a_url_goes_into_a_file(name: str, tmp_path: Path) -> None:
    where = f"http://10.0.0.7/cm?user=admin&{name}={SECRET}&cmnd=Power"
    found = convert(
        f"{ALL_ON}[HttpConsumer:pump]\nRequest=300\nOnUrl={where}%%20On\nOffUrl={where}%%20Off\n"
        f"StatusUrl={where}\nOnKeywordRegex=ON\nPowerUrl=http://10.0.0.7/p?key2=1\n"
        "PowerExtractRegex=(.*)\n"
    )
    assert SECRET not in found.yaml
    assert not any(SECRET in str(each) for each in found.lines)
    assert found.secrets["pump.on_url"] == f"{where}%20On"
    pump = read(found.yaml)["actors"]["pump"]  # type: ignore[index]
    assert pump["off_url"] == "secrets/pump.off_url"
    assert pump["power_url"] == "http://10.0.0.7/p?key2=1"
    assert checked(found, tmp_path) == []


def test_a_grid_meter_that_only_es_ess_showed_is_a_warning() -> None:
    text = f"{ALL_ON}[Shelly3EMGrid]\nHost=10.0.0.3\nVRMInstanceID=47\n"
    whys = [each.why for each in convert(text).lines if each.verdict is Verdict.CHANGED]
    assert any("no grid meter from the moment es-ESS stops" in each for each in whys)
    here = [each.why for each in convert(text, gx="127.0.0.1").lines]
    assert not any("no grid meter" in each for each in here)


@pytest.mark.parametrize("name", ["small", "full", "broken", "fork"])
def test_a_key_is_told_once_at_its_place(name: str) -> None:
    found = convert((FILES / f"{name}.ini").read_bytes())
    keys = [(each.number, each.section, each.key) for each in found.lines if each.key]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("hunter2", "hunter2"),
        ("pass word", "pass word"),
        ("a=b:c", "a=b:c"),
        ("50%%", "50%"),
        ("${HOME}$$", "${HOME}$$"),
        ("'quoted'", "'quoted'"),
        ("Straße☼", "Straße☼"),
        ("# no remark", "# no remark"),
        ("%(Host)s!", "wallbox.lan!"),
    ],
)
def test_passwords_of_any_form_arrive_and_are_told_to_nobody(
    written: str, meant: str, tmp_path: Path
) -> None:
    ini = "[Services]\nFroniusWattpilot=true\n[FroniusWattpilot]\nHost=wallbox.lan\n"
    found = convert(f"{ini}Password={written}\n")
    assert found.secrets == {"Wattpilot": meant}
    assert read(found.yaml)["actors"]["Wattpilot"]["password"] == "secrets/Wattpilot"  # type: ignore[index]
    assert meant not in found.yaml
    assert not any(meant in str(line) for line in found.lines)
    assert checked(found, tmp_path) == []
