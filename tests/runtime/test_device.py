"""Readings under virtual time: what is published when, and what a device's silence looks like."""

from __future__ import annotations

import contextlib
import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import anyio
import pytest

from bridge.device import Device
from bridge.errors import DeviceTimeout
from tests.runtime.virtual import VIRTUAL, Log, Wire, alive, context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

STATE, STATUS = "Devices/dut/State", "Devices/dut/Status"
WARNING, HEALTH = "Actors/dut/Messages/Warning", "Actors/dut/Health"


@pytest.fixture(scope="module", params=[VIRTUAL], ids=["virtual"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    return request.param


class Meter(Device):
    """Reads what the test puts into `values`; None is a device that does not answer."""

    kind = "meter"
    quantities = ("GridPower", "PvPower", "PvEnergy", "InverterState", "LoadPower")
    interval: ClassVar[float] = 5.0
    values: dict[str, float | str | None] | None = None
    polling = False
    moments: list[float]

    async def run(self) -> None:
        if not self.polling:
            await anyio.sleep_forever()
        await self.poll(interval=self.interval)

    async def read_once(self) -> dict[str, float | str | None]:
        self.moments.append(anyio.current_time())
        if self.values is None:
            raise DeviceTimeout("the meter does not answer")
        return dict(self.values)


@contextlib.asynccontextmanager
async def meter(
    state: Path, values: dict[str, float | str | None] | None = None
) -> AsyncIterator[tuple[Meter, Wire, Log]]:
    """A meter that polls `values`, or is driven by hand when there are none."""
    device, wire, log = Meter(context(state)), Wire(), Log()
    device.log = log  # type: ignore[assignment]
    device._outage._log = log  # type: ignore[assignment]
    device.moments = []
    device.values, device.polling = values, values is not None
    async with alive(device, wire):
        yield device, wire, log


# ------------------------------------------------------------------------------------- publishing


async def test_what_changed_is_published_at_once_and_then_state(tmp_path: Path) -> None:
    async with meter(tmp_path) as (device, wire, _):
        await device.reading({"GridPower": -1200.04, "PvPower": 3000})
        await device.reading({"GridPower": -1300, "PvPower": 3000})
        order = [where for _, where, _ in wire.sent if where.startswith("Devices/")]
        assert order == [
            "Devices/dut/GridPower",
            "Devices/dut/PvPower",
            STATE,
            STATUS,
            "Devices/dut/GridPower",
            STATE,
        ]
        assert wire.of("Devices/dut/GridPower") == [b"-1200", b"-1300"]
        assert wire.json(STATE)["GridPower"] == -1300
        assert wire.json(STATE)["PvPower"] == 3000
        assert wire.json(STATE)["at"].endswith("Z")


async def test_what_does_not_change_is_repeated_after_thirty_seconds(tmp_path: Path) -> None:
    async with meter(tmp_path, {"GridPower": 5.0}) as (_, wire, _log):
        await anyio.sleep(101)
        assert len(wire.of(STATE)) == 21
        moments = wire.times("Devices/dut/GridPower")
        assert len(moments) == 4
        assert [later - earlier for earlier, later in pairwise(moments)] == [30, 30, 30]


async def test_without_a_reading_nothing_is_published(tmp_path: Path) -> None:
    async with meter(tmp_path) as (device, wire, _):
        await anyio.sleep(100)
        assert wire.of(STATE) == []
        await device.reading({"GridPower": 5})
        before = len(wire.sent)
        await device.bus._announce()  # a reconnect
        assert not wire.sent[before:] or STATE not in {where for _, where, _ in wire.sent[before:]}
        assert len(wire.of("Devices/dut/GridPower")) == 1
        await device.reading({"GridPower": 5})
        assert len(wire.of("Devices/dut/GridPower")) == 2


async def test_another_device_of_the_same_actor_is_kept_apart(tmp_path: Path) -> None:
    async with meter(tmp_path) as (device, wire, _):
        await device.reading({"GridPower": 5})
        await device.reading({"GridPower": 6}, device="dut-b")
        await device.device_status("offline", "gone", device="dut-b")
        assert wire.last("Devices/dut/GridPower") == "5"
        assert wire.last("Devices/dut-b/GridPower") == "6"
        assert wire.last(STATUS) == "online"
        assert wire.last("Devices/dut-b/Status") == "offline"


async def test_info_is_published_when_it_is_new(tmp_path: Path) -> None:
    async with meter(tmp_path) as (device, wire, _):
        for firmware in ("1.0", "1.0", "1.1"):
            await device.info("Maker", "X", firmware=firmware)
        found = wire.of("Devices/dut/Info")
        assert len(found) == 2
        assert wire.json("Devices/dut/Info") == {
            "manufacturer": "Maker",
            "model": "X",
            "serial": None,
            "firmware": "1.1",
        }


# ------------------------------------------------------------------------------------------ range


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("PvPower", -100, b"0"),
        ("PvPower", -0.4, b"0"),
        ("LoadPower", -99.9, b"0"),
        ("GridPower", -0.04, b"0"),
        ("PvEnergy", 12.34567, b"12.346"),
        ("InverterState", "running", b"running"),
        ("PvPower", None, b""),
    ],
)
async def test_the_noise_band_and_the_digits(
    tmp_path: Path, name: str, value: float | str | None, shown: bytes
) -> None:
    async with meter(tmp_path) as (device, wire, _):
        await device.reading({name: value})
        assert wire.of(f"Devices/dut/{name}") == [shown]
        assert wire.of(WARNING) == []
        if value is None:
            assert wire.json(STATE)[name] is None


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PvPower", -100.1, "PvPower -100.1 W is below -100"),
        ("GridPower", 1e7, "GridPower 1e+07 W is above 1e+06"),
        ("PvEnergy", -0.5, "PvEnergy -0.5 kWh is below 0"),
        ("GridPower", math.nan, "GridPower is not a number"),
        ("GridPower", math.inf, "GridPower is not a number"),
    ],
)
async def test_out_of_range_is_refused_and_said_until_it_is_over(
    tmp_path: Path, name: str, value: float, words: str
) -> None:
    async with meter(tmp_path) as (device, wire, log):
        await device.reading({name: 5, "InverterState": "running"})
        for _ in range(3):
            await device.reading({name: value, "InverterState": "running"})
        assert wire.of(f"Devices/dut/{name}") == [b"5"]
        assert wire.json(STATE)[name] is None
        assert wire.json(STATE)["InverterState"] == "running"
        assert device.refusals == 3
        assert wire.last(STATUS) == "online"
        assert len(wire.of(WARNING)) == 1
        assert words in (wire.last(WARNING) or "")
        assert len(log.texts("warning")) == 1
        await device.reading({name: 6, "InverterState": "running"})
        assert wire.of(f"Devices/dut/{name}") == [b"5", b"6"]
        assert wire.of(WARNING)[1:] == [b""]
        await device.reading({name: value, "InverterState": "running"})
        assert len(log.texts("warning")) == 2


async def test_several_warnings_stand_together(tmp_path: Path) -> None:
    async with meter(tmp_path) as (device, wire, _):
        await device.warn("a", "one thing")
        await device.warn("b", "another")
        assert (wire.last(WARNING) or "").endswith("Z one thing; another")
        await device.warn("a", None)
        assert (wire.last(WARNING) or "").endswith("Z another")
        await device.warn("a", None)
        await device.warn("b", None)
        assert wire.last(WARNING) == ""
        assert len(wire.of(WARNING)) == 4


# ---------------------------------------------------------------------------------------- silence


async def test_offline_after_exactly_three_failures_with_one_line_each_way(tmp_path: Path) -> None:
    async with meter(tmp_path, {"PvEnergy": 5.0}) as (device, wire, log):
        await anyio.sleep(6)
        assert len(device.moments) == 2
        device.values = None
        await anyio.sleep(10)
        assert len(device.moments) == 4
        assert wire.last(STATUS) == "online"
        assert wire.json(HEALTH)["state"] == "degraded"
        await anyio.sleep(5)
        assert len(device.moments) == 5
        assert wire.of(STATUS) == [b"online", b"offline"]
        assert log.texts() == ["the device is lost: the meter does not answer"]
        await anyio.sleep(300)
        assert wire.of(STATUS) == [b"online", b"offline"]
        device.values = {"PvEnergy": 6.0}
        await anyio.sleep(31)
        assert wire.of(STATUS) == [b"online", b"offline", b"online"]
        assert log.texts() == [
            "the device is lost: the meter does not answer",
            "the device is back",
        ]
        assert wire.json(HEALTH)["state"] == "ok"
        assert wire.json(HEALTH)["error"] is None


async def test_two_failures_are_forgotten(tmp_path: Path) -> None:
    async with meter(tmp_path, {"PvEnergy": 5.0}) as (device, wire, log):
        for _ in range(4):
            await anyio.sleep(6)
            device.values = None
            await anyio.sleep(10)
            device.values = {"PvEnergy": 5.0}
            await anyio.sleep(4)
        assert wire.of(STATUS) == [b"online"]
        assert log.lines == []


async def test_a_device_that_is_away_is_asked_less_and_less_often(tmp_path: Path) -> None:
    async with meter(tmp_path, {"PvEnergy": 5.0}) as (device, _, _log):
        await anyio.sleep(1)
        device.values = None
        device.moments.clear()
        await anyio.sleep(400)
        gaps = [round(later - earlier) for earlier, later in pairwise(device.moments)]
        assert gaps[:6] == [5, 5, 5, 10, 20, 30]
        assert set(gaps[6:]) == {30}


async def test_stale_comes_with_the_youngest_max_age(tmp_path: Path) -> None:
    # GridPower is good for 8 s, PvEnergy for 600 s.
    async with meter(tmp_path) as (device, wire, _):
        await device.mark_stale()
        assert wire.of(STATUS) == []
        await device.reading({"GridPower": 5, "PvEnergy": 1})
        await anyio.sleep(7.9)
        await device.mark_stale()
        assert wire.last(STATUS) == "online"
        assert device.age_of() == pytest.approx(7.9)
        await anyio.sleep(0.2)
        await device.mark_stale()
        assert wire.last(STATUS) == "stale"
        await device.reading({"GridPower": 5, "PvEnergy": 1})
        assert wire.last(STATUS) == "online"


async def test_a_slow_failing_meter_is_stale_before_it_is_offline(tmp_path: Path) -> None:
    async with meter(tmp_path, {"GridPower": 5.0}) as (device, wire, _):
        await anyio.sleep(1)
        device.values = None
        await anyio.sleep(15)
        assert wire.of(STATUS) == [b"online", b"stale", b"offline"]


async def test_a_device_that_is_never_there_is_offline_and_not_hung(tmp_path: Path) -> None:
    async with meter(tmp_path, {}) as (device, wire, _):
        device.values = None
        for _ in range(200):
            await anyio.sleep(1)
            assert device.beat_due is None or anyio.current_time() <= device.beat_due
        assert wire.last(STATUS) == "offline"
        assert wire.of(STATE)[1:] == []


# ------------------------------------------------------------------------------------ growing old


async def test_each_value_becomes_unknown_once_at_its_own_max_age(tmp_path: Path) -> None:
    # GridPower is good for 8 s, PvPower for 60 s, PvEnergy for 600 s.
    async with meter(tmp_path, {"GridPower": 5.0, "PvPower": 7.0, "PvEnergy": 1.0}) as found:
        device, wire, _ = found
        await anyio.sleep(1)
        read_at = wire.json(STATE)["at"]
        device.values = None
        await anyio.sleep(6.5)
        assert wire.last("Devices/dut/GridPower") == "5"
        await anyio.sleep(1)
        assert wire.of("Devices/dut/GridPower") == [b"5", b""]
        assert wire.of("Devices/dut/PvPower") == [b"7"]
        assert wire.json(STATE) == {"at": read_at, "GridPower": None, "PvPower": 7, "PvEnergy": 1}
        await anyio.sleep(300)
        assert wire.times("Devices/dut/PvPower")[1] - wire.times("Devices/dut/PvPower")[0] == 60
        assert wire.of("Devices/dut/PvPower") == [b"7", b""]
        assert wire.of("Devices/dut/GridPower") == [b"5", b""]
        assert wire.of("Devices/dut/PvEnergy") == [b"1"]
        assert wire.json(STATE) == {
            "at": read_at,
            "GridPower": None,
            "PvPower": None,
            "PvEnergy": 1,
        }
        assert len(wire.of(STATE)) == 3
        device.values = {"GridPower": 5.0, "PvPower": None, "PvEnergy": 1.0}
        await anyio.sleep(31)
        assert wire.of("Devices/dut/GridPower")[:3] == [b"5", b"", b"5"]
        assert wire.json(STATE)["GridPower"] == 5


async def test_values_of_a_device_beside_grow_old_while_the_actors_own_is_read(
    tmp_path: Path,
) -> None:
    async with meter(tmp_path, {"GridPower": 5.0}) as (device, wire, _):
        await device.reading({"GridPower": 6.0}, device="dut-b")
        await anyio.sleep(20)
        assert wire.of("Devices/dut-b/GridPower") == [b"6", b""]
        assert wire.json("Devices/dut-b/State")["GridPower"] is None
        assert b"" not in wire.of("Devices/dut/GridPower")


async def test_what_was_refused_last_does_not_leave_its_older_value_standing(
    tmp_path: Path,
) -> None:
    async with meter(tmp_path) as (device, wire, _):
        await device.reading({"GridPower": 5.0})
        await device.reading({"GridPower": 1e9})
        await anyio.sleep(9)
        assert wire.of("Devices/dut/GridPower") == [b"5", b""]


async def test_a_broker_that_was_away_is_told_again_what_has_grown_old(tmp_path: Path) -> None:
    async with meter(tmp_path) as (device, wire, _):
        await device.reading({"GridPower": 5.0})
        await anyio.sleep(9)
        await device.bus._announce()  # a reconnect: the clearing may have been lost
        await anyio.sleep(1.1)
        assert wire.of("Devices/dut/GridPower") == [b"5", b"", b""]
        assert wire.json(STATE)["GridPower"] is None


async def test_what_others_publish_is_not_cleared_for_them(tmp_path: Path) -> None:
    async with meter(tmp_path) as (device, wire, _):
        await device.reading({"GridPower": 5.0}, plain=False)
        await anyio.sleep(9)
        assert wire.of("Devices/dut/GridPower") == []
        assert wire.json(STATE)["GridPower"] is None
        assert wire.of(STATE)[-1] in device.sent_states
        await device.reading({"GridPower": 5.0}, plain=False)
        await device.seen({"at": "2026-11-21T12:00:00Z", "GridPower": 4.0})
        sent = len(wire.of(STATE))
        await anyio.sleep(20)
        assert len(wire.of(STATE)) == sent, "it has a State of its own"


async def test_a_stop_clears_nothing(tmp_path: Path) -> None:
    async with meter(tmp_path) as (device, wire, _):
        await device.reading({"GridPower": 5.0})
    await device.make_safe()
    await anyio.sleep(60)
    assert wire.of("Devices/dut/GridPower") == [b"5"]
    assert wire.last(STATUS) == "offline"
