"""Single rules of the importer: equations, urls, ids, logins, instances, services that are off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from bridge.importing import Imported, Verdict, convert
from bridge.importing.reservation import translate
from bridge.importing.values import Address, address, identity, seconds, url
from tests.importing.support import checked
from tests.importing.test_any_input import read

if TYPE_CHECKING:
    from pathlib import Path


def made(text: str) -> tuple[dict[str, Any], Imported]:
    found = convert(text)
    whole = read(found.yaml)
    assert isinstance(whole, dict)
    return whole, found


def lines(found: Imported, key: str) -> list[tuple[Verdict, str]]:
    return [(line.verdict, line.why) for line in found.lines if line.key == key]


@pytest.mark.parametrize(
    ("text", "kept", "notes"),
    [
        ("5000 - 40 * SOC", "5000 - 40 * SOC", 0),
        ("5000-50*SOC+400", "5000-50*SOC+400", 0),
        ("3000/(min(SOC,99)-100)+3000", "3000/(min(SOC,99)-100)+3000", 0),
        ("(1/(SOC/8)*5000)+1000", "(1/(SOC/8)*5000)+1000", 1),
        ("(5750/(min(SOC,99)-100)+5750) + 250", "(5750/(min(SOC,99)-100)+5750) + 250", 0),
        ("4000 - 80*SOC", "4000 - 80*SOC", 1),
        ("100 * soc ** 0.5", "100 * SOC ** 0.5", 0),
        ("round(abs(SOC - 100)) % 7", "round(abs(SOC - 100)) % 7", 0),
        ("500\n + SOC", "500 + SOC", 0),
    ],
)
def test_equations_that_are_taken(text: str, kept: str, notes: int) -> None:
    found = translate(text)
    assert found.text == kept
    assert len(found.notes) == notes


def test_what_an_equation_does_differently_is_told() -> None:
    assert translate("(1/(SOC/8)*5000)+1000").notes == (
        "at SOC 0 it gives no number: power is withheld then",
    )
    assert translate("4000 - 80*SOC").notes == (
        "at SOC 51 to 100 it is below 0 W, which counts as 0",
    )


@pytest.mark.parametrize(
    "text",
    [
        *("__import__('os').system('x')", "open('/etc/passwd').read()", "[0 for i in 'x']"),
        *("SOC if SOC else 1", "math.sqrt(SOC)", "5000 -", "1/0", "SOK", "9**9**9"),
    ],
)
def test_equations_that_are_refused_keep_the_power_for_the_battery(text: str) -> None:
    ini = "[Services]\nSolarOverheadDistributor=true\n[Common]\nBatteryMaxChargeInW=7000\n"
    whole, found = made(f"{ini}[SolarOverheadDistributor]\nMinBatteryCharge={text}\n")
    assert whole["actors"]["distributor"]["reservation"] == 7000
    ((verdict, why),) = lines(found, "MinBatteryCharge")
    assert verdict is Verdict.CHANGED
    assert why.endswith("Until you write another one, 7000 W are kept for the battery")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.168.1.2", Address("192.168.1.2")),
        ("meter.lan", Address("meter.lan")),
        ("meter.lan:8080", Address("meter.lan", 8080)),
        ("http://user:pw@meter.lan/status", Address("meter.lan")),
        ("fe80::1", Address("fe80::1")),
        ("http://[fe80::1]:81/", Address("fe80::1", 81)),
    ],
)
def test_hosts(text: str, expected: Address) -> None:
    assert address(text) == expected


@pytest.mark.parametrize("text", ["", "http://", "a b", "a:0", "a:99999", "http://[1", "$(x)"])
def test_hosts_that_cannot_be_used(text: str) -> None:
    with pytest.raises(ValueError, match=r"host|port"):
        address(text)


def test_a_login_in_a_url_is_set_aside() -> None:
    found = url("'http://me:p%40ss@a.lan:81/x?y=1'")
    assert (found.text, found.username, found.password) == ("http://a.lan:81/x?y=1", "me", "p@ss")
    assert "p@ss" not in repr(found)


def test_ids() -> None:
    assert identity("pool", "x") == "pool"
    assert identity("Pool Häuschen", "x") == "Pool_Haeuschen"
    assert identity("señal", "x") == "senal"
    assert identity("日本", "switch") == "switch"
    assert identity("a" * 40, "x") == "a" * 32


def test_milliseconds() -> None:
    assert seconds(0.1, 10)("500") == 0.5
    assert seconds(0.1, 10)("2000") == 2


def test_a_service_that_is_off_is_left_out_with_all_its_keys() -> None:
    whole, found = made(
        "[Services]\nFroniusWattpilot=yes\n[FroniusWattpilot]\nHost=a\nPassword=b\n"
    )
    assert whole["actors"] == {}
    assert found.secrets == {}
    off = (Verdict.LEFT, "the service is switched off in [Services]")
    assert lines(found, "Password") == [off]
    assert off in lines(found, "Host")
    assert any("everything but `true`" in why for _, why in lines(found, "FroniusWattpilot"))


def test_passwords_are_in_files_of_their_own() -> None:
    text = (
        "[Services]\nFroniusWattpilot=true\n[FroniusWattpilot]\nHost=a\nPassword=pa%%ss $1\n"
        "[Mqtt]\nHost=b.lan\nUser=u\nPassword=other\n"
    )
    whole, found = made(text)
    assert found.secrets == {"mqtt": "other", "Wattpilot": "pa%ss $1"}
    assert whole["broker"]["password"] == "secrets/mqtt"
    assert whole["actors"]["Wattpilot"]["password"] == "secrets/Wattpilot"


def test_es_ess_logs_in_only_with_a_name_and_a_password() -> None:
    whole, found = made("[Mqtt]\nHost=b.lan\nUser=u\n")
    assert whole["broker"] == {"url": "mqtt://b.lan:1883"}
    assert lines(found, "User")[0][0] is Verdict.LEFT


def test_the_ev_and_heater_of_the_priorities_keep_their_numbers() -> None:
    whole, _ = made(
        "[Services]\nSolarOverheadDistributor=true\nFroniusWattpilot=true\n"
        "[FroniusWattpilot]\nHost=a\nOverheadPriority=35\n"
        "[MqttConsumer:heater]\nRequest=1000\nPriority=40\nPriorityShift=5\nOnTopic=a\nOnValue=1\n"
        "OffTopic=a\nOffValue=0\nStatusTopic=b\nOnKeywordRegex=1\n"
    )
    assert whole["actors"]["Wattpilot"]["priority"] == 35
    heater = whole["actors"]["heater"]
    assert (heater["priority"], heater["priority_shift"]) == (40, 5)
    assert whole["actors"]["distributor"] == {
        "kind": "distributor",
        "strategy": "surplus",
        "reservation": 0,
    }


def test_an_instance_is_given_once_in_each_class() -> None:
    ini = "[Services]\nMqttTemperature=true\n"
    for key in ("a", "b"):
        ini += f"[MqttTemperature:{key}]\nTopic=t/{key}\nVRMInstanceID=24\n"
    whole, found = made(ini)
    assert whole["actors"]["venus"]["temperatures"] == {"a": {"instance": 24}, "b": {}}
    assert [verdict for verdict, _ in lines(found, "VRMInstanceID")].count(Verdict.LEFT) == 1


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("Energy/Multiplus*", "Energy/Multiplus*"),
        ("Energy/*/Multi*", "Energy//Multi*"),
        ("Energy/L1", "Energy/L1"),
    ],
)
def test_topics_of_the_exporter(topic: str, expected: str) -> None:
    ini = "[Services]\nMqttExporter=true\n[MqttExporter:x]\nService=com.victronenergy.system\n"
    whole, _ = made(f"{ini}DbusKey=/Ac/Grid/L1/Power\nMqttTopic={topic}\n")
    assert whole["actors"]["gx"]["export"] == [
        {"path": "system/0/Ac/Grid/L1/Power", "topic": expected}
    ]


def test_bounds_of_the_setpoint_that_exclude_the_default_are_left_out() -> None:
    ini = "[Services]\nNoBatToEV=true\n[Common]\nDefaultPowerSetPoint=-50\nGridSetPointMinW=0\n"
    whole, found = made(f"{ini}GridSetPointMaxW=4000\n")
    assert whole["actors"]["gx"]["max_setpoint"] == 4000
    assert "min_setpoint" not in whole["actors"]["gx"]
    assert lines(found, "GridSetPointMinW")[-1][0] is Verdict.LEFT


@pytest.mark.parametrize("kind", ["HttpConsumer", "httpconsumer", "HTTPCONSUMER"])
@pytest.mark.parametrize("key", ["OnKeywordRegex", "IsOnKeywordRegex", "isonkeywordregex"])
def test_both_spellings_in_any_case(kind: str, key: str) -> None:
    whole, _ = made(
        f"[services]\nSOLAROVERHEADDISTRIBUTOR=True\n[{kind}:a]\nrequest=5\nONURL=http://a/1\n"
        f"offurl=http://a/0\nStatusURL=http://a/s\n{key}=on\n"
    )
    assert whole["actors"]["a"]["on_pattern"] == "on"


@pytest.mark.parametrize("key", ["Metering", "Measuring"])
def test_net_metering_in_both_spellings(key: str) -> None:
    whole, _ = made(f"[Services]\nShelly3EMGrid=true\n[Shelly3EMGrid]\nHost=a\n{key}=Net\n")
    assert whole["actors"]["grid_meter"]["metering"] == "net"


def test_texts_that_yaml_would_take_for_something_else_stay_texts() -> None:
    ini = "[Services]\nSolarOverheadDistributor=true\n[MqttConsumer:on]\nRequest=5\nOnTopic=a\n"
    text = convert(
        f"{ini}OnValue=${{HOME}}\nOffTopic=a\nOffValue=null\nStatusTopic=1\nOnKeywordRegex=^1$\n"
    ).yaml
    found = yaml.safe_load(text)["actors"]["on"]
    assert (found["on_value"], found["off_value"]) == ("$${HOME}", "null")
    assert (found["status_topic"], found["on_pattern"]) == ("1", "^1$$")


def test_what_is_not_taken_over_says_so_at_each_key() -> None:
    _, found = made("[Services]\nShelly3EMGrid=true\n[Shelly3EMGrid]\nPassword=x\nMetering=Net\n")
    why = "it is not taken over: it has no usable Host"
    for key in ("", "Password", "Metering"):
        assert (Verdict.LEFT, why) in lines(found, key)
    assert found.secrets == {}


def test_a_key_that_nobody_knows_has_no_counterpart() -> None:
    _, found = made("[Services]\nNoBatToEV=true\n[NoBatToEV]\nUseRelay=-1\nUseMagic=1\n")
    assert lines(found, "UseMagic") == [(Verdict.NOTHING, "es-ESS itself does not know this key")]


def test_the_default_setpoint_is_added_by_the_gx_alone() -> None:
    whole, _ = made("[Services]\nNoBatToEV=true\n[Common]\nDefaultPowerSetPoint=-10\n")
    assert whole["actors"]["gx"]["default_setpoint"] == -10
    assert whole["actors"]["battery_guard"] == {
        "kind": "battery_guard",
        "battery": "gx",
        "chargers": ["gx_modbus-ev1"],
    }


SWITCH = """\
[Services]
SolarOverheadDistributor=true
[HttpConsumer:pump]
Request=300
OnUrl=http://joe:never-shown@192.168.1.3/on
OffUrl=http://192.168.1.3/off
StatusUrl=http://192.168.1.3/status
OnKeywordRegex=on
PowerUrl=http://192.168.1.4/power
PowerExtractRegex=(.*)
"""


def test_a_login_that_would_reach_another_host_is_told() -> None:
    _, found = made(SWITCH)
    assert lines(found, "OffUrl") == [(Verdict.TAKEN, "it is `off_url` now")]
    assert lines(found, "PowerUrl") == [(Verdict.TAKEN, "it is `power_url` now")]
    _, found = made(SWITCH.replace("OffUrl=http://192.168.1.3", "OffUrl=http://192.168.1.5"))
    why = "it is taken, but the login of the other urls is for http://192.168.1.5:80 as well"
    assert lines(found, "OffUrl") == [(Verdict.CHANGED, why)]


@pytest.mark.parametrize("key", ["mqtt", "MQTT"])
def test_each_secret_has_a_file_of_its_own(key: str) -> None:
    login = "[Mqtt]\nHost=h\nUser=u\nPassword=the-broker's\n"
    whole, found = made(login + SWITCH.replace("pump", key).replace("/off", "/off?key=abc"))
    assert whole["broker"]["password"] == "secrets/mqtt"
    (path,) = (each["password"] for each in whole["actors"].values() if "password" in each)
    texts = {
        "mqtt": "the-broker's",
        path.removeprefix("secrets/"): "never-shown",
        f"{key}.off_url": "http://192.168.1.3/off?key=abc",
    }
    assert found.secrets == texts
    # Where names differ in their case alone, one file would take the other's place.
    assert len({each.casefold() for each in texts}) == 3


def test_a_login_of_another_host_than_those_that_switch_is_not_taken() -> None:
    text = SWITCH.replace("joe:never-shown@", "").replace("192.168.1.4", "joe:never-shown@m.lan")
    whole, found = made(text)
    (switch,) = (each for each in whole["actors"].values() if each["kind"] == "http_switch")
    assert switch["power_url"] == "http://m.lan/power"
    assert not {"username", "password"} & switch.keys()
    ((verdict, why),) = lines(found, "PowerUrl")
    assert verdict is Verdict.CHANGED
    assert "without its login" in why
    assert not found.secrets


def test_a_key_is_told_once_and_by_the_last_word() -> None:
    _, found = made(
        "[Services]\nNoBatToEV=true\nSolarOverheadDistributor=yes\n"
        "[Common]\nGridSetPointMinW=500\nGridSetPointMaxW=100\n"
    )
    (low,) = lines(found, "GridSetPointMinW")
    assert low[0] is Verdict.LEFT
    texts = [str(line) for line in found.lines]
    assert len(texts) == len(set(texts))


def test_what_is_not_taken_over_is_not_told_as_taken() -> None:
    _, found = made(
        "[Services]\nMqttExporter=true\nSolarOverheadDistributor=true\n"
        "[MqttExporter:a]\nService=nonsense\nDbusKey=/Ac/Power\nMqttTopic=a/b\n"
        "[HttpConsumer:x]\nRequest=300\nOnUrl=http://h/on\n"
    )
    for section in ("MqttExporter:a", "HttpConsumer:x"):
        verdicts = {each.verdict for each in found.lines if each.section == section}
        assert verdicts == {Verdict.LEFT}


def test_a_position_without_an_instance_is_shown_nowhere() -> None:
    whole, found = made(
        "[Services]\nMqttPVInverter=true\n"
        "[MqttPVInverter:roof]\nTotalPowerTopic=pv/power\nPosition=1\n"
    )
    assert "venus" not in whole["actors"]
    assert [verdict for verdict, _ in lines(found, "Position")] == [Verdict.LEFT]


def test_an_exported_service_by_its_name_is_told_to_be_any_of_its_sort() -> None:
    whole, found = made(
        "[Services]\nMqttExporter=true\n"
        "[MqttExporter:a]\nService=com.victronenergy.grid.http_40\nDbusKey=/Ac/Power\n"
        "MqttTopic=a/b\n"
        "[MqttExporter:b]\nService=com.victronenergy.system\nDbusKey=/Dc/Battery/Soc\n"
        "MqttTopic=a/c\n"
    )
    assert [each["path"] for each in whole["actors"]["gx"]["export"]] == [
        "grid/*/Ac/Power",
        "system/0/Dc/Battery/Soc",
    ]
    assert [verdict for verdict, _ in lines(found, "Service")] == [Verdict.CHANGED, Verdict.TAKEN]


@pytest.mark.parametrize("topic", ["$SYS/uptime", "x" * 201])
def test_topics_that_no_device_reads_are_left_out(topic: str, tmp_path: Path) -> None:
    _, found = made(
        "[Services]\nMqttPVInverter=true\n"
        f"[MqttPVInverter:roof]\nTotalPowerTopic=pv/power\nL1VoltageTopic={topic}\n"
    )
    assert [verdict for verdict, _ in lines(found, "L1VoltageTopic")] == [Verdict.LEFT]
    assert checked(found, tmp_path) == []


def test_a_guard_without_the_distributor_has_the_site_that_it_needs(tmp_path: Path) -> None:
    text = "[Services]\nNoBatToEV=true\nTimeToGoCalculator=true\n"
    whole, found = made(f"{text}[Common]\nBatteryCapacityInWh=9000\n[TimeToGoCalculator]\nx=1\n")
    assert whole["site"] == {"grid": "gx", "battery": "gx"}
    assert whole["actors"]["distributor"]["reservation"] == 10_000
    assert whole["actors"]["time_to_go"]["battery"] == "gx"
    assert checked(found, tmp_path) == []


ROOF = "[MqttPVInverter:roof]\nTotalPowerTopic=pv/power\n"
SHED = "[ShellyPMInverter:shed]\nHost=192.168.1.7\nVRMInstanceID=9\n"


def export(service: str, path: str) -> str:
    name = f"com.victronenergy.{service}"
    return f"[MqttExporter:a]\nService={name}\nDbusKey={path}\nMqttTopic=a/b\n"


@pytest.mark.parametrize(
    ("text", "gx", "pv"),
    [
        ("", "venus.local", None),
        (export("system", "/Ac/Grid/L1/Power"), "venus.local", None),
        (export("system", "/Dc/Pv/Power"), "venus.local", ["gx"]),
        (export("solarcharger", "/Yield/Power"), "venus.local", ["gx"]),
        (export("pvinverter", "/Ac/Power"), "venus.local", ["gx"]),
        (export("pvinverter", "/Ac/Power") + SHED, "venus.local", None),
        (ROOF + SHED, "venus.local", None),
        # Those that the GX is shown by us are in its sum.
        (ROOF + SHED, "127.0.0.1", ["gx", "roof"]),
        (export("solarcharger", "/Yield/Power") + ROOF + SHED, "venus.local", ["gx", "roof"]),
    ],
)
def test_pv_is_what_the_file_shows(
    text: str, gx: str, pv: list[str] | None, tmp_path: Path
) -> None:
    services = ("SolarOverheadDistributor", "MqttExporter", "MqttPVInverter", "ShellyPMInverter")
    head = "[Services]\n" + "".join(f"{each}=true\n" for each in services)
    found = convert(head + text, gx=gx)
    whole = read(found.yaml)
    assert isinstance(whole, dict)
    assert whole["site"].get("pv") == pv
    ((verdict, why),) = lines(found, "site.pv")
    assert verdict is (Verdict.CHANGED if pv else Verdict.LEFT)
    assert pv or "`pv: [gx]`" in why
    assert checked(found, tmp_path) == []
