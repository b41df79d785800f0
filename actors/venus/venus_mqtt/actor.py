"""The actor: reads a GX over its own MQTT, serves its controls, and exports what the owner named.

How a GX is kept publishing is in keepalive.py and gx.py, what its values mean in decode.py, what is
written for a grid setpoint in grid.py, for a limit in limits.py, for a relay in relays.py, what is
exported in exporter.py.
"""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec

from actors.venus.venus_mqtt import paths
from actors.venus.venus_mqtt.decode import Reader, number, rival
from actors.venus.venus_mqtt.exporter import Exporter
from actors.venus.venus_mqtt.grid import Grid, Standing, active
from actors.venus.venus_mqtt.gx import Gx, Quiet
from actors.venus.venus_mqtt.limits import KEPT, UNLIMITED, set_limit
from actors.venus.venus_mqtt.relays import SWITCH, numbered, relays, switch
from actors.venus.venus_mqtt.settings import Settings
from actors.venus.venus_mqtt.writing import FlashWriter
from bridge.actor import client_id
from bridge.config.types import VALID_ID
from bridge.device import Device
from bridge.errors import DeviceError
from bridge.http.pin import Pin
from bridge.mqtt import Endpoint
from bridge.register_journal import FlashBudget
from bridge.victron import relay_device

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bridge.actor import Context
    from bridge.contract import Control

    Value = float | str | bool
    Values = Mapping[str, float | str | None]

_FAILURES: Final = 3
_MODEL: Final = "GX system"


class VenusMqtt(Device):
    """A Victron GX over the MQTT broker that runs on it."""

    kind = "venus_mqtt"
    Settings = Settings
    quantities: ClassVar[tuple[str, ...]] = (
        *("GridPower", "GridPowerL{phase}", "GeneratorPower", "AcInputSource"),
        *("PvPower", "PvPowerL{phase}", "PvOnGridPower", "PvOnOutputPower"),
        *("PvOnGeneratorPower", "PvDcPower"),
        *("BatteryPower", "BatteryCurrent", "BatteryVoltage", "BatterySoc", "BatteryTemperature"),
        *("BatteryTimeToGo", "BatteryState", "ActiveMinSoc"),
        *("LoadPower", "LoadPowerL{phase}", "ActiveGridSetpoint"),
    )
    controls: ClassVar[tuple[str, ...]] = ("GridSetpoint", *KEPT, SWITCH)
    # When an override expires is not documented; a setting is only looked at: see `compares`.
    watchdog: ClassVar[Mapping[str, float]] = {"GridSetpoint": 20.0}
    tolerance: ClassVar[Mapping[str, float]] = {"GridSetpoint": 0.5, "MinSoc": 0.1}
    compares = True

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: Settings = self.settings
        self._reader = Reader()
        self.exporter = Exporter(settings.export, self.config.base)
        self.gx = self._connect()
        budget = FlashBudget(self.state, self.clock, settings.daily_writes)
        self.flash = FlashWriter(self.gx, self.id, budget, self.clock)
        self._grid = Grid(self.gx, self.flash, settings, self.state)
        self._standing = Standing(self._grid.usual)
        self._looked = False
        # What takes time at the GX is waited for; more than this is a fault.
        self.slowest_beat = max(self.slowest_beat, 4 * settings.timeout)

    def _connect(self) -> Gx:
        settings: Settings = self.settings
        endpoint = Endpoint(
            host=settings.host.strip("[]"),
            port=settings.tcp_port,
            tls=settings.tls,
            # A GX looks at the password alone, but MQTT has none without a name.
            username=settings.username or ("heliograph" if settings.password else None),
            password=settings.password.reveal() if settings.password else None,
            ca=str(settings.ca) if settings.ca else None,
        )
        pin = None
        if settings.tls and settings.ca is None:
            pin = Pin(
                endpoint.host,
                endpoint.port,
                name=f"the GX at {endpoint.host}",
                clock=self.clock,
                given=settings.fingerprint,
                state=self.state,
                place=f"{self.config.state}/{self.id}/certificate.json",
                timeout=settings.timeout,
            )
        return Gx(
            endpoint,
            # Never the same twice: whoever takes a client's id ends its connection.
            f"{client_id(self.config.base, self.id)}-{secrets.token_hex(3)}",
            clock=self.clock,
            log=self.log,
            timeout=settings.timeout,
            silence=settings.silence,
            paths=(*paths.WANTED, *self.exporter.filters),
            portal=settings.portal_id,
            pin=pin,
            heard=self._export if settings.export else None,
        )

    # ---------------------------------------------------------------- life

    async def run(self) -> None:
        """Publish what the GX says until stopped; offline after a silence, or three failures."""
        async with self.gx.held():
            failed = 0
            async for _ in self.every(self.settings.interval):
                try:
                    values = await self._reading()
                except DeviceError as error:
                    failed += 1
                    lasting = failed >= _FAILURES and not isinstance(error, Quiet)
                    gone = lasting or self.gx.silent
                    await self._failed(str(error), int(gone), 1)
                    if gone:
                        self._unexport()
                    continue
                failed = 0
                await self.reading(values)
                await self.health(None)

    async def safe(self) -> None:
        """What is exported is not known any more once nobody reads the GX."""
        self._unexport()

    @contextlib.asynccontextmanager
    async def direct(self) -> AsyncIterator[None]:
        """Hold the connection for readings without a bridge."""
        async with self.gx.held():
            yield

    async def read_once(self) -> Values:
        """One reading. Raises DeviceError."""
        async with self.gx.held():
            heard = await self.gx.reading()
            return self._reader.reading(heard) | {"ActiveGridSetpoint": active(heard)}

    async def _reading(self) -> Values:
        values = await self.read_once()
        heard = self.gx.values
        await self.info("Victron Energy", _MODEL, self.gx.portal, None)
        lost = " and ".join(self._reader.lost)
        await self.warn("phases", f"{lost} of the GX is not known any more" if lost else None)
        odd = self._reader.odd
        await self.warn("odd", f"{odd[0]} of the GX is not a number" if odd else None)
        await self.warn("rival", rival(heard))
        await self._tell_exports()
        for name, (path, _) in KEPT.items():
            if path in heard:
                limit = number(heard[path])
                self.desk.there(name, self.id)
                await self.control_state(name, limit if limit is None or limit >= 0 else None)
        await self._see_setpoint()
        await self._see_relays()
        return values

    async def _see_setpoint(self) -> None:
        heard = self.gx.values
        found = number(heard.get(paths.AC_SETPOINT))
        free = self.desk.lease("GridSetpoint") is None and not self.desk.owed("GridSetpoint")
        if free and not self._looked and found is not None:
            self._looked = True
            if self._standing.off(found):
                # Somebody's setpoint outlived him; the owner has said what it is to be.
                usual = self._grid.usual
                sentence = (
                    f"the GX's setpoint was {found:g} W at the start: {usual:g} W is put back"
                )
                self.log.warning(sentence)
                await self.message("Operational", sentence)
                self.desk.owe("GridSetpoint")
                free = False
        if free:
            news = self._standing.news(found)
            if news is not None:
                await self.message("Operational", news)
        await self.warn("setpoint", self._standing.warning(found) if free else None)
        await self.control_state("GridSetpoint", self._grid.asked(heard))

    async def _see_relays(self) -> None:
        for relay, closed in relays(self.gx.values).items():
            device = relay_device(self.id, relay)
            if not VALID_ID.match(device):
                await self.warn("relay", f"{device} is too long for an id: shorten {self.id}")
                continue
            await self.info("Victron Energy", f"Relay {relay} of a GX", device=device)
            await self.seen({}, device=device)
            await self.control_state(SWITCH, closed, device=device)

    # ---------------------------------------------------------------- exports

    def _export(self, path: str, payload: bytes) -> None:
        for topic, value in self.exporter.take(path, payload):
            self.bus.publish_raw(topic, value, qos=0, retain=True)

    def _unexport(self) -> None:
        for topic, value in self.exporter.clear():
            self.bus.publish_raw(topic, value, qos=0, retain=True)

    async def _tell_exports(self) -> None:
        exporter, said = self.exporter, []
        if exporter.full:
            said.append("the rules of `export` match more topics than are taken")
        if exporter.contested:
            topic, owner = next(iter(exporter.contested.items()))
            said.append(f"several values are exported to {topic}; {owner} has it")
        if exporter.refused:
            said.append(f"nothing is exported to {next(iter(exporter.refused))}")
        await self.warn("export", "; ".join(said) or None)

    # ---------------------------------------------------------------- controls

    def controls_at_start(self) -> Mapping[str, tuple[str, ...]]:
        """All but the relays', which are devices of their own where there are any."""
        return {self.id: tuple(name for name in self.controls if name != SWITCH)}

    def control_entry(self, control: str, device: str) -> Control:
        """The contract's entry; a grid setpoint within the owner's bounds."""
        entry = super().control_entry(control, device)
        if control != "GridSetpoint":
            return entry
        low, high = self._grid.combiner.bounds
        return msgspec.structs.replace(entry, min=low, max=high)

    def may_hold(self, control: str, device: str) -> bool:
        """False while nothing was written; see Device."""
        del device
        return control != "GridSetpoint" or self._grid.overrides or self._grid.written

    def may_return(self, control: str, device: str) -> bool:
        """True for the limits that may be none; see Device."""
        return control in UNLIMITED and device == self.id

    def in_force(self, control: str, value: Value, *, device: str) -> tuple[Value, str | None]:
        """With the owner's default setpoint added; see Device."""
        if control != "GridSetpoint" or isinstance(value, (str, bool)):
            return super().in_force(control, value, device=device)
        return self._grid.combiner.in_force(value)

    async def write_control(
        self, control: str, value: Value | None, *, device: str
    ) -> Value | None:
        """Write and read back. Raises DeviceError."""
        return await self._write(control, value, device, giving_back=False)

    async def put_back(self, control: str, value: Value | None, *, device: str) -> Value | None:
        """The same for what it had before: the flash's writes of a day do not count."""
        return await self._write(control, value, device, giving_back=True)

    async def _write(
        self, control: str, value: Value | None, device: str, *, giving_back: bool
    ) -> Value | None:
        async with self.gx.held():
            if value is not None or control in KEPT:
                await self.gx.ready()
                self.gx.check_alone()
            relay = numbered(device, self.id)
            if control == SWITCH and relay is not None and isinstance(value, bool):
                return await switch(self.gx, self.flash, relay, on=value)
            if not isinstance(value, (str, bool)):
                if control == "GridSetpoint":
                    grid = self._grid
                    return await (grid.put_back() if value is None else grid.set(value))
                if control in UNLIMITED or (control in KEPT and value is not None):
                    return await set_limit(
                        self.gx, self.flash, control, value, giving_back=giving_back
                    )
        return await super().write_control(control, value, device=device)


__all__ = ["Settings", "VenusMqtt"]
