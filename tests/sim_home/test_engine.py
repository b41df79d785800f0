"""The house in motion: its time, its steps, its delays; and what its settings refuse."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from actors.sim.sim_home.consumers import make_consumers
from actors.sim.sim_home.day import Sample
from actors.sim.sim_home.engine import Delayed, Engine
from actors.sim.sim_home.house import Battery, BatterySpec, House
from actors.sim.sim_home.settings import SimHomeSettings, open_source
from bridge.errors import ConfigError, HeliographError

MIDNIGHT = 1_718_409_600.0 - 10 * 86_400  # a midnight in UTC


@dataclass
class Flat:
    """Constant powers, and a record of when it was asked."""

    pv: float = 0.0
    load: float = 500.0
    begin: float = MIDNIGHT
    end: float = float("inf")
    asked: list[float] = field(default_factory=list)

    def sample(self, at: float) -> Sample:
        self.asked.append(at)
        return Sample(self.pv, self.load)


def engine(source: Flat, *, speed: float = 1.0, at: float = 43_200.0, soc: float = 50.0) -> Engine:
    return Engine(
        house=House(Battery(BatterySpec(), soc)),
        source=source,
        consumers=make_consumers(SimHomeSettings().chosen),
        at=MIDNIGHT + at,
        speed=speed,
    )


@pytest.mark.parametrize("speed", [0.1, 1.0, 60.0, 3600.0])
def test_the_house_passes_time_at_its_speed_in_small_steps(speed: float) -> None:
    source = Flat()
    house = engine(source, speed=speed)
    begun = house.at
    for tick in range(41):
        house.tick(1000 + tick * 0.25)
    assert house.at - begun == pytest.approx(10 * speed, abs=0.01)
    steps = [b - a for a, b in zip(source.asked, source.asked[1:], strict=False)]
    assert max(steps) <= max(1.0, speed * 0.25 / 240) + 1e-6


@pytest.mark.parametrize("speed", [1.0, 30.0, 600.0])
def test_energy_is_the_same_at_every_speed(speed: float) -> None:
    house = engine(Flat(pv=1000, load=3000), speed=speed, soc=90.0)
    hour = 3600 / speed
    for tick in range(int(hour / 0.25) + 1):
        house.tick(tick * 0.25)
    counters = house.house.counters
    assert counters.load == pytest.approx(3.0, rel=1e-3)
    assert counters.discharge == pytest.approx(2.0, rel=2e-3)
    assert house.house.battery
    assert house.house.battery.soc == pytest.approx(90 - 2.0 / 0.95 * 10, abs=0.1)


def test_leases_and_lags_stay_in_real_time_at_speed() -> None:
    house = engine(Flat(pv=9000), speed=600.0)
    heater = house.consumers["heater"]
    house.tick(0.0)
    heater.hear_allowance(3000, 0.0)
    draws = {}
    for tick in range(1, 160):
        now = tick * 0.25
        draws[now] = house.tick(now).draws["heater"]
        if heater.request == 0:
            break
    assert draws[0.25] == 0.0
    assert draws[0.5] == 3000.0
    assert max(at for at, watts in draws.items() if watts) <= 30.0


def test_a_long_pause_does_not_move_the_house_by_a_day() -> None:
    house = engine(Flat(), speed=10.0)
    house.tick(0.0)
    before = house.at
    house.tick(90_000.0)
    assert house.at - before == pytest.approx(50.0)
    house.tick(80_000.0)  # and it never goes back
    assert house.at - before == pytest.approx(50.0)


def test_the_first_look_has_powers_before_time_passes() -> None:
    house = engine(Flat(pv=4000, load=700))
    flow = house.tick(5.0)
    assert (flow.pv, flow.load) == (4000, 700)
    assert flow.pv + flow.grid + flow.battery == pytest.approx(700)
    assert house.at - MIDNIGHT - 43_200 < 0.01


def test_the_day_ends_and_stays_ended() -> None:
    source = Flat(end=MIDNIGHT + 43_210)
    house = engine(source, speed=60.0)
    for tick in range(8):
        house.tick(tick * 0.25)
    assert house.over
    assert house.at == pytest.approx(source.end, abs=1e-3)


def test_pv_today_begins_again_at_local_midnight() -> None:
    house = engine(Flat(pv=3600, load=0), at=86_400 - 100 - 3600)
    house.offset = 3600.0
    for tick in range(20):
        house.tick(tick * 5.0)
    assert house.pv_today == pytest.approx(0.095, rel=0.02)
    assert house.local.hour == 23
    for tick in range(20, 26):
        house.tick(tick * 5.0)
    assert house.local.hour == 0
    assert house.pv_today == pytest.approx(0.025, abs=0.002)


def test_an_instrument_shows_the_past() -> None:
    delayed = Delayed(1.0, "first")
    seen = [delayed.put(tick * 0.25, str(tick)) for tick in range(8)]
    assert seen == ["first", "first", "first", "first", "0", "1", "2", "3"]
    at_once = Delayed(0.0, "first")
    assert at_once.put(7.0, "now") == "now"


# -------------------------------------------------------------------------------------- settings


def problems(settings: SimHomeSettings) -> list[tuple[str, str]]:
    return list(settings.check())


def test_the_default_house_begins_in_the_late_morning_with_sun() -> None:
    assert problems(SimHomeSettings()) == []
    source, at = open_source(SimHomeSettings())
    assert datetime.fromtimestamp(at, UTC) == datetime(2024, 6, 15, 9, 15, tzinfo=UTC)
    sample = source.sample(at)
    assert sample.pv > sample.load + 3000


@pytest.mark.parametrize(
    ("start", "moment"),
    [
        ("08:00", datetime(2024, 3, 1, 7, tzinfo=UTC)),
        ("8:30", datetime(2024, 3, 1, 7, 30, tzinfo=UTC)),
        ("2023-12-24T23:30Z", datetime(2023, 12, 24, 23, 30, tzinfo=UTC)),
        ("2023-12-24T12:00:00+02:00", datetime(2023, 12, 24, 10, tzinfo=UTC)),
    ],
)
def test_where_a_generated_day_may_begin(start: str, moment: datetime) -> None:
    settings = SimHomeSettings(date="2024-03-01", start=start, loop=False)
    assert problems(settings) == []
    source, at = open_source(settings)
    assert datetime.fromtimestamp(at, UTC) == moment
    assert source.begin <= at < source.end


@pytest.mark.parametrize(
    ("settings", "fields"),
    [
        (SimHomeSettings(date="31.12.2024"), ["date"]),
        (SimHomeSettings(date="2024-02-30"), ["date"]),
        (SimHomeSettings(start="25:00"), ["start"]),
        (SimHomeSettings(start="noon"), ["start"]),
        (SimHomeSettings(start="2024-01-01T08:00"), ["start"]),
        (SimHomeSettings(start="12:60"), ["start"]),
        (SimHomeSettings(csv=Path("missing.csv"), date="x"), ["date", "csv"]),
    ],
)
def test_what_the_settings_refuse(settings: SimHomeSettings, fields: list[str]) -> None:
    found = problems(settings)
    assert [name for name, _ in found] == fields
    assert all("\n" not in sentence for _, sentence in found)


def test_a_csv_house_begins_at_its_first_row_or_where_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "day.csv"
    rows = "".join(
        f"2023-06-{1 + minute // 1440:02}T{minute // 60 % 24:02}:{minute % 60:02}Z,5,100\n"
        for minute in range(1320, 1320 + 1440)
    )
    path.write_text("utc,pv_w,load_w\n" + rows)
    source, at = open_source(SimHomeSettings(csv=path, loop=False))
    assert at == source.begin
    assert source.end - source.begin == 86_400
    for start in ("08:00", "2023-06-02T07:00Z"):
        _, at = open_source(SimHomeSettings(csv=path, start=start))
        assert datetime.fromtimestamp(at, UTC) == datetime(2023, 6, 2, 7, tzinfo=UTC)
    with pytest.raises(HeliographError, match=r"day\.csv has nothing at 2024-06-02T07:00Z"):
        open_source(SimHomeSettings(csv=path, start="2024-06-02T07:00Z"))
    path.write_text("utc,pv_w,load_w\n2023-06-01T00:00Z,a,1\n")
    with pytest.raises(ConfigError, match=r"day\.csv:2: 'a' in pv_w"):
        open_source(SimHomeSettings(csv=path))


def test_which_consumers_live_in_the_house() -> None:
    assert list(make_consumers(SimHomeSettings().chosen)) == [
        "ev", "heater", "pump", "dehumidifier",
    ]  # fmt: skip
    assert list(make_consumers(SimHomeSettings(consumers=["pump", "ev"]).chosen)) == ["ev", "pump"]
    assert list(make_consumers(SimHomeSettings(consumers=[]).chosen)) == []


def test_the_meter_counts_each_phase_and_agrees_with_the_house() -> None:
    house = engine(Flat(pv=3000, load=2400), speed=60.0, soc=100.0)
    for tick in range(240):
        house.tick(tick * 0.25)
    reading = house.read(60.0)
    counters = reading.counters
    net = (sum(reading.imported) - sum(reading.exported)) / 1000
    assert net == pytest.approx(counters.grid_import - counters.grid_export, abs=1e-6)
    assert reading.imported[0] > 0
    assert reading.exported[1] > 0
    assert reading.imported[1] == 0
    assert reading.counters is not house.house.counters  # a later tick does not change it


def test_a_ramp_is_real_time_at_speed_too() -> None:
    house = engine(Flat(pv=9000), speed=60.0)
    house.tick(0.0)
    house.consumers["ev"].hear_allowance(11_000, 0.0)
    draws = [house.tick(tick * 0.25).draws["ev"] for tick in range(1, 20)]
    running = [watts for watts in draws if watts]
    assert len(running) > 8
    assert max(b - a for a, b in itertools.pairwise(running)) == pytest.approx(375, abs=30)
