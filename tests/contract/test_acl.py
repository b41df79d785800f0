"""The broker's access rules, on a real mosquitto: who gets through and who does not."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from bridge.contract import load_contract
from bridge.contract.acl import AclUsers, acl
from bridge.errors import ContractError
from tests.support.mosquitto import Mosquitto, needs_mosquitto

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from paho.mqtt.client import MQTTMessage

C = load_contract()
BASE = "my/house"
USERS = ("heliograph", "homeassistant", "dashboard", "pool", "heater", "roof", "stranger")
PASSWORD = "a secret"
WAIT = 10.0


class User:
    """A client that hears `#`, as far as it is let."""

    def __init__(self, broker: Mosquitto, name: str) -> None:
        self.heard: list[str] = []
        self._end = threading.Event()
        self._marker = ""
        ready = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTv311)
        self._client.username_pw_set(name, PASSWORD)
        self._client.on_message = self._on_message
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.on_connect = self._on_connect
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        assert ready.wait(WAIT), f"{name} could not connect"

    def _on_connect(self, *_: object) -> None:
        self._client.subscribe("#", 1)

    def _on_message(self, _client: object, _data: object, message: MQTTMessage) -> None:
        self.heard.append(message.topic)
        if message.topic == self._marker:
            self._end.set()

    def publish(self, topics: Iterable[str]) -> None:
        """Publish on each and wait until the broker has dealt with it."""
        for topic in topics:
            self._client.publish(topic, b"1", qos=1).wait_for_publish(WAIT)

    def hear(self, marker: str, sender: User) -> set[str]:
        """What came before `marker`, which `sender` publishes now."""
        self._end.clear()
        self._marker = marker
        sender.publish([marker])
        assert self._end.wait(WAIT), f"nothing came on {marker}"
        found = set(self.heard) - {marker}
        self.heard.clear()
        return found

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class House:
    """A broker with the generated rules and one client for each user."""

    def __init__(self, broker: Mosquitto) -> None:
        self.broker = broker
        self.users = {name: User(broker, name) for name in USERS}
        self.bridge = self.users["heliograph"]

    def passes(self, name: str, topics: Iterable[str]) -> set[str]:
        """Which of the topics arrive at the bridge when `name` publishes them."""
        self.bridge.hear(f"{BASE}/Marker/before", self.bridge)
        self.users[name].publish(topics)
        return self.bridge.hear(f"{BASE}/Marker/after", self.bridge)

    def reaches(self, name: str, topics: Iterable[str]) -> set[str]:
        """Which of the topics arrive at `name` when the bridge publishes them."""
        marker = f"{BASE}/Bridge/Status"
        self.users[name].hear(marker, self.bridge)
        self.bridge.publish(topics)
        return self.users[name].hear(marker, self.bridge)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    rules = acl(C, base=BASE, prefix="discovery", es_ess=True)
    users = dict.fromkeys(USERS, PASSWORD)
    with Mosquitto(users=users, acl=rules) as broker:
        found = House(broker)
        yield found
        for user in found.users.values():
            user.close()


pytestmark = needs_mosquitto
ES_ESS = "es-ESS/SolarOverheadDistributor/Requests"
EVERYWHERE = [
    f"{BASE}/Bridge/Status",
    f"{BASE}/Bridge/Info",
    f"{BASE}/Actors/distributor/Status",
    f"{BASE}/Actors/pool/Status",
    f"{BASE}/Devices/pool/GridPower",
    f"{BASE}/Devices/meter/GridPower",
    f"{BASE}/Devices/ess/BatterySetpoint",
    f"{BASE}/Devices/ess/BatterySetpoint/Set",
    f"{BASE}/Devices/ess/Status",
    f"{BASE}/Site/GridPower",
    f"{BASE}/Site/Balance",
    f"{BASE}/Site/Hold",
    f"{BASE}/Site/Pause",
    f"{BASE}/Site/Pause/Set",
    f"{BASE}/Requests/heater/Request",
    f"{BASE}/Requests/heater",
    f"{BASE}/Requests/heater/Allowance",
    f"{BASE}/Requests/heater/Priority/Set",
    "discovery/device/x/config",
    "other/topic",
]


def test_the_bridge_writes_and_hears_what_is_its_own(house: House) -> None:
    own = [topic for topic in EVERYWHERE if topic != "other/topic"] + ["es-ESS/$SYS/Status"]
    assert house.passes("heliograph", [*own, "other/topic"]) == set(own)


def test_a_consumer_asks_for_itself_and_for_nobody_else(house: House) -> None:
    own = [f"{BASE}/Requests/pool", *(f"{BASE}/Requests/pool/{field}" for field in C.fields)]
    own.append(f"{ES_ESS}/pool/Request")
    forbidden = [
        *EVERYWHERE,
        f"{BASE}/Requests/pool/Allowance",
        f"{BASE}/Requests/pool/Grant",
        f"{BASE}/Requests/pool/Reason",
        f"{BASE}/Requests/pool/Error",
        f"{BASE}/Requests/pool/Energy",
        f"{BASE}/Requests/pool/IsAutomatic/Set",
        f"{BASE}/Requests/pool/Priority/Set",
        f"{BASE}/Requests/pool/More",
        f"{ES_ESS}/pool/Allowance",
        f"{ES_ESS}/heater/Request",
    ]
    allowed_of_everywhere = {f"{BASE}/Devices/pool/GridPower"}
    assert house.passes("pool", [*own, *forbidden]) == set(own) | allowed_of_everywhere


def test_a_consumer_hears_its_own_allowance_only(house: House) -> None:
    own = [f"{BASE}/Requests/pool/{name}" for name in ("Allowance", "Grant", "Reason", "Error")]
    own += [f"{BASE}/Requests/pool/Energy", f"{BASE}/Actors/distributor/Status"]
    own += [f"{ES_ESS}/pool/Allowance", f"{ES_ESS}/pool/allowance", "es-ESS/$SYS/Status"]
    others = [topic for topic in EVERYWHERE if topic not in own]
    others += [f"{ES_ESS}/heater/Allowance", f"{BASE}/Requests/pool/Priority/Set"]
    others += [f"{BASE}/Requests/pool", f"{BASE}/Requests/pool/Request"]
    others.remove(f"{BASE}/Bridge/Status")
    assert house.reaches("pool", own + others) == set(own)


def test_an_external_device_publishes_its_readings_only(house: House) -> None:
    own = [f"{BASE}/Devices/roof/{name}" for name in C.members]
    own += [f"{BASE}/Devices/roof/State", f"{BASE}/Devices/roof/Info"]
    forbidden = [
        *EVERYWHERE,
        f"{BASE}/Devices/roof/Status",
        f"{BASE}/Devices/roof/Switch",
        f"{BASE}/Devices/roof/Switch/Set",
        f"{BASE}/Devices/roof/Nonsense",
        f"{BASE}/Actors/roof/Status",
    ]
    assert house.passes("roof", own + forbidden) == set(own)


def test_the_operator_gives_orders_and_hears_everything(house: House) -> None:
    orders = [
        f"{BASE}/Devices/ess/BatterySetpoint/Set",
        f"{BASE}/Site/Pause/Set",
        f"{BASE}/Requests/heater/Priority/Set",
        f"{BASE}/Requests/heater/IsAutomatic/Set",
        f"{BASE}/Bridge/Ping",
        "discovery/status",
    ]
    own = {f"{BASE}/Requests/homeassistant/Request", f"{BASE}/Devices/homeassistant/GridPower"}
    assert house.passes("homeassistant", [*EVERYWHERE, *orders, *own]) == set(orders)
    heard = set(EVERYWHERE) - {"other/topic", f"{BASE}/Bridge/Status"}
    assert house.reaches("homeassistant", EVERYWHERE) == heard


def test_the_dashboard_only_looks(house: House) -> None:
    own = [f"{BASE}/Requests/dashboard/Request", f"{BASE}/Devices/dashboard/GridPower"]
    assert house.passes("dashboard", [*EVERYWHERE, *own]) == set()
    hidden = {"other/topic", "discovery/device/x/config", f"{BASE}/Bridge/Status"}
    assert house.reaches("dashboard", EVERYWHERE) == set(EVERYWHERE) - hidden


def test_a_stranger_with_a_password_can_ask_only_for_itself(house: House) -> None:
    assert house.passes("stranger", EVERYWHERE) == set()
    assert house.reaches("stranger", EVERYWHERE[3:]) == set()


def test_without_a_password_nobody_gets_in(house: House) -> None:
    refused = threading.Event()
    client = Client(CallbackAPIVersion.VERSION2, "nobody", protocol=MQTTv311)

    def on_connect(
        _client: Client, _data: object, _flags: object, code: object, *_: object
    ) -> None:
        if getattr(code, "is_failure", False):
            refused.set()

    client.on_connect = on_connect
    client.connect("127.0.0.1", house.broker.port)
    client.loop_start()
    try:
        assert refused.wait(WAIT)
    finally:
        client.disconnect()
        client.loop_stop()


def test_the_rules_without_es_ess_do_not_speak_of_it() -> None:
    assert "es-ESS" not in acl(C)
    assert "topic readwrite heliograph/#" in acl(C)


@pytest.mark.parametrize(
    "users",
    [AclUsers(bridge="a", operator="a"), AclUsers(dashboard="+"), AclUsers(bridge="")],
)
def test_users_that_cannot_be_told_apart_are_refused(users: AclUsers) -> None:
    with pytest.raises(ContractError, match="three user names"):
        acl(C, users=users)
