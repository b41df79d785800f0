"""The actor: reads a GX over its own MQTT, serves its controls, and exports what the owner named.

How a GX is kept publishing is in keepalive.py and gx.py, what its values mean in decode.py, what is
written for a grid setpoint in setpoint.py, what is exported in exporter.py.
"""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec

from actors.venus.venus_mqtt import paths
from actors.venus.venus_mqtt.decode import Reader, number, rival
from actors.venus.venus_mqtt.exporter import Exporter
from actors.venus.venus_mqtt.gx import Gx, Quiet
from actors.venus.venus_mqtt.setpoint import Before, Combiner
from actors.venus.venus_mqtt.settings import Settings
from bridge.actor import client_id
from bridge.device import Device
from bridge.errors import DeviceError, DeviceRefused
from bridge.http.pin import Pin
from bridge.mqtt import Endpoint
from bridge.register_journal import FlashBudget
from bridge.victron import EXTERNAL_MODE, NO_GRID_SETPOINT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bridge.actor import Context
    from bridge.contract import Control

    Value = float | str | bool
    Values = Mapping[str, float | str | None]

_FAILURES: Final = 3
_CLOSE: Final = 0.05
_BACK_AGAIN: Final = 600.0
# Control -> its path, and whether it is an integer there. A GX says -1 for "no limit".
_KEPT: Final = {
    "MinSoc": (paths.MIN_SOC, False),
    "MaxChargeCurrent": (paths.MAX_CHARGE_CURRENT, True),
    "MaxDischargePower": (paths.MAX_DISCHARGE, False),
    "ExportLimit": (paths.MAX_FEED_IN, False),
}
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
        *("LoadPower", "LoadPowerL{phase}"),
    )
    controls: ClassVar[tuple[str, ...]] = ("GridSetpoint", *_KEPT)
    # When an override expires is not documented; a setting is only looked at: see `compares`.
    watchdog: ClassVar[Mapping[str, float]] = {"GridSetpoint": 20.0}
    tolerance: ClassVar[Mapping[str, float]] = {"GridSetpoint": 0.5, "MinSoc": 0.1}
    compares = True

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: Settings = self.settings
        low, high = settings.min_setpoint, settings.max_setpoint
        self._combiner = Combiner(settings.default_setpoint, low, high)
        self._before = Before(self.state)
        self._flash = FlashBudget(self.state, self.clock, settings.daily_writes)
        self._reader = Reader()
        self.exporter = Exporter(settings.export, self.config.base)
        self.gx = self._connect()
        self._looked = False
        self._back_again = 0.0
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
            return self._reader.reading(await self.gx.reading())

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
        for name, (path, _) in _KEPT.items():
            if path in heard:
                limit = number(heard[path])
                self.desk.there(name, self.id)
                await self.control_state(name, limit if limit is None or limit >= 0 else None)
        await self._see_setpoint(number(heard.get(self._setpoint_path)))
        return values

    async def _see_setpoint(self, found: float | None) -> None:
        usual = self._combiner.default
        if not self._looked and found is not None:
            self._looked = True
            left = usual is not None and abs(found - usual) > _CLOSE
            if left and self.desk.lease("GridSetpoint") is None and not self._overrides:
                # Somebody's setpoint outlived him; the owner has said what it is to be.
                self.log.warning(f"the GX's setpoint is {found:g} W, not {usual:g} W: put back")
                self.desk.owe("GridSetpoint")
        await self.control_state("GridSetpoint", self._combiner.asked(found))

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

    @property
    def _overrides(self) -> bool:
        return bool(self.settings.setpoint == "override")

    @property
    def _setpoint_path(self) -> str:
        return paths.OVERRIDE if self._overrides else paths.AC_SETPOINT

    def control_entry(self, control: str, device: str) -> Control:
        """The contract's entry; a grid setpoint within the owner's bounds."""
        entry = super().control_entry(control, device)
        if control != "GridSetpoint":
            return entry
        low, high = self._combiner.bounds
        return msgspec.structs.replace(entry, min=low, max=high)

    def may_hold(self, control: str, device: str) -> bool:
        """False while nothing was written; see Device."""
        del device
        noted = bool(self._before.written) or self._before.override
        return control != "GridSetpoint" or self._overrides or noted

    async def write_control(
        self, control: str, value: Value | None, *, device: str
    ) -> Value | None:
        """Write and read back. Raises DeviceError."""
        if isinstance(value, (str, bool)):
            return await super().write_control(control, value, device=device)
        async with self.gx.held():
            if value is not None:
                await self.gx.ready()
                self.gx.check_alone()
            if control == "GridSetpoint":
                return await (self._put_back() if value is None else self._set_grid(value))
            if control in _KEPT and value is not None:
                path, whole = _KEPT[control]
                return await self._write(path, value, whole=whole)
        return await super().write_control(control, value, device=device)

    async def _set_grid(self, asked: float) -> float | None:
        if number(await self.gx.read(paths.HUB4_MODE)) == EXTERNAL_MODE:
            raise DeviceRefused(f"{NO_GRID_SETPOINT}: choose another one on the GX first")
        target = self._combiner.target(asked)
        if self._overrides:
            self._before.overriding()
            return self._combiner.asked(await self.gx.write(paths.OVERRIDE, target))
        present = number(await self.gx.read(paths.AC_SETPOINT))
        if present is None or abs(present - target) > _CLOSE or not self._before.written:
            self._flash.check(self.id, [paths.AC_SETPOINT])
            self._before.writing(present, target, default=self._combiner.default)
        return self._combiner.asked(await self._write(paths.AC_SETPOINT, target, present=present))

    async def _put_back(self) -> None:
        # What an earlier life wrote counts, whatever this one is set up to write.
        before = self._before
        overridden = self._overrides or before.override
        if overridden:
            await self._release_override()
        if before.written or not overridden:
            await self._put_back_setting(before)
        before.forget()

    async def _put_back_setting(self, before: Before) -> None:
        usual = self._combiner.default
        present = number(await self.gx.read(paths.AC_SETPOINT))
        wanted = before.original if usual is None else usual
        if wanted is None:
            raise DeviceRefused(
                "what the GX's grid setpoint was is not known:"
                " set it on the GX, or `default_setpoint` here"
            )
        # Who has changed it since has done so on purpose; but the owner's word here counts most.
        if usual is not None or present is None or before.ours(present):
            found = await self._write(paths.AC_SETPOINT, wanted, present=present, giving_back=True)
            if found is None or abs(found - wanted) > _CLOSE:
                raise DeviceError(f"{self.gx.name} did not take its grid setpoint of {wanted:g} W")

    async def _release_override(self) -> None:
        """Null releases it; where that is not taken, the owner's setting is what it overrides."""
        if await self.gx.write(paths.OVERRIDE, None) is None:
            return
        wanted = number(await self.gx.read(paths.AC_SETPOINT))
        if wanted is None or await self.gx.write(paths.OVERRIDE, wanted) != wanted:
            raise DeviceError(f"{self.gx.name} did not let go of the override of its grid setpoint")

    async def _write(
        self,
        path: str,
        value: float,
        *,
        whole: bool = False,
        present: float | None = None,
        giving_back: bool = False,
    ) -> float | None:
        """Write what differs, within the writes of a day; the value as read back."""
        if present is None:
            present = number(await self.gx.read(path))
        if present is not None and abs(present - value) <= _CLOSE:
            return present
        self._spend(path, giving_back=giving_back)
        return await self.gx.write(path, value, whole=whole)

    def _spend(self, path: str, *, giving_back: bool) -> None:
        """Count a write of flash. Raises DeviceError when the day's are used up.

        What is put back is never given up, only tried less often.
        """
        try:
            self._flash.check(self.id, [path], giving_back=giving_back)
        except DeviceError:
            now = self.clock.now()
            if not giving_back or now < self._back_again:
                raise
            self._back_again = now + _BACK_AGAIN
        self._flash.count(self.id, [path])


__all__ = ["Settings", "VenusMqtt"]
