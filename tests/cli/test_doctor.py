"""`heliograph doctor` of actors that are not read: what each needs, and whether that is there."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from bridge.actor import Actor
from bridge.cli.main import main
from bridge.config.kinds import all_kinds
from tests.support.mosquitto import free_port
from tests.venus_dbus.gx import Bus, Told

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto

Capsys = pytest.CaptureFixture[str]
Findings = list[dict[str, Any]]
SWITCH = "kind: mqtt_switch, on_topic: p/set, on_value: 'on', off_topic: p/set, off_value: 'off'"


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait long for what does not come."""
    monkeypatch.setattr("bridge.cli.doctor_broker.CONNECT", 0.1)
    monkeypatch.setattr("bridge.cli.doctor_broker.LISTEN", 0.3)


@contextmanager
def saying(broker: Mosquitto, **retained: str) -> Iterator[Told]:
    """Somebody on the broker; `retained`: what it keeps, with `__` for `/`."""
    told = Told(broker.port, "heliograph")
    try:
        for topic, payload in retained.items():
            told.say(topic.replace("__", "/"), payload, retain=True)
        yield told
    finally:
        for topic in retained:
            told.say(topic.replace("__", "/"), "", retain=True)
        told.close()


async def doctor(folder: Path, capsys: Capsys, actors: str, port: int, site: str = "") -> Findings:
    """What it finds of a configuration with these actors."""
    path = folder / "house.yaml"
    state = folder / "state"
    path.write_text(
        f'broker: {{url: "mqtt://127.0.0.1:{port}"}}\nstate: {state}\n{site}\nactors:\n{actors}'
    )
    await anyio.to_thread.run_sync(main, ["doctor", "--json", "--config", str(path)])
    found: Findings = json.loads(capsys.readouterr().out)
    return found


def of(found: Findings, what: str) -> list[tuple[bool | None, str]]:
    """What is said of one actor."""
    return [(each["ok"], each["sentence"]) for each in found if each["what"] == what]


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    ("settings", "ok", "start"),
    [
        ("kind: graphite, host: 127.0.0.1, port: 1", None, "is not tried here: nothing can be"),
        ("kind: fixed_tariff, price: 0.3", True, "it needs nothing but the broker"),
        ("kind: tibber, token: abc", None, "is not tried here: a service counts its calls"),
        ("kind: co2, source: uk", None, "is not tried here: a service counts its calls"),
        ("kind: solcast, token: abc, site: abcd-0123", None, "is not tried here: a service"),
        ("kind: mqtt_tariff, topic: a/b, timezone: UTC", None, "it needs a/b, which cannot be"),
        ("kind: external", None, "it needs heliograph/Devices/old/+, which cannot be heard"),
        ("kind: mqtt_sensor, temperature: z/t", None, "it needs z/t, which cannot be heard"),
        ("kind: mqtt_pv, power: z/p", None, "it needs z/p, which cannot be heard"),
        (f"{SWITCH}, status_topic: p/state, on_pattern: on", None, "it needs p/state, which"),
    ],
)
async def test_each_kind_gets_a_true_line_without_a_broker(
    settings: str, ok: bool | None, start: str, tmp_path: Path, capsys: Capsys
) -> None:
    found = await doctor(tmp_path, capsys, f"  old: {{{settings}}}\n", free_port())
    kind = settings.removeprefix("kind: ").partition(",")[0]
    lines = of(found, f"{kind} old")
    assert len(lines) == 1
    assert lines[0][0] is ok
    assert lines[0][1].startswith(start)


async def test_topics_that_speak_are_heard(
    mosquitto: Mosquitto, tmp_path: Path, capsys: Capsys
) -> None:
    actors = f"""\
  shed: {{kind: mqtt_sensor, temperature: heliograph/x/shed}}
  attic: {{kind: mqtt_sensor, temperature: heliograph/x/attic}}
  plug: {{{SWITCH}, status_topic: heliograph/x/plug, on_pattern: 'on', off_pattern: 'off'}}
  flow: {{kind: external}}
"""
    with saying(mosquitto, x__plug="off") as told:

        async def speak() -> None:
            while True:
                told.say("x/shed", "21.5")
                told.say("x/attic", "warm")
                told.say("Devices/flow/Power", "100")
                await anyio.sleep(0.05)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(speak)
            found = await doctor(tmp_path, capsys, actors, mosquitto.port)
            tasks.cancel_scope.cancel()
    assert of(found, "mqtt_sensor shed") == [
        (True, "what it needs is there: news on heliograph/x/shed")
    ]
    assert of(found, "mqtt_sensor attic") == [
        (False, "heliograph/x/attic is not a number but 'warm'")
    ]
    assert of(found, "mqtt_switch plug") == [
        (True, "what it needs is there: news on heliograph/x/plug")
    ]
    assert of(found, "external flow") == [
        (True, "what it needs is there: news on heliograph/Devices/flow/+")
    ]


@pytest.mark.usefixtures("hasty")
async def test_topics_that_are_silent_are_named(
    mosquitto: Mosquitto, tmp_path: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.cli.doctor_broker.CONNECT", 10)
    monkeypatch.setattr("bridge.cli.doctor_needs.LISTEN", 5)
    actors = f"""\
  shed: {{kind: mqtt_sensor, temperature: heliograph/x/shed}}
  roof: {{kind: mqtt_pv, power: heliograph/x/roof, stale: 5}}
  plug: {{{SWITCH}, status_topic: x/plug, on_pattern: 'on', request: 500}}
"""
    with saying(mosquitto, x__roof="7"):
        found = await doctor(tmp_path, capsys, actors, mosquitto.port)
    [(ok, sentence)] = of(found, "mqtt_sensor shed")
    assert ok is None
    assert sentence == (
        "nothing came on heliograph/x/shed within 5 s; that is well where it speaks less often"
    )
    [(ok, sentence)] = of(found, "mqtt_pv roof")
    assert ok is False
    assert sentence.endswith("within 5 s but a retained message, whose age is not known")
    notes = of(found, "mqtt_switch plug")
    assert [each for each, _ in notes] == [None, None]
    assert notes[1][1].startswith("plug gets no surplus: there is no distributor")


HOUSE = """\
  gx: {kind: venus_mqtt, host: 127.0.0.1, port: 1, timeout: 1}
  flow: {kind: external}
  ess: {kind: external}
  guard: {kind: battery_guard, battery: ess, chargers: flow}
  left: {kind: time_to_go, battery: ess, capacity: 5000}
  counter: {kind: net_meter}
"""
SITE = "site: {grid: gx, pv: gx, battery: ess}"


@pytest.mark.usefixtures("hasty")
async def test_a_service_hears_of_the_device_that_does_not_answer(
    tmp_path: Path, capsys: Capsys
) -> None:
    found = await doctor(tmp_path, capsys, HOUSE, free_port(), SITE)
    assert (False, "gx does not answer") in of(found, "net_meter counter")
    notes = of(found, "battery_guard guard")
    assert (
        None,
        "whether ess serves GridSetpoint shows only when it is used: somebody else publishes it",
    ) in notes
    assert (None, "what flow tells shows once the bridge runs") in notes
    assert of(found, "time_to_go left") == [(None, "what ess tells shows once the bridge runs")]
    assert (False, "gx does not answer") in of(found, "site site")
    assert of(found, "distributor distributor") == [(True, "it needs nothing but the broker")]


@pytest.mark.slow
async def test_a_running_bridge_tells_how_its_actors_are(
    mosquitto: Mosquitto, tmp_path: Path, capsys: Capsys
) -> None:
    retained = {
        "Bridge__Status": "online",
        "Actors__left__Health": '{"state":"ok","error":null}',
        "Actors__guard__Health": '{"state":"degraded","error":"flow is silent for 9 s"}',
        "Devices__ess__Status": "online",
        "Devices__ess__State": '{"BatteryPower":100,"BatterySoc":null}',
        "Devices__flow__Status": "offline",
    }
    with saying(mosquitto, **retained):
        found = await doctor(tmp_path, capsys, HOUSE, mosquitto.port, SITE)
    assert of(found, "time_to_go left") == [
        (None, "ess does not know its BatterySoc at the moment"),
        (True, "it runs, and nothing is wrong"),
    ]
    guard = of(found, "battery_guard guard")
    assert (False, "flow tells nothing at the moment") in guard
    assert (False, "it runs, and says: flow is silent for 9 s") in guard
    assert of(found, "net_meter counter")[-1] == (
        False,
        "the bridge that runs does not run it: its configuration is another one",
    )


@pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="dbus-daemon is not installed")
@pytest.mark.usefixtures("hasty")
async def test_the_d_bus_of_a_gx_is_tried(
    mosquitto: Mosquitto, tmp_path: Path, capsys: Capsys
) -> None:
    from tests.venus_dbus.gx import Gx

    port = free_port()
    actors = f'  gx: {{kind: venus_dbus, bus: "tcp:host=127.0.0.1,port={port}"}}\n'
    nobody = await doctor(tmp_path, capsys, actors, free_port())
    [(ok, sentence)] = of(nobody, "venus_dbus gx")
    assert ok is False
    assert sentence.startswith(f"the D-Bus at tcp:host=127.0.0.1,port={port} cannot be reached")
    bus = Bus(tmp_path, port)
    bus.start()
    try:
        actors = f'  gx: {{kind: venus_dbus, bus: "{bus.address}"}}\n'
        [(ok, sentence)] = of(await doctor(tmp_path, capsys, actors, free_port()), "venus_dbus gx")
        assert ok is False
        assert sentence.endswith("answers, but is not a GX's: nobody is com.victronenergy.settings")
    finally:
        bus.stop()
    with Gx(tmp_path, mosquitto.port, free_port()) as gx:
        gx.settings()
        actors = f'  gx: {{kind: venus_dbus, bus: "{gx.bus.address}"}}\n'
        [(ok, sentence)] = of(await doctor(tmp_path, capsys, actors, free_port()), "venus_dbus gx")
        assert ok is True
        assert sentence.endswith("answers and is a GX's")


@pytest.mark.usefixtures("hasty")
async def test_a_missing_package_is_named(
    tmp_path: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.venus.venus_dbus.child._NEEDED", ("dbus_fast_of_nobody",))
    found = await doctor(tmp_path, capsys, "  gx: {kind: venus_dbus}\n", free_port())
    [(ok, sentence)] = of(found, "venus_dbus gx")
    assert ok is False
    assert sentence.startswith("the package dbus-fast-of-nobody is missing: install Heliograph")


@pytest.mark.usefixtures("hasty")
async def test_an_injector_elsewhere_is_listened_for(
    mosquitto: Mosquitto, tmp_path: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.cli.doctor_broker.CONNECT", 10)
    actors = "  gx: {kind: venus_dbus, bus: elsewhere}\n"
    with saying(mosquitto, Venus__gx__Status="offline"):
        found = await doctor(tmp_path, capsys, actors, mosquitto.port)
        assert of(found, "venus_dbus gx") == [
            (False, "the injector that runs elsewhere is offline")
        ]
    with saying(mosquitto, Venus__gx__Status="online"):
        found = await doctor(tmp_path, capsys, actors, mosquitto.port)
        assert of(found, "venus_dbus gx") == [
            (True, "what it needs is there: news on heliograph/Venus/gx/Status")
        ]


def test_no_kind_is_left_out() -> None:
    """What is not read must name a need, or say why nobody tries it, or truly need nothing."""
    silent = []
    for name, kind in all_kinds().items():
        found = kind.load()
        if getattr(found, "reads_directly", False) or found.untried is not None:
            continue
        if found.needs.__func__ is Actor.needs.__func__:  # type: ignore[attr-defined]
            silent.append(name)
    assert silent == ["es_ess", "fixed_tariff"]
