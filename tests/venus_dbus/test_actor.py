"""The actor under a real runner: it publishes the plan, runs the injector and watches it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.venus.venus_dbus.actor import VenusDbus
from actors.venus.venus_dbus.child import broker_url
from actors.venus.venus_dbus.settings import Charger, Settings, Temperature
from bridge.actor import Context
from bridge.clock import Clock
from bridge.config import Config
from bridge.config.kinds import find_kind
from bridge.contract import load_contract
from bridge.mqtt import Endpoint
from bridge.runner import Runner
from tests.runtime.links import endpoint, link
from tests.support.mosquitto import Mosquitto
from tests.venus_dbus.gx import grant, name_of, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from bridge.actor import Actor
    from tests.runtime.links import Link
    from tests.venus_dbus.gx import Gx

GARAGE = name_of("temperature", "temperature", "garage")
CONTRACT = load_contract()
linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")


@contextlib.asynccontextmanager
async def living(
    actor: type[Actor], name: str, settings: Any, state: Path, place: Endpoint
) -> AsyncIterator[Runner]:
    def build(restarts: int) -> Context:
        config = Config(state=state)
        return Context(name, settings, config, CONTRACT, place, Clock(), restarts)

    async def report(*_: object) -> None:
        return

    runner = Runner(build, actor, name=name, stops_first=False, report=report)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(runner.run)
        yield runner
        runner.stop()
        with anyio.fail_after(15):
            await runner.finished.wait()


def newest(eyes: Link, topic: str) -> Any:
    found = eyes.payloads(f"heliograph/{topic}")
    return json.loads(found[-1]) if found and found[-1] else None


async def seen(check: Callable[[], Any], what: str) -> Any:
    return await anyio.to_thread.run_sync(lambda: until(check, what))


def children() -> dict[int, list[bytes]]:
    """Injectors that this process has started."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            command = (path.parent / "cmdline").read_bytes().split(b"\0")
            if fields[0] != "Z" and int(fields[1]) == os.getpid() and b"injector" in command:
                found[int(path.parent.name)] = command
    return found


@pytest.mark.slow
@linux_only
async def test_the_injector_lives_and_ends_with_its_actor(gx: Gx, tmp_path: Path) -> None:
    gx.settings()
    settings = Settings(bus=gx.bus.address, temperatures={"garage": Temperature(name="Garage")})
    place = endpoint(gx.broker)
    async with link(place, "eyes", filters=("heliograph/#",)) as eyes:
        async with living(VenusDbus, "gx", settings, tmp_path, place):
            await seen(lambda: gx.told.shown("temperature/garage").get("instance"), "its number")
            gx.told.state("garage", Temperature=20)
            items = await anyio.to_thread.run_sync(gx.there, GARAGE)
            assert items["/CustomName"] == ["s", "Garage"]
            good = b"1 of 1 services are shown on the GX"
            messages = "heliograph/Actors/gx/Messages/Operational"
            await eyes.until(lambda: any(good in each for each in eyes.payloads(messages)))
            assert newest(eyes, "Actors/gx/Health")["state"] == "ok"
            (process,) = children()
        assert process not in children()
        assert GARAGE not in gx.reader.names()


@pytest.mark.slow
@linux_only
async def test_an_injector_that_dies_is_started_again(gx: Gx, tmp_path: Path) -> None:
    gx.settings()
    settings = Settings(bus=gx.bus.address, temperatures={"garage": Temperature()})
    place = endpoint(gx.broker)
    async with (
        link(place, "eyes", filters=("heliograph/#",)) as eyes,
        living(VenusDbus, "gx", settings, tmp_path, place),
    ):
        await seen(lambda: gx.told.shown("temperature/garage").get("instance"), "its number")
        (first,) = children()
        os.kill(first, signal.SIGKILL)
        ended = "the injector ended with -9"
        await eyes.until(lambda: ended in str(newest(eyes, "Actors/gx/Health")["error"]))
        await seen(lambda: set(children()) - {first}, "another one")
        await eyes.until(lambda: newest(eyes, "Actors/gx/Health")["state"] == "ok")


@linux_only
async def test_the_password_is_not_among_the_arguments(gx: Gx, tmp_path: Path) -> None:
    gx.settings()
    with Mosquitto(users={"bridge": "geheim"}) as broker:
        place = endpoint(broker.port, username="bridge", password="geheim")
        settings = Settings(bus=gx.bus.address, temperatures={"garage": Temperature()})
        async with (
            link(place, "eyes", filters=("heliograph/#",)) as eyes,
            living(VenusDbus, "gx", settings, tmp_path, place),
        ):
            status = "heliograph/Venus/gx/Status"
            await eyes.until(lambda: b"online" in eyes.payloads(status))
            (command,) = children().values()
            assert b"geheim" not in b" ".join(command)
            assert b"bridge" in command
        assert "geheim" not in broker.log


async def test_without_an_injector_it_says_so(
    gx: Gx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.venus.venus_dbus.actor._MISSING", 0.0)
    settings = Settings(bus="elsewhere", temperatures={"garage": Temperature()})
    place = endpoint(gx.broker)
    async with (
        link(place, "eyes", filters=("heliograph/#",)) as eyes,
        living(VenusDbus, "gx", settings, tmp_path, place),
    ):
        await eyes.until(lambda: (newest(eyes, "Actors/gx/Health") or {}).get("error"))
        assert newest(eyes, "Actors/gx/Health")["error"] == (
            "no injector is connected: start it on the GX, as the README shows"
        )
        assert newest(eyes, "Venus/gx/Services")["services"][0]["id"] == "garage"
        gx.settings()
        gx.injector.start()
        await eyes.until(lambda: newest(eyes, "Actors/gx/Health")["state"] == "ok")


async def test_a_missing_library_is_one_sentence(
    gx: Gx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.venus.venus_dbus.child._NEEDED", ("no_such_library",))
    settings = Settings(bus=gx.bus.address)
    place = endpoint(gx.broker)
    async with (
        link(place, "eyes", filters=("heliograph/#",)) as eyes,
        living(VenusDbus, "gx", settings, tmp_path, place),
    ):
        await eyes.until(lambda: (newest(eyes, "Actors/gx/Health") or {}).get("error"))
        assert newest(eyes, "Actors/gx/Health")["error"] == (
            "the package no-such-library is missing: install Heliograph with its extra 'venus'"
        )


async def test_consumers_are_shown_as_they_come(gx: Gx, tmp_path: Path) -> None:
    gx.settings()
    settings = Settings(bus=gx.bus.address, every_consumer=True, loads_as="battery")
    place = endpoint(gx.broker)
    pool = name_of("battery", "consumer", "pool")
    async with living(VenusDbus, "gx", settings, tmp_path, place):
        await seen(lambda: gx.told.last("Venus/gx/Status") == "online", "the injector")
        gx.told.say("Requests/pool/VRMInstanceID", "1008")
        gx.told.say("Requests/pool/Grant", grant(request=1000, consumption=500))
        await seen(lambda: gx.told.shown("consumer/pool").get("instance") == 1008, "its number")
        gx.told.say("Requests/pool/Grant", grant(request=1000, consumption=500))
        items = await anyio.to_thread.run_sync(gx.there, pool)
        assert items["/Soc"] == ["d", 50]
        gx.told.say("Requests/pool/Grant", "")
        await anyio.to_thread.run_sync(gx.gone, pool)


@pytest.mark.slow
async def test_a_real_charger_follows_the_buttons(gx: Gx, tmp_path: Path) -> None:
    """From a SetValue on the D-Bus to the force of a simulated go-e, and back."""
    kind = find_kind("go_e")
    simulator: Any = kind.simulator()
    given = {**simulator.SETTINGS, "interval": 0.2, "timeout": 2.0}
    gx.settings()
    place = endpoint(gx.broker)
    settings = Settings(bus=gx.bus.address, chargers={"car": Charger()})
    name = name_of("evcharger", "evcharger", "car")
    async with simulator.Simulator() as sim:
        car = kind.settings()(host=sim.host, port=sim.port, **given)
        async with (
            living(kind.load(), "car", car, tmp_path, place),
            living(VenusDbus, "gx", settings, tmp_path, place),
        ):
            await anyio.to_thread.run_sync(gx.there, name)

            def press(path: str, kind: str, value: float) -> int:
                return gx.reader.write(name, path, kind, value)

            assert await anyio.to_thread.run_sync(press, "/StartStop", "i", 1) == 0
            assert await anyio.to_thread.run_sync(press, "/SetCurrent", "d", 10.0) == 0
            await seen(lambda: gx.told.last("Devices/car/ChargeCurrent") == 10, "10 A, read back")
            await seen(lambda: gx.told.last("Devices/car/ChargeEnable") is True, "on, read back")
            result = gx.told.last("Devices/car/ChargeEnable/Result")
            assert result["ok"] is True
            await anyio.to_thread.run_sync(gx.holds, name, "/Status", 2)
            assert await anyio.to_thread.run_sync(press, "/Mode", "i", 1) == 0
            await seen(lambda: gx.told.last("Devices/car/ChargeEnable") == "", "given back")


def test_the_broker_in_a_word() -> None:
    for url in ("mqtt://nas:1883", "mqtts://nas:8883", "ws://nas:80/x", "mqtt://[::1]:1883"):
        assert broker_url(Endpoint.from_url(url)) == url
