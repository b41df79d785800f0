"""The interface com.victronenergy.BusItem, call by call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.venus_dbus.gx import NULL, name_of, pause, until
from tests.venus_dbus.reader import ITEM

if TYPE_CHECKING:
    from tests.venus_dbus.gx import Gx

ROOF = name_of("pvinverter", "pvinverter", "roof")
UNKNOWN = "org.freedesktop.DBus.Error.UnknownMethod"


@pytest.fixture(scope="module")
def gx(shared: Gx) -> Gx:
    shared.plan({"what": "pvinverter", "id": "roof"}, {"what": "temperature", "id": "garage"})
    shared.told.state("roof", PvPower=1000.0)
    shared.there(ROOF)
    return shared


def call(
    gx: Gx, path: str, member: str, signature: str = "", body: Any = (), *, interface: Any = ITEM
) -> dict[str, Any]:
    return gx.reader.call(ROOF, path, member, signature, body, interface)


@pytest.mark.slow
def test_all_items(gx: Gx) -> None:
    answer = call(gx, "/", "GetItems")
    assert answer["signature"] == "a{sa{sv}}"
    power = answer["body"][0]["/Ac/L1/Power"]
    assert power == {"Value": ["d", 1000.0], "Text": ["s", "1000W"]}
    assert answer["body"][0]["/Serial"] == {"Value": NULL, "Text": ["s", "---"]}


def test_a_leaf(gx: Gx) -> None:
    assert call(gx, "/Ac/Power", "GetValue") == {"signature": "v", "body": [["d", 1000.0]]}
    assert call(gx, "/Ac/Power", "GetText") == {"signature": "s", "body": ["1000W"]}
    assert call(gx, "/Ac/Power", "GetDescription", "si", ["en", 20])["signature"] == "s"


def test_an_inner_node(gx: Gx) -> None:
    answer = call(gx, "/Ac/L1", "GetValue")
    assert answer["signature"] == "v"
    assert answer["body"][0] == [
        "a{sv}",
        {"Power": ["d", 1000.0], "Voltage": NULL, "Current": NULL, "Energy/Forward": NULL},
    ]
    texts = call(gx, "/Ac", "GetText")["body"][0]
    assert texts[0] == "a{ss}"
    assert texts[1]["L1/Power"] == "1000W"
    whole = call(gx, "/", "GetValue")["body"][0]
    assert whole[0] == "a{sv}"
    assert whole[1]["Ac/Power"] == ["d", 1000.0]
    assert whole[1]["Connected"] == ["i", 1]


@pytest.mark.parametrize("path", ["/", "/Ac", "/Ac/Power"])
def test_calls_without_an_interface(gx: Gx, path: str) -> None:
    assert "body" in call(gx, path, "GetValue", interface=None)
    assert "body" in call(gx, path, "GetText", interface=None)
    assert call(gx, path, "SetValue", "v", [["d", 1.0]], interface=None)["body"] == [1]
    assert call(gx, path, "Nothing", interface=None) == {"error": UNKNOWN}


def test_every_call_is_answered(gx: Gx) -> None:
    assert call(gx, "/Nowhere", "GetValue") == {"error": UNKNOWN}
    assert call(gx, "/Nowhere", "GetValue", interface=None) == {"error": UNKNOWN}
    assert call(gx, "/Ac", "GetItems") == {"error": UNKNOWN}
    assert call(gx, "/Ac/Power", "GetMin") == {"error": UNKNOWN}
    assert call(gx, "/Ac/Power", "GetValue", interface="org.example.Other") == {"error": UNKNOWN}
    assert "error" in call(gx, "/CustomName", "SetValue", "s", ["bare"])
    assert "body" in call(gx, "/", "Ping", interface="org.freedesktop.DBus.Peer")
    assert "body" in call(gx, "/Ac/Power", "GetValue"), "and it lives on"


def test_introspection_leads_to_every_path(gx: Gx) -> None:
    known = "org.freedesktop.DBus.Introspectable"
    root = call(gx, "/", "Introspect", interface=known)["body"][0]
    assert '<node name="Ac"/>' in root
    assert "GetItems" in root
    inner = call(gx, "/Ac", "Introspect", interface=known)["body"][0]
    assert '<node name="L1"/>' in inner
    assert "GetItems" not in inner
    leaf = call(gx, "/Ac/Power", "Introspect", interface=known)["body"][0]
    assert "<node name" not in leaf


def test_what_is_not_writable_stays(gx: Gx) -> None:
    assert gx.reader.write(ROOF, "/Ac/Power", "d", 5.0) == 1
    assert gx.reader.write(ROOF, "/Position", "i", 0) == 1
    assert gx.reader.write(ROOF, "/Ac", "i", 0) == 1
    assert gx.reader.value(ROOF, "/Ac/Power") == ["d", 1000.0]


def test_a_name_that_is_none_is_refused(gx: Gx) -> None:
    for signature, value in (("i", 5), ("d", 1.5), ("ai", []), ("s", "x" * 65), ("s", "a\nb")):
        assert gx.reader.write(ROOF, "/CustomName", signature, value) == 2
    assert gx.reader.value(ROOF, "/CustomName") == ["s", "roof"]


def test_changes_are_told_from_the_root_and_only_they(gx: Gx) -> None:
    owner = gx.reader.names()[ROOF]
    before = len(gx.reader.changes(owner))
    gx.told.state("roof", PvPower=1000.0)
    pause(1.2)
    assert len(gx.reader.changes(owner)) == before, "nothing has changed"
    gx.told.state("roof", PvPower=1001.0)
    until(lambda: len(gx.reader.changes(owner)) > before, "a change")
    assert gx.reader.changes(owner)[before] == {
        "/Ac/Power": ["d", 1001.0],
        "/Ac/L1/Power": ["d", 1001.0],
    }
    signals = [each for each in gx.reader.signals() if each["sender"] == owner]
    assert {each["path"] for each in signals} == {"/"}
    assert {each["member"] for each in signals} == {"ItemsChanged"}
    assert {each["signature"] for each in signals} == {"a{sa{sv}}"}
    assert all(each["no_reply"] for each in signals)


@pytest.mark.slow
def test_changes_come_together_once_a_second(gx: Gx) -> None:
    owner = gx.reader.names()[ROOF]
    gx.reader.changes(owner)
    pause(1.1)
    before = len(gx.reader.changes(owner))
    for number in range(40):
        gx.told.state("roof", PvPower=2000.0 + number)
        pause(0.05)
    until(
        lambda: gx.reader.changes(owner)[-1].get("/Ac/Power") == ["d", 2039.0], "the newest value"
    )
    # Some 2 s of changes, the first at once; a slow machine makes it more.
    assert 2 <= len(gx.reader.changes(owner)) - before <= 6


def test_everything_stands_before_the_name_is_claimed(gx: Gx) -> None:
    """Whoever looks at the moment the name appears finds a valid service."""
    gx.told.state("garage", Temperature=20)
    name = name_of("temperature", "temperature", "garage")
    items = until(lambda: gx.reader.items(name), "the first look")
    assert items["/DeviceInstance"] == ["i", 100]
    assert items["/Temperature"] == ["d", 20]
    assert items["/ProductName"][0] == "s"
