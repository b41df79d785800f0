"""The actor: walks the chain of models, and publishes each device that it finds behind it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Meta

from actors.devices.sunspec.chain import COMMON, HEADER, MARKER, Chain, Walk
from actors.devices.sunspec.compose import Wishes, compose
from actors.devices.sunspec.meters import Role, Sign
from actors.devices.sunspec.models import READ_ONCE, Model, known, model_at
from bridge.config.types import VALID_ID
from bridge.errors import DeviceError, DeviceGarbled, DeviceRefused, DeviceTimeout
from bridge.modbus.identity import identity
from bridge.modbus.wire import ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, ILLEGAL_VALUE, Refusal
from bridge.register_device import Bound, RegisterDevice, RegisterSettings, Unit
from bridge.registers import Pacing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actors.devices.sunspec.chain import Place
    from bridge.actor import Context
    from bridge.registers.model import Value

_LONGEST_READ = 125
_METER_AGAIN = 60.0
_OPTIONAL = re.compile(r"L[1-3]$|ApparentPower")
_NOT_THERE = frozenset({ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE})


class Settings(RegisterSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As every device made of registers (`unit`: 1 unless set), and what the device cannot tell.

    meter_unit: Modbus unit id of a meter with a chain of its own; meter_sign: what + means on the
    meters, by the maker unless set; role: of the first meter; battery_sign: what + means in model
    802 and at a battery's port of 714; base: where the chain begins; solaredge_storage: read
    SolarEdge's battery beside SunSpec.
    """

    meter_unit: Unit | None = None
    meter_sign: Sign | None = None
    role: Role | None = None
    battery_sign: Literal["charge", "discharge"] | None = None
    base: Annotated[int, Meta(ge=0, le=65533)] | None = None
    solaredge_storage: bool = False

    def identity(self) -> str:
        """Where it is, and which unit; equal for one device. See bridge/config/twins.py."""
        return identity(self, 1, self.port)


class SunSpec(RegisterDevice):
    """Inverters, meters and batteries of any maker that follows SunSpec."""

    kind = "sunspec"
    Settings = Settings
    quantities: ClassVar[tuple[str, ...]] = (
        *("InverterPower", "InverterPowerL{phase}", "InverterVoltageL{phase}"),
        *("InverterCurrentL{phase}", "InverterFrequency", "InverterTemperature", "InverterState"),
        *("PvPower", "PvPowerL{phase}", "PvVoltageL{phase}", "PvCurrentL{phase}", "PvEnergy"),
        *("PvString{n}Power", "PvString{n}Voltage", "PvString{n}Current"),
        *("BatteryPower", "BatteryCurrent", "BatteryVoltage", "BatterySoc", "BatterySoh"),
        *("BatteryState", "BatteryCapacity", "BatteryEnergy", "BatteryCycles"),
        *("BatteryChargeEnergy", "BatteryDischargeEnergy"),
        *("GridPower", "GridPowerL{phase}", "GridVoltageL{phase}", "GridCurrentL{phase}"),
        *("GridFrequency", "GridApparentPower", "GridApparentPowerL{phase}"),
        *("GridImportEnergy", "GridImportEnergyL{phase}"),
        *("GridExportEnergy", "GridExportEnergyL{phase}"),
        *("LoadPower", "LoadPowerL{phase}", "LoadEnergy"),
        *("Power", "PowerL{phase}", "VoltageL{phase}", "CurrentL{phase}", "Frequency"),
        *("ApparentPower", "ApparentPowerL{phase}", "Energy", "EnergyL{phase}"),
        *("ReturnedEnergy", "ReturnedEnergyL{phase}"),
    )
    controls: ClassVar[tuple[str, ...]] = (
        *("PvLimit", "BatterySetpoint", "BatteryMode"),
        *("MaxChargePower", "MaxDischargePower", "MinSoc", "MaxSoc"),
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.chain: Chain | None = None
        self._kept: tuple[Bound, ...] = ()
        self._head: Sequence[int] = ()
        self._meter_at: float | None = None
        self._told: dict[str, set[str]] = {}

    def pacing(self) -> Pacing:
        """None; without opening all tables to learn it."""
        return Pacing()

    def refine(
        self,
        device: str,
        values: dict[str, Value | None],
        rows: Mapping[str, Value | None],  # noqa: ARG002 - as the base
    ) -> Mapping[str, Value | None]:
        """Leave out what a model may have of single phases and this device never told."""
        told = self._told.setdefault(device, set())
        told.update(name for name, value in values.items() if value is not None)
        return {n: v for n, v in values.items() if n in told or not _OPTIONAL.search(n)}

    # ---------------------------------------------------------------- what there is

    async def read_all(self) -> Mapping[str, Mapping[str, Value | None]]:
        """As every device; a meter that did not answer at first is looked for once a minute."""
        if self._meter_at is not None and self.clock.now() >= self._meter_at:
            self.bound = self._kept = ()
        return await super().read_all()

    async def identify(self) -> Sequence[Bound]:
        """Walk the chain; what was found before is kept while its beginning is the same."""
        if self._kept and await self._begins_as_before():
            return self._kept
        self._kept = ()
        self.chain = await self._walk(self.settings.base)
        self._head = await self._read(self.chain.base, _head_words(self.chain))
        groups = await self._models(self.chain)
        groups += await self._meter()
        await self.warn("chain", self.chain.flaw and f"{self.link.name}: {self.chain.flaw}")
        parts = compose(groups, self._wishes())
        if not parts or parts[0].suffix is not None:
            found = ", ".join(str(place.model) for place in self.chain.places)
            raise DeviceGarbled(f"{self.link.name} has only SunSpec models {found}: none is known")
        bound = tuple(
            Bound(
                device=self._named(part.suffix),
                table=part.table,
                recipes=part.recipes,
            )
            for part in parts
        )
        if self._meter_at is None:
            self._kept = bound
        return bound

    def _named(self, suffix: str | None) -> str:
        name = self.id if suffix is None else f"{self.id}-{suffix}"
        if not VALID_ID.match(name):
            raise DeviceError(f"{self.id} is too long for its device {name}: at most 32 characters")
        return name

    def _wishes(self) -> Wishes:
        settings: Settings = self.settings
        return Wishes(
            role=self._role,
            meter_sign=settings.meter_sign,
            battery_sign=settings.battery_sign,
            solaredge_storage=settings.solaredge_storage,
            unconfirmed=settings.unconfirmed,
        )

    def _role(self, suffix: str | None, first: bool, alone: bool) -> Role:
        """As set, else as the site section says, else the grid's for the first meter."""
        if first and self.settings.role is not None:
            role: Role = self.settings.role
            return role
        site = self.config.site
        if site is not None and alone:
            said = site.roles(self._named(suffix))
            for each in ("grid", "pv", "load"):
                if each in said:
                    return each
        return "grid" if first else "device"

    # ---------------------------------------------------------------- the chain

    async def _walk(self, base: int | None, unit: int | None = None) -> Chain:
        walk = Walk(base)
        while walk.ask is not None:
            try:
                words: Sequence[int] | None = await self._read(*walk.ask, unit=unit)
            except Refusal as error:
                if error.code not in _NOT_THERE:
                    raise
                words = None
            try:
                walk.hear(words)
            except DeviceGarbled as error:
                raise DeviceGarbled(f"{self.link.name} {error}") from None
        assert walk.chain is not None  # noqa: S101 - a walk that asks no more has found one
        return walk.chain

    async def _models(self, chain: Chain, unit: int | None = None) -> list[list[Model]]:
        return [
            [await self._model(place, unit) for place in group if known(place.model)]
            for group in chain.groups()
        ]

    async def _model(self, place: Place, unit: int | None) -> Model:
        if place.model not in READ_ONCE:
            return model_at(place, unit=unit)
        words: list[int] = []
        while len(words) < place.words:
            count = min(_LONGEST_READ, place.words - len(words))
            words += await self._read(place.address + len(words), count, unit=unit)
        return model_at(place, words, unit=unit)

    async def _meter(self) -> list[list[Model]]:
        """The devices behind `meter_unit`; none, with a warning, while it does not answer."""
        self._meter_at = None
        unit = self.settings.meter_unit
        if unit is None:
            return []
        try:
            chain = await self._walk(None, unit)
            found = await self._models(chain, unit)
        except DeviceError as error:
            self._meter_at = self.clock.now() + _METER_AGAIN
            await self.warn("meter", f"no meter at unit {unit}: {error}")
            return []
        await self.warn("meter", None)
        return found

    async def _begins_as_before(self) -> bool:
        """One read: the mark, who made it, and the second model's header."""
        if self.chain is None:
            return False
        try:
            words = await self._read(self.chain.base, len(self._head))
        except DeviceRefused:
            return False
        return list(words) == list(self._head)

    async def _read(self, address: int, count: int, *, unit: int | None = None) -> Sequence[int]:
        retries: int = self.settings.retries
        for attempt in range(retries + 1):
            try:
                return await self.read_words(address, count, unit=unit)
            except (DeviceTimeout, DeviceGarbled):
                if attempt == retries:
                    raise
        raise AssertionError


def _head_words(chain: Chain) -> int:
    first = chain.places[0]
    if first.model != COMMON or len(chain.places) == 1:
        return len(MARKER) + HEADER
    return len(MARKER) + first.words + HEADER
