"""What the owner of a simulated house may set."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from actors.sim.sim_home.csv_day import CsvDays, read_csv
from actors.sim.sim_home.day import DAY, GeneratedDays, midnight
from actors.sim.sim_home.sky import Sky
from bridge.config.types import Delay, Host, Id, Name, Watts
from bridge.errors import HeliographError
from bridge.sun import Panels, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from actors.sim.sim_home.day import Source

ConsumerName = Literal["ev", "heater", "pump", "dehumidifier"]
Percent = Annotated[float, Meta(ge=0, le=100)]
Efficiency = Annotated[float, Meta(gt=0, le=1)]
Number = Annotated[float, Meta(ge=0, le=1_000_000)]

# Late enough that the house has more sun than it needs, early enough that much of it is to come.
_DEFAULT_START = "10:15"


class BatterySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The home battery: kWh, W, efficiencies one way, SoC and its limits in %."""

    capacity_kwh: Annotated[float, Meta(gt=0, le=100_000)] = 10.0
    max_charge: Watts = 5000.0
    max_discharge: Watts = 5000.0
    soc: Percent = 55.0
    soc_min: Percent = 10.0
    soc_max: Percent = 100.0
    eta_charge: Efficiency = 0.95
    eta_discharge: Efficiency = 0.95

    def check(self) -> Iterator[tuple[str, str]]:
        """What only both limits together can tell."""
        if self.soc_min >= self.soc_max:
            yield "soc_min", "'soc_min' must be below 'soc_max'"


class ConsumerOverrides(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is different from the consumer's own values; None leaves them.

    id: its name in the topics; request, minimum, step: W; lag: s until it obeys; ramp: W/s, 0 at
    once; need: what it wants to take in a day, in the consumer's own measure.
    """

    id: Id | None = None
    name: Name | None = None
    automatic: bool | None = None
    ignore_reservation: bool | None = None
    request: Watts | None = None
    minimum: Watts | None = None
    step: Watts | None = None
    priority: Number | None = None
    priority_shift: Number | None = None
    start_delay: Delay | None = None
    stop_delay: Delay | None = None
    min_on: Delay | None = None
    min_off: Delay | None = None
    lag: Delay | None = None
    ramp: Watts | None = None
    need: Number | None = None


class SimHomeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A simulated house; see the README of this kind for each setting."""

    speed: Annotated[float, Meta(gt=0, le=3600)] = 1.0
    sky: Sky = "clear"
    date: str = "2024-06-15"
    seed: int = 1
    kwp: Annotated[float, Meta(ge=0, le=10_000)] = 9.8
    tilt: Annotated[float, Meta(ge=0, le=90)] = 35.0
    azimuth: Annotated[float, Meta(ge=0, le=360)] = 180.0
    inverter_max: Watts | None = None
    latitude: Annotated[float, Meta(ge=-90, le=90)] = 50.0
    longitude: Annotated[float, Meta(ge=-180, le=180)] = 10.0
    csv: Path | None = None
    start: str | None = None
    loop: bool = True
    battery: BatterySettings | None = BatterySettings()
    consumers: list[ConsumerName] | dict[ConsumerName, ConsumerOverrides] | None = None
    loads: list[Id] = []
    meter_host: Host = "127.0.0.1"
    meter_port: Annotated[int, Meta(ge=0, le=65535)] = 0
    meter_lag: Annotated[float, Meta(ge=0, le=60)] = 1.0
    meter_noise: Annotated[float, Meta(ge=0, le=10_000)] = 0.0

    @property
    def place(self) -> Place:
        """Where the house stands."""
        return Place(self.latitude, self.longitude)

    @property
    def panels(self) -> Panels:
        """What is on its roof; the inverter takes all of it unless `inverter_max` says less."""
        limit = self.kwp * 1000.0 if self.inverter_max is None else self.inverter_max
        return Panels(self.kwp, self.tilt, self.azimuth, limit)

    @property
    def chosen(self) -> Mapping[ConsumerName, ConsumerOverrides]:
        """The consumers that live here, with what is different about them."""
        given = self.consumers
        if given is None:
            given = ["ev", "heater", "pump", "dehumidifier"]
        if isinstance(given, list):
            return {name: ConsumerOverrides() for name in given}
        return given

    def check(self) -> Iterator[tuple[str, str]]:
        """What a type alone cannot tell."""
        if _date(self.date) is None:
            yield "date", "'date' must be a day such as 2024-06-15"
        if self.start is not None and _clock(self.start) is None and _utc(self.start) is None:
            sentence = "must be a local time such as 08:00 or a UTC time such as 2024-06-15T08:00Z"
            yield "start", f"'start' {sentence}"
        if self.csv is not None and not self.csv.is_file():
            yield "csv", f"'csv' names {self.csv}, which is not a file"
        names = [each.id or name for name, each in self.chosen.items()]
        if len(set(names)) < len(names):
            yield "consumers", "two of the consumers have the same id"
        if len({*names, *self.loads}) < len(names) + len(self.loads):
            yield "loads", "'loads' names a device twice, or one with the id of a consumer"


def _date(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1971 <= day.year <= 2200 else None


def _clock(text: str) -> float | None:
    """Seconds since midnight of `HH:MM` or `H:MM`, None for anything else."""
    hours, colon, minutes = text.partition(":")
    if not (colon and hours.isdecimal() and minutes.isdecimal() and len(minutes) == 2):
        return None
    good = len(hours) <= 2 and int(hours) < 24 and int(minutes) < 60
    return int(hours) * 3600.0 + int(minutes) * 60.0 if good else None


def _utc(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None or not 1971 <= moment.year <= 2200:
        return None
    return moment.timestamp()


def open_source(settings: SimHomeSettings) -> tuple[Source, float]:
    """Sun and load as the settings want them, and the UTC second at which the house begins.

    Reads the CSV file when there is one. Raises ConfigError for what is wrong in it, and
    HeliographError when `start` lies outside of it.
    """
    if settings.csv is not None:
        recorded = CsvDays(read_csv(settings.csv), loop=settings.loop)
        return recorded, _start_in(recorded, settings)
    offset = settings.place.offset
    at = _utc(settings.start) if settings.start else None
    if at is None:
        first = date.fromisoformat(settings.date)
        at = midnight(first, offset) + (_clock(settings.start or _DEFAULT_START) or 0.0)
    else:
        first = (datetime.fromtimestamp(at, UTC) + timedelta(seconds=offset)).date()
    days = GeneratedDays(
        place=settings.place,
        panels=settings.panels,
        sky=settings.sky,
        seed=settings.seed,
        first=first,
        loop=settings.loop,
    )
    return days, at


def _start_in(recorded: CsvDays, settings: SimHomeSettings) -> float:
    """A local time is its first one in the file; without a start the file begins at its top."""
    if settings.start is None:
        return recorded.begin
    clock = _clock(settings.start)
    if clock is not None:
        local = (recorded.begin + settings.place.offset) % DAY
        at = recorded.begin + (clock - local) % DAY
    else:
        at = _utc(settings.start) or 0.0
    if not recorded.begin <= at < recorded.begin + recorded.length:
        raise HeliographError(
            f"{settings.csv} has nothing at {settings.start}, where the house is to start"
        )
    return at
