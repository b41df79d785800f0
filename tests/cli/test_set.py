"""`heliograph set` in processes of its own, on the skeleton's simulator."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import anyio
import pytest

from actors._template.sim import Simulator
from actors.devices.shelly.sim import Simulator as Shelly
from bridge.hold import Hold
from tests.cli.command import ended, line_of, told
from tests.cli.test_read import INVERTERS, simulator

if TYPE_CHECKING:
    import subprocess

    from tests.cli.command import Commands

NOT_BACK = "PvLimit of ess was not given back: the next start of the bridge tries again"


def held(heliograph: Commands) -> object:
    """What the journal says is lent out."""
    return json.loads((heliograph.state / "ess" / "leases.json").read_text())["held"]


async def lent(heliograph: Commands, sim: Simulator, seconds: str) -> subprocess.Popen[str]:
    """A `set` that has set a limit and stays."""
    heliograph.configure(sim.port)
    process = heliograph.start("set", "ess", "PvLimit", "1500", "--for", seconds)
    assert await line_of(process) == f"PvLimit of ess is 1500 W for {seconds} s\n"
    assert sim.limit == 1500
    assert held(heliograph) == [["ess", "PvLimit"]]
    return process


async def test_a_lease_is_set_and_given_back_at_its_end(heliograph: Commands) -> None:
    async with Simulator(power=4000.0) as sim:
        process = await lent(heliograph, sim, "1.5")
        begun = anyio.current_time()
        code, out, err = await ended(process)
        assert 0.7 < anyio.current_time() - begun < 6
        assert (code, out, err) == (0, "PvLimit of ess was given back\n", "")
        assert sim.limit is None
        assert held(heliograph) == []


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0), (signal.SIGHUP, 0)]
)
async def test_a_signal_gives_back_at_once(
    heliograph: Commands, number: signal.Signals, code: int
) -> None:
    async with Simulator(power=4000.0) as sim:
        process = await lent(heliograph, sim, "600")
        assert await told(process, number) == (code, "PvLimit of ess was given back\n", "")
        assert sim.limit is None
        assert held(heliograph) == []


@pytest.mark.slow
async def test_the_devices_watchdog_is_fed(heliograph: Commands) -> None:
    heliograph.change('{"PvLimit": 60.0}', '{"PvLimit": 1.0}')
    async with Simulator(power=4000.0, watchdog=1.0) as sim:
        process = await lent(heliograph, sim, "60")
        for _ in range(25):
            await anyio.sleep(0.1)
            assert sim.limit == 1500
        assert sim.requests.count("POST /limit") >= 4
        assert (await told(process, signal.SIGTERM))[0] == 0


@pytest.mark.slow
async def test_json_has_the_result_and_the_end(heliograph: Commands) -> None:
    async with Simulator(power=4000.0) as sim:
        heliograph.configure(sim.port)
        words = ("set", "ess", "PvLimit", "1500", "--for", "1", "--json")
        code, out, err = await heliograph.run(*words)
        first, second = map(json.loads, out.splitlines())
        assert (code, err) == (0, "")
        common = {"device": "ess", "control": "PvLimit", "unit": "W", "error": None}
        assert first == common | {"ok": True, "value": 1500.0}
        assert second == common | {"ok": True, "value": None, "given_back": True}
        code, out, err = await heliograph.run("set", "ess", "PvLimit", "99999", *words[4:])
        assert (code, err) == (1, "")
        assert json.loads(out) == common | {
            "ok": False,
            "value": None,
            "error": "PvLimit 99999 is not between 0 and 10000 W",
        }


@pytest.mark.parametrize("value", ["back", ""])
async def test_back_gives_back_what_nobody_noted(heliograph: Commands, value: str) -> None:
    async with Simulator(power=4000.0) as sim:
        sim.status["limit_w"], sim._limited_at = 700.0, anyio.current_time()
        heliograph.configure(sim.port)
        code, out, _ = await heliograph.run("set", "ess", "PvLimit", value)
        assert (code, out) == (0, "PvLimit of ess was given back\n")
        assert sim.limit is None


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["PvLimit", "1500"], "PvLimit is lent for a time: say how long with --for SECONDS"),
        (["PvLimit", "1500", "--for", "0.5"], "--for 0.5 is not between 1 and 3600 s"),
        (["PvLimit", "1500", "--for", "3601"], "--for 3601 is not between 1 and 3600 s"),
        (["PvLimit", "1500", "--for", "nan"], "--for nan is not between 1 and 3600 s"),
        (["PvLimit", "back", "--for", "5"], "PvLimit is given back at once: leave out --for"),
        (["PvLimit", "much", "--for", "5"], "PvLimit 'much' is not a plain number"),
        (["PvLimit", "-5", "--for", "5"], "PvLimit '-5' is out of range"),
        (["PvLimit", '{"value": 5}', "--for", "5"], "is not a plain number"),
        (["MinSoc", "5"], "ess has no control MinSoc; its kind has PvLimit"),
        (["Teleport", "5"], "ess has no control Teleport; its kind has PvLimit"),
    ],
)
async def test_what_is_typed_wrong_reaches_no_device(
    heliograph: Commands, words: list[str], sentence: str
) -> None:
    async with Simulator() as sim:
        heliograph.configure(sim.port)
        code, out, err = await heliograph.run("set", "ess", *words)
        assert (code, out) == (2, "")
        assert sentence in err
        assert err.count("\n") == 1
        assert sim.requests == []


async def test_other_mistakes_are_one_sentence_too(heliograph: Commands) -> None:
    async with Simulator() as sim:
        heliograph.configure(sim.port)
        code, _, err = await heliograph.run("set", "nobody", "PvLimit", "5", "--for", "5")
        assert code == 2
        assert "there is no actor 'nobody'" in err
        words = ("PvLimit", "5", "--for", "5", "--device", "west")
        code, _, err = await heliograph.run("set", "ess", *words)
        assert (code, err) == (1, "ess has no device ess-west; it has ess\n")
        assert sim.limit is None
        heliograph.configure(1, kind="external")
        text = heliograph.config.read_text().replace("host: 127.0.0.1, port: 1, ", "")
        heliograph.config.write_text(text.replace("interval: 0.2, timeout: 0.5", ""))
        code, _, err = await heliograph.run("set", "ess", "PvLimit", "5", "--for", "5")
        assert (code, err) == (2, "ess is of kind external, which has nothing that could be set\n")


@pytest.mark.parametrize("fault", ["stall", "rubbish", "login"])
async def test_a_device_that_does_not_answer_is_one_sentence(
    heliograph: Commands, fault: str
) -> None:
    async with Simulator() as sim:
        sim.fault = fault
        heliograph.configure(sim.port)
        code, out, err = await heliograph.run("set", "ess", "PvLimit", "5", "--for", "5")
        assert (code, out) == (1, "")
        assert err.startswith("the device at 127.0.0.1:")
        assert err.count("\n") == 1
        assert not (heliograph.state / "ess" / "leases.json").exists()


async def test_a_device_that_ignores_it_is_given_back_and_said(heliograph: Commands) -> None:
    heliograph.change("return self._last.limit if self._last else None", "return 1.0")
    async with Simulator() as sim:
        heliograph.configure(sim.port)
        code, out, err = await heliograph.run("set", "ess", "PvLimit", "1500", "--for", "5")
        assert (code, out) == (1, "")
        assert err == "PvLimit was set to 1500, but the device has 1\n"
        assert sim.requests.count("POST /limit") == 3, "written twice, then given back"
        assert sim.limit is None


async def test_what_could_not_be_given_back_is_said_and_noted(heliograph: Commands) -> None:
    async with Simulator() as sim:
        process = await lent(heliograph, sim, "600")
        sim.fault = "stall"
        code, out, err = await told(process, signal.SIGTERM)
        assert (code, out) == (1, "")
        assert NOT_BACK in err
        assert held(heliograph) == [["ess", "PvLimit"]]
        sim.fault = None
        assert (await heliograph.run("set", "ess", "PvLimit", "back"))[0] == 0
        assert held(heliograph) == []
        assert sim.limit is None


@pytest.mark.slow
async def test_writes_of_the_day_count(heliograph: Commands) -> None:
    heliograph.change(
        "    tolerance: ClassVar",
        '    daily_writes: ClassVar = {"PvLimit": 2}\n    tolerance: ClassVar',
    )
    async with Simulator() as sim:
        heliograph.configure(sim.port)
        words = ("set", "ess", "PvLimit", "1500", "--for", "1")
        assert (await heliograph.run(*words))[0] == 0
        assert (await heliograph.run(*words))[0] == 0
        code, _, err = await heliograph.run(*words)
        assert (code, err) == (1, "PvLimit was written 2 times today, which is its limit\n")


@pytest.mark.slow
async def test_two_sets_at_once_do_not_fight(heliograph: Commands) -> None:
    async with Simulator() as sim:
        process = await lent(heliograph, sim, "600")
        code, _, err = await heliograph.run("set", "ess", "PvLimit", "9", "--for", "5")
        sentence = "ess is held by a `heliograph set` (process"
        assert code == 1
        assert err == f"{sentence} {process.pid}): wait until that has ended\n"
        assert sim.limit == 1500
        process.kill()
        process.wait()
        assert sim.limit == 1500, "nobody was there to give it back"
        assert (await heliograph.run("set", "ess", "PvLimit", "9", "--for", "1"))[0] == 0
        assert sim.limit is None


async def test_without_a_place_for_its_journal_nothing_is_set(heliograph: Commands) -> None:
    heliograph.state.write_text("no folder")
    async with Simulator() as sim:
        heliograph.configure(sim.port)
        code, _, err = await heliograph.run("set", "ess", "PvLimit", "9", "--for", "5")
        assert code == 1
        assert err.startswith("whether a bridge holds ess cannot be seen, so nothing is set: ")
        assert sim.requests == []


async def test_a_hold_that_a_bridge_has_is_named_with_what_to_do(heliograph: Commands) -> None:
    hold = Hold(heliograph.state, "ess", "bridge")
    assert hold.take() is None
    heliograph.configure(1)
    code, _, err = await heliograph.run("set", "ess", "PvLimit", "9", "--for", "5")
    hold.release()
    assert code == 1
    assert err.startswith("ess is held by the running bridge (process ")
    assert err.endswith("): publish on heliograph/Devices/ess/PvLimit/Set instead\n")


async def test_a_control_that_keeps_its_value_is_set_and_left(heliograph: Commands) -> None:
    async with Shelly("plug_s") as sim:
        heliograph.configure(sim.port, kind="shelly")
        words = ("set", "ess", "Switch")
        assert await heliograph.run(*words, "off") == (0, "Switch of ess is false\n", "")
        assert sim.output == [False]
        code, out, _ = await heliograph.run(*words, "true", "--json")
        assert (code, json.loads(out)["value"]) == (0, True)
        assert sim.output == [True]
        for more, sentence in (
            (("back",), "Switch keeps its value and is not lent out: it cannot be given back\n"),
            (("off", "--for", "5"), "Switch keeps its value: leave out --for\n"),
        ):
            assert await heliograph.run(*words, *more) == (2, "", sentence)
        assert sim.output == [True]
        assert not (heliograph.state / "ess" / "leases.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", INVERTERS)
async def test_every_inverter_lends_its_battery_and_has_it_back(
    heliograph: Commands, name: str
) -> None:
    async with simulator(name) as sim:
        heliograph.configure(sim.port, kind=name)
        text = heliograph.config.read_text().replace("timeout: 0.5", "timeout: 3")
        heliograph.config.write_text(text)
        words = ("set", "ess", "BatterySetpoint", "800", "--for", "600")
        process = heliograph.start(*words)
        assert await line_of(process) == "BatterySetpoint of ess is 800 W for 600 s\n"
        with anyio.fail_after(5):
            while abs(sim.plant.battery - 800) > 20:  # noqa: ASYNC110 - the plant has no event
                await anyio.sleep(0.05)
        end = "BatterySetpoint of ess was given back\n"
        assert await told(process, signal.SIGTERM) == (0, end, "")
        assert held(heliograph) == []
        with anyio.fail_after(5):
            while abs(sim.plant.battery - 800) < 20:
                sim.forward(1.0)
                await anyio.sleep(0.05)
