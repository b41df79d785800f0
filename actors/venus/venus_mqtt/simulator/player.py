"""The part of a GX that speaks MQTT: it publishes on a broker by the rules that a GX has."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

import anyio

from actors.venus.venus_mqtt.simulator.faults import payload, shown
from actors.venus.venus_mqtt.simulator.plant import PORTAL, Plant
from bridge.log import get_logger
from bridge.mqtt import Connection, Endpoint

if TYPE_CHECKING:
    from bridge.mqtt import Incoming

ALIVE: Final = 60.0
_PER_SECOND: Final = 3
_TICK: Final = 0.02


class Player:
    """One connection to the broker at `url`; `run` until cancelled.

    May be changed at any time: plant: what it holds; fault: a key of FAULTS; old: dbus-mqtt (all
    retained, no echo, no heartbeat) instead of flashmq; heartbeat: s between two; alive: s that a
    keepalive lasts.
    `keepalives`, `asked` and `written` hold what came.
    """

    def __init__(
        self,
        plant: Plant | None = None,
        *,
        portal: str = PORTAL,
        old: bool = False,
        heartbeat: float = 3.0,
        alive: float = ALIVE,
    ) -> None:
        self.plant = plant or Plant()
        self.portal, self.old, self.heartbeat, self.alive = portal, old, heartbeat, alive
        self.fault: str | None = None
        self.keepalives: list[bytes] = []
        self.written: list[tuple[str, Any]] = []
        self.asked: list[str] = []
        self.publishes = 0
        self._told: dict[str, bytes] = {}
        self._until = 0.0
        self._beat_at = 0.0
        self._window, self._in_window = 0.0, 0
        self._connection: Connection | None = None

    async def run(self, url: str, username: str | None = None, password: str | None = None) -> None:
        """Connect, and live."""
        self._connection = connection = Connection(
            Endpoint.from_url(url, username=username, password=password),
            f"gx-{self.portal}",
            log=get_logger("sim"),
            receive=self._heard,
            announce=self._started,
        )
        await connection.subscribe([(f"R/{self.portal}/#", 0), (f"W/{self.portal}/#", 1)])
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(connection.run)
            await connection.connected.wait()
            while True:
                self._step(anyio.current_time())
                await anyio.sleep(_TICK)

    async def _started(self) -> None:
        self._told.clear()
        self._send("keepalive", payload(1) if self.old else b"1")
        self._send("system/0/Serial", payload(self.portal), retain=True)

    def _send(self, path: str, content: bytes, *, retain: bool | None = None) -> None:
        assert self._connection is not None  # noqa: S101 - only `run` leads here
        kept = self.old if retain is None else retain
        self._connection.send(f"N/{self.portal}/{path}", content, retain=kept)

    def _step(self, now: float) -> None:
        if self.fault == "silence":
            return
        if not self.old and now >= self._beat_at:
            self._beat_at = now + self.heartbeat
            self._send("heartbeat", payload(int(time.time())))
        if now >= self._until:
            if self.old and self._told:
                for path in self._told.keys() - {"system/0/Serial"}:
                    self._send(path, b"")
            self._told.clear()
            return
        for path, content in self._shown().items():
            if self._told.get(path) != content:
                self._told[path] = content
                self._send(path, content)

    def _shown(self) -> dict[str, bytes]:
        values = self.plant.values()
        values["system/0/Serial"] = self.portal
        return shown(values, self.fault)

    # ---------------------------------------------------------------- what comes

    def _heard(self, message: Incoming) -> None:
        kind, _, rest = message.topic.partition("/")
        path = rest.partition("/")[2]
        if self.fault == "silence":
            return
        if kind == "W":
            self._write(path, message.payload)
        elif path == "keepalive":
            self._keepalive(message.payload)
        else:
            self._read(path)

    def _read(self, path: str) -> None:
        """Answer for one value, or for every leaf below a node; nothing for what does not exist."""
        self.asked.append(path)
        for each, content in self._shown().items():
            if each == path or each.startswith(f"{path}/"):
                self._send(each, content)
                if each in self._told:
                    self._told[each] = content

    def _write(self, path: str, content: bytes) -> None:
        try:
            found = json.loads(content)
        except ValueError:
            return
        if not isinstance(found, dict) or "value" not in found:
            return
        self.written.append((path, found["value"]))
        if self.fault != "deaf":
            self.plant.write(path, found["value"])

    def _keepalive(self, content: bytes) -> None:
        now = anyio.current_time()
        self.keepalives.append(content)
        if self.old:
            if content:  # read as a list of filters; ours would match nothing
                return
            self._until = now + self.alive
            return
        self._until = now + self.alive
        if b"suppress-republish" in content:
            return
        if now - self._window >= 1:
            self._window, self._in_window = now, 0
        self._in_window += 1
        if self._in_window > _PER_SECOND:
            return
        self.publishes += 1
        self._told.clear()
        self._step(now)
        done: dict[str, Any] = {"value": int(time.time())}
        echo = _echo(content)
        if echo is not None:
            done["full-publish-completed-echo"] = echo
        self._send("full_publish_completed", json.dumps(done).encode())


def _echo(content: bytes) -> str | None:
    try:
        options = json.loads(content)["keepalive-options"]
    except (ValueError, LookupError, TypeError):
        return None
    for each in options if isinstance(options, list) else []:
        if isinstance(each, dict) and "full-publish-completed-echo" in each:
            return str(each["full-publish-completed-echo"])
    return None
