"""What is pushed, as pure data: frames and MQTT messages laid over a status, and the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from actors.devices.shelly import feeds, push
from actors.devices.shelly.actor import Shelly
from actors.devices.shelly.push import Pushed, challenge_of, sender, take_frame, take_mqtt
from actors.devices.shelly.settings import Settings
from bridge.actor import Context
from bridge.clock import Clock
from bridge.config import Config
from bridge.contract import load_contract
from bridge.errors import DeviceGarbled
from bridge.http.digest import frame_login
from bridge.mqtt import Endpoint

if TYPE_CHECKING:
    from pathlib import Path


def full(now: float = 0.0, **status: Any) -> Pushed:
    pushed = Pushed(1.0)
    pushed.asked({key.replace("_0", ":0"): value for key, value in status.items()}, now)
    return pushed


def test_when_the_device_is_to_be_asked() -> None:
    pushed = Pushed(10.0)
    assert pushed.due(0.0) == 0.0
    pushed.asked({}, 100.0)
    assert pushed.due(101.0) == 0.0
    pushed.told({}, 101.0)
    assert pushed.due(102.0) == 9.0
    assert pushed.fresh(110.9)
    assert not pushed.fresh(111.0)
    pushed.told({}, 159.0)
    assert pushed.due(159.0) == 1.0
    pushed.lost()
    assert pushed.due(159.0) == 0.0
    assert Pushed(1.0).check == push.LEAST_CHECK


def test_changes_are_laid_over_and_null_takes_away() -> None:
    pushed = full(switch_0={"id": 0, "output": True, "apower": 5.0}, wifi={"rssi": -50})
    told = {"method": "NotifyStatus", "params": {"ts": 1.0, "switch:0": {"apower": None}}}
    assert take_frame(pushed, told, 1.0)
    assert pushed.status == {
        "switch:0": {"id": 0, "output": True, "apower": None},
        "wifi": {"rssi": -50},
    }
    assert not take_frame(pushed, {"method": "NotifyEvent", "params": {}}, 1.0)
    assert not take_frame(Pushed(1.0), told, 1.0)
    assert take_frame(pushed, {"method": "NotifyFullStatus", "params": {"sys": {}}}, 2.0)
    assert pushed.status == {"sys": {}}


@pytest.mark.parametrize(
    ("rest", "payload", "taken"),
    [
        ("emeter/0/power", b"12.5", True),
        ("emeter/7/power", b"12.5", False),
        ("emeter/0/power", b"much", False),
        ("emeter/0/energy", b"5", False),
        ("emeter/x/power", b"5", False),
        ("emeter/0/power", b"nan", False),
        ("relay/0", b"off", True),
        ("relay/0", b"overpower", False),
        ("relay/3", b"on", False),
        ("announce", b"{}", False),
        ("status/switch:0", b'{"output": true}', True),
        ("status/switch:0", b"[]", False),
        ("online", b"true", False),
    ],
)
def test_mqtt_topics(rest: str, payload: bytes, *, taken: bool) -> None:
    pushed = full(emeters=[{"power": 1.0}], relays=[{"ison": True}], total_power=1.0)
    assert take_mqtt(pushed, rest, payload, 5.0) is taken
    assert pushed.fresh(6.0) is taken


def test_a_status_over_mqtt_is_the_whole_component() -> None:
    """An error that is over is simply not in it any more."""
    pushed = full(switch_0={"output": True, "errors": ["power_meter_failure"]}, wifi={"rssi": 1})
    assert take_mqtt(pushed, "status/switch:0", b'{"output": false, "apower": 0.0}', 1.0)
    assert pushed.status == {"switch:0": {"output": False, "apower": 0.0}, "wifi": {"rssi": 1}}
    assert not take_mqtt(Pushed(1.0), "status/switch:0", b'{"output": true}', 1.0)


def test_the_sum_of_phases_is_made_anew() -> None:
    pushed = full(emeters=[{"power": 1.0}], total_power=1.0)
    take_mqtt(pushed, "emeter/0/power", b"9", 1.0)
    assert pushed.status == {"emeters": [{"power": 9.0}], "total_power": None}


def test_offline_by_its_last_will_is_asked_about() -> None:
    pushed = full()
    pushed.told({}, 5.0)
    take_mqtt(pushed, "online", b"false", 6.0)
    assert pushed.due(6.0) == 0.0


def test_a_login_over_frames() -> None:
    text = (
        '{"auth_type": "digest", "nonce": 1725185413, "nc": 1, '
        '"realm": "shellypro3em-aabbccddeeff", "algorithm": "SHA-256"}'
    )
    challenge = challenge_of({"error": {"code": 401, "message": text}})
    assert challenge is not None
    found = frame_login(challenge, "admin", "shpw", "Y25vbmNl")
    assert found["response"] == "98974fc37b36ac3090b28c7d7a5fde93e50d34e46e1a84eeff50c70af4b0464e"
    assert found["nonce"] == 1725185413
    assert challenge_of({"error": {"code": 404}}) is None
    with pytest.raises(DeviceGarbled):
        challenge_of({"error": {"code": 401, "message": "no"}})


def test_who_sends_a_frame() -> None:
    assert sender({"src": "shellypro3em-aabbccddee01"}) == "AABBCCDDEE01"
    assert sender({"src": "nobody"}) is None
    assert sender({}) is None


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"push": "outbound"}, "listen"),
        ({"push": "websocket", "listen": "0.0.0.0:8123"}, "listen"),
        ({"push": "outbound", "listen": "0.0.0.0:99999"}, "listen"),
        ({"push": "websocket", "mqtt": "shelly-1"}, "mqtt"),
        ({"mqtt": "/shelly/"}, "mqtt"),
        ({"push": "websocket"}, None),
        ({"push": "outbound", "listen": "0.0.0.0:8123"}, None),
        ({"mqtt": "shellies/shellyem3-AABBCC"}, None),
    ],
)
def test_settings_that_belong_together(given: dict[str, Any], wrong: str | None) -> None:
    settings = msgspec.convert({"host": "h", **given}, Settings)
    assert [name for name, _ in settings.check()] == ([wrong] if wrong else [])


@pytest.mark.parametrize("prefix", ["", "a/#", "+/x", "a b"])
def test_a_prefix_that_is_none(prefix: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"host": "h", "mqtt": prefix}, Settings)


def test_a_feed_only_where_it_is_asked_for(tmp_path: Path) -> None:
    settings = Settings(host="127.0.0.1")
    context = Context(
        "meter", settings, Config(state=tmp_path), load_contract(), Endpoint("h", 1), Clock()
    )
    assert Shelly(context).feed is None
    assert feeds.SILENCE > push.FULL_CHECK
