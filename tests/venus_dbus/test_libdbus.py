"""The same services through libdbus, on which most of Venus OS stands: it forgives nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.venus_dbus.gx import name_of, until

if TYPE_CHECKING:
    from tests.venus_dbus.gx import Gx

SEND = shutil.which("dbus-send")
pytestmark = pytest.mark.skipif(SEND is None, reason="dbus-send is not installed")
ITEM = "com.victronenergy.BusItem"
CAR = name_of("evcharger", "evcharger", "car")
METER = name_of("grid", "grid", "meter")


@pytest.fixture(scope="module")
def gx(shared: Gx) -> Gx:
    shared.plan({"what": "evcharger", "id": "car"}, {"what": "grid", "id": "meter"})
    shared.told.state("car", VehicleState="connected", ChargingCurrent=6)
    shared.told.state("meter", GridPower=-450.5, GridPowerL1=-450.5)
    shared.there(CAR)
    shared.there(METER)
    return shared


def ask(gx: Gx, name: str, path: str, member: str, *arguments: str) -> str:
    """What dbus-send prints of the answer, without line breaks; or the error's name."""
    assert SEND is not None
    command = [
        *(SEND, f"--bus={gx.bus.address}", "--print-reply=literal", "--reply-timeout=20000"),
        *(f"--dest={name}", path, f"{ITEM}.{member}", *arguments),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        return done.stderr.partition(":")[0].removeprefix("Error ")
    return " ".join(done.stdout.split())


def test_values_and_texts(gx: Gx) -> None:
    assert ask(gx, METER, "/Ac/L1/Power", "GetValue") == "variant double -450.5"
    assert ask(gx, METER, "/Ac/L1/Power", "GetText") == "-450W"
    assert ask(gx, METER, "/DeviceInstance", "GetValue") == "variant int32 31"
    assert ask(gx, METER, "/Serial", "GetValue") == "variant array [ ]"
    assert ask(gx, METER, "/Serial", "GetText") == "---"
    unknown = "org.freedesktop.DBus.Error.UnknownMethod"
    assert ask(gx, METER, "/Nowhere", "GetValue") == unknown


def test_all_items(gx: Gx) -> None:
    said = ask(gx, METER, "/", "GetItems")
    values = dict(re.findall(r"entry\( (/\S+) array \[ dict entry\( Value variant (.*?) \) ", said))
    assert values["/Ac/Power"] == "double -450.5"
    assert values["/ProductId"] == "int32 65535"
    assert values["/Connected"] == "int32 1"
    assert values["/Mgmt/ProcessName"] == "heliograph"
    assert values["/Ac/Frequency"].startswith("array [")


@pytest.mark.parametrize(
    "value",
    ["int32:8", "uint32:8", "uint16:8", "int16:8", "int64:8", "uint64:8", "byte:8", "string:8"],
)
def test_any_kind_of_number_is_taken(gx: Gx, value: str) -> None:
    assert ask(gx, CAR, "/SetCurrent", "SetValue", "variant:double:6.5") == "int32 0"
    assert ask(gx, CAR, "/SetCurrent", "SetValue", f"variant:{value}") == "int32 0"
    assert ask(gx, CAR, "/SetCurrent", "GetValue") == "variant double 8"


def test_what_cannot_be_is_refused_and_answered(gx: Gx) -> None:
    for value in ("double:5.9", "double:nan", "double:inf", "int32:17", "string:fast", "string:"):
        assert ask(gx, CAR, "/SetCurrent", "SetValue", f"variant:{value}") == "int32 2"
    assert ask(gx, CAR, "/Mode", "SetValue", "variant:int32:7") == "int32 2"
    assert ask(gx, CAR, "/StartStop", "SetValue", "variant:int32:2") == "int32 2"
    assert ask(gx, CAR, "/Ac/Power", "SetValue", "variant:double:1") == "int32 1"
    wrong = "org.freedesktop.DBus.Error.InvalidArgs"
    assert ask(gx, CAR, "/StartStop", "SetValue", "int32:1") == wrong
    assert ask(gx, CAR, "/StartStop", "SetValue") == wrong


def test_a_flag_presses_a_button(gx: Gx) -> None:
    gx.told.got.clear()
    assert ask(gx, CAR, "/StartStop", "SetValue", "variant:boolean:true") == "int32 0"
    until(lambda: gx.told.orders("car", "ChargeEnable"), "an order")
