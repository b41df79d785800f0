"""`heliograph sim` of every kind: the line it prints works, and so does every fault it lists."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from msgspec.structs import fields

from bridge.actor import Context
from bridge.cli.main import main
from bridge.cli.sim import faults_of, snippet
from bridge.clock import Clock
from bridge.config.kinds import all_kinds
from bridge.config.load import load_text
from bridge.contract import load_contract
from bridge.device import Device
from bridge.mqtt import Endpoint
from tests.actors.kinds import last, running
from tests.cli.command import line_of
from tests.runtime.virtual import Wire, alive

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.config import Config
    from bridge.config.kinds import Kind
    from tests.cli.command import Commands

Capsys = pytest.CaptureFixture[str]
WAYS: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("deye", {}, {"map": "sg04lp3"}),
    ("deye", {"map": "sg0xlp1", "transport": "rtu_over_tcp"}, {"map": "sg0xlp1"}),
    ("deye", {"transport": "solarman", "serial": 1712345678}, {"serial": 1712345678}),
    ("goodwe", {}, {"family": "et", "transport": "udp"}),
    ("goodwe", {"family": "dt"}, {"family": "dt", "transport": "udp"}),
    ("goodwe", {"transport": "rtu_over_tcp"}, {"transport": "rtu_over_tcp"}),
    ("sma", {}, {"map": "sunny_island"}),
    ("sma", {"map": "stp", "unit": 4}, {"map": "stp", "unit": 4}),
    ("sun2000", {"unit": 7}, {"unit": 7}),
    ("sunspec", {}, {"meter_unit": 200}),
    ("sunspec", {"profile": "solaredge"}, {"solaredge_storage": True}),
    ("sunspec", {"profile": "kostal"}, {"unit": 71}),
    ("sunspec", {"profile": "sma"}, {"unit": 126}),
    ("sunspec", {"profile": "der2018_hybrid"}, {}),
    ("fronius_meter", {}, {"unit": 0}),
    ("fronius_meter", {"unit": 3}, {"unit": 3}),
    ("go_e", {}, {"host": "127.0.0.1"}),
    ("go_e", {"api": "v1"}, {}),
    ("http_switch", {}, {"on_pattern": '"output":true'}),
    ("http_switch", {"face": "tasmota", "password": "no: sun"}, {"username": "admin"}),
    ("mqtt_switch", {}, {"on_topic": "boiler/Set"}),
    ("mqtt_switch", {"style": "shelly", "name": "pool"}, {"on_path": "output"}),
    ("mqtt_pv", {}, {"rated_power": 1500.0}),
    ("mqtt_pv", {"style": "tasmota", "name": "shed"}, {"limit": None}),
    ("mqtt_sensor", {}, {"temperature": "sensors/garden/temperature"}),
    ("mqtt_sensor", {"style": "zigbee2mqtt"}, {"stale": 3600.0}),
    ("homevolt", {"password": "no: sun, # no gain"}, {"host": "127.0.0.1"}),
    ("homevolt", {"units": 2}, {"password": None}),
    ("lg_ess", {"model": "home15"}, {"host": "127.0.0.1"}),
    ("sessy", {}, {"username": None}),
    ("sessy", {"password": "no: sun, # no gain"}, {"username": "DSIM0001"}),
    ("sessy", {"model": "p1"}, {}),
    ("sessy", {"model": "ct", "password": "it's"}, {"username": "CSIM0001"}),
    ("shelly", {"password": "no: sun, # no gain"}, {"host": "127.0.0.1"}),
    ("venus_mqtt", {"phases": 1}, {"host": "127.0.0.1"}),
    ("venus_mqtt", {"password": "no: sun, # no gain", "old": True}, {"username": "heliograph"}),
    ("victron_modbus", {"phases": 1}, {}),
    ("wattpilot", {}, {"host": "127.0.0.1"}),
    ("wattpilot", {"model": "flex", "password": "no: sun"}, {"host": "127.0.0.1"}),
    ("alphaess", {}, {"app_id": "alpha0123456789abcdef"}),
    ("alphaess", {"systems": 2, "chargers": 1, "app_id": "0123"}, {"app_id": "0123"}),
    ("alphaess", {"model": "scheduled"}, {"gap": 0.0}),
    ("amber", {}, {"site": None}),
    ("amber", {"length": 5, "token": "psk_012345"}, {"site": None}),
    ("tibber", {}, {"home": None}),
    ("tibber", {"zone": "Europe/Oslo", "currency": "NOK"}, {"home": None}),
    ("entsoe", {}, {"zone": "DE-LU"}),
    ("entsoe", {"zone": "NO1", "minutes": 60}, {"zone": "NO1"}),
    ("http_tariff", {}, {"template": "energy_charts", "zone": "DE-LU"}),
    *(
        ("http_tariff", {"template": template}, {"template": template, **told})
        for template, told in (
            ("awattar_de", {}),
            ("awattar_at", {}),
            ("elering", {"zone": "ee"}),
            ("energinet", {"zone": "DK1", "currency": "DKK"}),
            ("nordpool", {"zone": "SE3", "currency": "SEK"}),
            ("octopus", {"region": "C"}),
            ("omie", {"zone": "es"}),
        )
    ),
    ("co2", {}, {"source": "energy_charts"}),
    ("co2", {"source": "electricity_maps", "token": "012345"}, {"zone": "DE"}),
    ("co2", {"source": "uk"}, {"source": "uk"}),
    ("co2", {"source": "energinet"}, {"source": "energinet"}),
    ("forecast_solar", {}, {"latitude": 50.1}),
    ("open_meteo", {"days": ["dull", "mixed"]}, {"latitude": 50.1}),
    ("solcast", {}, {"calls_per_day": 10}),
)
WAIT = 10.0
NAMED = [f"{name}-{'-'.join(map(str, more.values()))}" for name, more, _ in WAYS]


def test_every_simulated_kind_is_tried() -> None:
    simulated = {name for name, kind in all_kinds().items() if (kind.folder / "sim.py").is_file()}
    assert simulated == {name for name, _, _ in WAYS}


@pytest.mark.parametrize(("name", "options", "told"), WAYS, ids=NAMED)
async def test_the_printed_line_is_checked_and_read(
    name: str, options: dict[str, Any], told: dict[str, Any], tmp_path: Path, capsys: Capsys
) -> None:
    kind = all_kinds()[name]
    module: Any = kind.simulator()
    async with module.Simulator(host="127.0.0.1", port=0, **options) as sim:
        line = snippet(kind, module, sim)
        settings = load_text(f"actors:\n  {line}").actors[name].settings
        said = {each.encode_name: getattr(settings, each.name) for each in fields(settings)}
        assert {key: said[key] for key in told} == told
        path = tmp_path / "house.yaml"
        path.write_text(f"state: {tmp_path}/state\nactors:\n  {line}   # below actors:\n")
        assert await anyio.to_thread.run_sync(main, ["check", "--config", str(path)]) == 0
        capsys.readouterr()
        if callable(getattr(sim, "broker", None)):
            await heard_on_the_broker(sim, kind, settings, tmp_path)
            return
        if not issubclass(kind.load(), Device):
            await curve_of(name, load_text(path.read_text()))
            return
        words = ["read", name, "--config", str(path), "--json"]
        assert await anyio.to_thread.run_sync(main, words) == 0
    assert '"value":' in capsys.readouterr().out


async def heard_on_the_broker(sim: Any, kind: Kind, settings: Any, folder: Path) -> None:
    """One that can only be heard is there, with a reading, on the broker that was told."""
    sim.period = 0.3
    async with running(kind, settings, folder / "state", sim.port) as them:
        await them.until(lambda: last(them, "Devices/dut/Status") == "online")
        await them.until(lambda: last(them, "Devices/dut/State"))


async def curve_of(name: str, config: Config) -> None:
    """Let an actor that is no device ask; it must tell a curve and have nothing to complain of."""
    settings = config.actors[name].settings
    nowhere = Endpoint("localhost", 1)
    context = Context(name, settings, config, load_contract(), nowhere, Clock())
    actor, wire = all_kinds()[name].load()(context), Wire()

    def told() -> bool:
        return any(address.endswith("/Curve") and payload for _, address, payload in wire.sent)

    async with alive(actor, wire):
        with anyio.move_on_after(WAIT):
            while not told() and actor.error is None:  # noqa: ASYNC110 - the wire tells no event
                await anyio.sleep(0.02)
        assert actor.error is None
        assert told()
    await actor.make_safe()


@pytest.mark.parametrize(("name", "options", "told"), WAYS, ids=NAMED)
async def test_every_listed_fault_can_be_switched(
    name: str, options: dict[str, Any], told: dict[str, Any], capsys: Capsys
) -> None:
    del told
    module: Any = all_kinds()[name].simulator()
    sim = module.Simulator(host="127.0.0.1", port=0, **options)
    faults = faults_of(module, sim)
    for fault in faults:
        sim.fault = fault
        assert sim.fault == fault
        sim.fault = None
    words = [part for key, value in options.items() for part in ("--option", f"{key}={value!r}")]
    assert await anyio.to_thread.run_sync(main, ["sim", name, "--list", *words]) == 0
    listed = capsys.readouterr().out.partition("options:")[0].splitlines()[1:]
    assert [line.split()[0] for line in listed] == list(faults)


@pytest.mark.parametrize(
    ("name", "option", "watts"), [("shelly", "", -1500), ("sessy", "model=p1", -1500)]
)
async def test_the_power_of_a_meter_is_one_number_as_the_help_has_it(
    name: str, option: str, watts: float, heliograph: Commands
) -> None:
    more = ("--option", option) if option else ()
    options = ("--port", "0", "--option", f"power={watts}", *more)
    line = await line_of(heliograph.start("sim", name, *options, config=False))
    heliograph.config.write_text(f"state: {heliograph.state}\nactors:\n  {line}\n")
    code, out, _ = await heliograph.run("read", name, "--json")
    assert code == 0
    assert json.loads(out)["GridPower"]["value"] == watts


@pytest.mark.parametrize("name", ["homevolt", "lg_ess", "sessy", "shelly", "wattpilot"])
async def test_a_password_of_digits(name: str, heliograph: Commands) -> None:
    options = ("--port", "0", "--option", "password=012345")
    line = await line_of(heliograph.start("sim", name, *options, config=False))
    assert "password: '012345'" in line
    heliograph.config.write_text(f"state: {heliograph.state}\nactors:\n  {line}\n")
    assert (await heliograph.run("read", name))[0] == 0


@pytest.mark.parametrize("fault", ["foreign", "short"])
def test_a_fault_that_this_transport_does_not_have(capsys: Capsys, fault: str) -> None:
    words = ["sim", "deye", "--option", "transport=solarman", "--fault", fault]
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"fault '{fault}' is not known; there are silence, close, ")
    assert "foreign_serial" in err
    assert err.count("\n") == 1


def test_options_that_no_configuration_can_match(capsys: Capsys) -> None:
    assert main(["sim", "sma", "--port", "0", "--option", "transport=pigeon"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("the simulator cannot be made like that: ")
    assert "transport" in err
    assert err.count("\n") == 1


async def test_a_line_of_a_listener_on_every_address_points_here() -> None:
    kind = all_kinds()["sma"]
    module: Any = kind.simulator()
    sim = argparse.Namespace(host="0.0.0.0", port=5020)
    assert snippet(kind, module, sim) == "sma: {kind: sma, host: 127.0.0.1, port: 5020}"


async def test_a_stick_begins_with_a_fault_of_its_own(heliograph: Commands) -> None:
    words = ("--port", "0", "--option", "transport=solarman", "--fault", "foreign_serial")
    process = heliograph.start("sim", "deye", *words, config=False)
    line = await line_of(process)
    assert "transport: solarman" in line
    assert await line_of(process) == "fault: foreign_serial\n"
    heliograph.config.write_text(
        f"state: {heliograph.state}\nactors:\n  {line.replace('}', ', timeout: 0.3, retries: 0}')}"
    )
    code, out, err = await heliograph.run("read", "deye", "--json")
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
