"""What `doctor` tries of the broker: the connection, the permissions, and what is said there."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio

from bridge.cli.reach import endpoint_for
from bridge.errors import HeliographError
from bridge.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from bridge.config import Config
    from bridge.mqtt import Connection, Endpoint, Incoming

    Tell = Callable[[str, bool | None, str], None]

CONNECT = 5.0
LISTEN = 5.0
"""S that a topic is given to say something."""
_ROUND_TRIP = 2.0


@dataclass(slots=True)
class Overheard:
    """What was said on the broker: the newest live and the retained payload of each topic."""

    base: str
    connected: bool = False
    live: dict[str, bytes] = field(default_factory=dict)
    retained: dict[str, bytes] = field(default_factory=dict)

    @property
    def bridge(self) -> bool:
        """True while a bridge runs on our base."""
        return self.connected and self.newest(f"{self.base}/Bridge/Status") == b"online"

    def newest(self, topic: str) -> bytes | None:
        """The last payload, retained or not; None for nothing."""
        return self.live.get(topic) or self.retained.get(topic) or None

    def said(self, pattern: str, *, kept: bool) -> list[tuple[str, bytes]]:
        """What was said live, and with `kept` what was retained, on a topic or one with `+`."""
        heard = {**self.retained, **self.live} if kept else self.live
        wanted = re.compile(re.escape(pattern).replace(r"\+", "[^/]+"))
        return [(topic, each) for topic, each in heard.items() if each and wanted.fullmatch(topic)]


async def examine(
    config: Config,
    url: str | None,
    due: Collection[tuple[str, bool]],
    tell: Tell,
    heard: Overheard,
) -> None:
    """Try the broker; then listen until each (topic, retained is enough) of `due` was heard."""
    try:
        endpoint = endpoint_for(config, url)
    except HeliographError as error:
        tell("broker", False, str(error))
    else:
        await _try_broker(config, endpoint, due, tell, heard)


async def _try_broker(
    config: Config,
    endpoint: Endpoint,
    due: Collection[tuple[str, bool]],
    tell: Tell,
    heard: Overheard,
) -> None:
    from bridge.mqtt import Connection

    def receive(message: Incoming) -> None:
        (heard.retained if message.retained else heard.live)[message.topic] = message.payload

    name = f"{config.base.replace('/', '_')}-doctor-{uuid.uuid4().hex[:6]}"
    connection = Connection(endpoint, name, log=get_logger("doctor"), receive=receive)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(connection.run)
        with anyio.move_on_after(CONNECT):
            await connection.connected.wait()
        if connection.is_connected:
            version = endpoint.protocol.value if endpoint.protocol else "?"
            tell("broker", True, f"{endpoint.url} answers and speaks MQTT {version}")
            if version != "5":
                tell("broker", None, "MQTT 5 is missing: leases do not expire on the broker itself")
            heard.connected = True
            await _listen(config, connection, due)
            await _try_permissions(config, connection, heard.live, tell)
            if heard.bridge:
                tell("bridge", None, f"a bridge is running on base {config.base!r}")
            await _wait(due, heard)
        elif config.broker.embedded and connection.why == "nobody listens there":
            tell("broker", None, _embedded_remark())
        else:
            why = connection.why or "it does not answer"
            tell("broker", False, f"{endpoint.url} cannot be used: {why}")
        tasks.cancel_scope.cancel()


def _embedded_remark() -> str:
    from bridge.broker.mosquitto import find_mosquitto

    found = find_mosquitto()
    which = f"{found} will be started" if found else "no mosquitto is installed, amqtt will be used"
    return f"the embedded broker is not running now; {which} by `heliograph run`"


async def _try_permissions(
    config: Config, connection: Connection, inbox: dict[str, bytes], tell: Tell
) -> None:
    """Publish one harmless, unretained message of each sort and wait for it to come back."""
    base, mark = config.base, uuid.uuid4().hex[:8]
    tried = {
        "the bridge's status": f"{base}/Bridge/Ping",
        "actors": f"{base}/Actors/doctor-{mark}/Messages/Operational",
        "devices": f"{base}/Devices/doctor-{mark}/Power",
        "the site": f"{base}/Site/Doctor-{mark}",
        "allowances": f"{base}/Requests/doctor-{mark}/Allowance",
    }
    if config.discovery.enabled:
        own = f"{base.replace('/', '_')}_doctor-{mark}"
        tried["Home Assistant discovery"] = f"{config.discovery.prefix}/device/{own}/config"
    if config.compat.es_ess:
        tried["the es-ESS tree"] = f"es-ESS/SolarOverheadDistributor/Requests/doctor-{mark}/Error"
    await connection.subscribe([(topic, 1) for topic in tried.values()])
    for topic in tried.values():
        connection.send(topic, b"", qos=1)
    with anyio.move_on_after(_ROUND_TRIP):
        while any(topic not in inbox for topic in tried.values()):  # noqa: ASYNC110 - two seconds
            await anyio.sleep(0.02)
    missing = {what: topic for what, topic in tried.items() if topic not in inbox}
    for what, topic in missing.items():
        sentence = f"nothing comes back on {topic}: the broker's ACL must allow reading and writing"
        tell(f"permission for {what}", False, sentence)
    if not missing:
        tell("permissions", True, f"all {len(tried)} parts of the topic tree can be used")


async def _listen(
    config: Config, connection: Connection, due: Collection[tuple[str, bool]]
) -> None:
    """Hear what a running bridge says of itself, and the topics that actors need."""
    ours = ["Bridge/Status", "Actors/+/Health", "Actors/distributor/Status"]
    ours += ["Devices/+/Status", "Devices/+/State"]
    topics = [f"{config.base}/{each}" for each in ours]
    wanted = dict.fromkeys((*topics, *(topic for topic, _ in due)))
    await connection.subscribe([(topic, 1) for topic in wanted])


async def _wait(due: Collection[tuple[str, bool]], heard: Overheard) -> None:
    with anyio.move_on_after(LISTEN):
        while not all(heard.said(topic, kept=kept) for topic, kept in due):  # noqa: ASYNC110
            await anyio.sleep(0.05)
