"""`heliograph sim`: a device to point a configuration at, and its faults."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import socket
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from bridge.cli.main import main
from bridge.config.load import load_text
from tests.cli.command import ended, line_of, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.command import Commands
    from tests.support.mosquitto import Mosquitto

Capsys = pytest.CaptureFixture[str]


async def read(heliograph: Commands, snippet: str) -> tuple[int, Any, str]:
    heliograph.config.write_text(f"state: {heliograph.state}\nactors:\n  {snippet}")
    actor = snippet.partition(":")[0]
    code, out, err = await heliograph.run("read", actor, "--json")
    return code, json.loads(out) if out else None, err


async def test_the_line_it_prints_is_a_working_configuration(heliograph: Commands) -> None:
    words = ("sim", "shelly", "--port", "0", "--option", "power=[-1234, 0, 0]")
    process = heliograph.start(*words, config=False)
    snippet = await line_of(process)
    assert snippet.startswith("shelly: {kind: shelly, host: 127.0.0.1, port: ")
    assert load_text(f"actors:\n  {snippet}").actors["shelly"].kind == "shelly"
    code, values, _ = await read(heliograph, snippet)
    assert code == 0
    assert values["GridPower"] == {"value": -1234.0, "unit": "W"}
    assert await told(process, signal.SIGTERM) == (0, "", "")


async def test_a_device_on_the_broker_of_a_house(
    heliograph: Commands, mosquitto: Mosquitto
) -> None:
    words = ("--option", f"broker={mosquitto.url}", "--option", "style=tasmota")
    process = heliograph.start("sim", "mqtt_switch", *words, config=False)
    snippet = await line_of(process)
    assert snippet.startswith("mqtt_switch: {kind: mqtt_switch, on_topic: cmnd/boiler/POWER, ")
    broker = await line_of(process)
    assert broker.startswith("broker: {url: ")
    assert load_text(f"{broker}actors:\n  {snippet}").broker.url == mosquitto.url
    assert await told(process, signal.SIGTERM) == (0, "", "")


async def test_a_unit_that_is_not_the_usual_one_is_in_the_line(heliograph: Commands) -> None:
    process = heliograph.start("sim", "sun2000", "--port", "0", "--option", "unit=7", config=False)
    snippet = await line_of(process)
    assert load_text(f"actors:\n  {snippet}").actors["sun2000"].settings.unit == 7
    assert (await told(process, signal.SIGTERM))[0] == 0


async def test_it_begins_with_a_fault_and_ends_on_ctrl_c(heliograph: Commands) -> None:
    words = ("sim", "yourkind", "--port", "0", "--fault", "500", "--option", "power=700")
    process = heliograph.start(*words, config=False)
    snippet = await line_of(process)
    code, values, err = await read(heliograph, snippet)
    assert (code, values) == (1, None)
    assert "refuses with HTTP 500" in err
    assert (await told(process, signal.SIGINT))[0] == 0


@contextlib.contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    ours, theirs = pty.openpty()
    try:
        yield ours, theirs
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.slow
async def test_faults_are_switched_by_typing_their_names(heliograph: Commands) -> None:
    with terminal() as (ours, theirs):
        process = heliograph.start("sim", "yourkind", "--port", "0", config=False, stdin=theirs)
        snippet = await line_of(process)
        assert (await line_of(process)).startswith("faults to type: stall, close, rubbish")
        assert (await read(heliograph, snippet))[0] == 0
        os.write(ours, b"500\n")
        assert await line_of(process) == "fault: 500: fails inside\n"
        assert (await read(heliograph, snippet))[0] == 1
        os.write(ours, b"nonsense\n")
        assert (await line_of(process)).startswith("fault 'nonsense' is not known; there are")
        os.write(ours, b"\n")
        assert await line_of(process) == "fault: none\n"
        assert (await read(heliograph, snippet))[0] == 0
        os.write(ours, b"\x04")
        await anyio.sleep(0.2)
        assert process.poll() is None, "end of input is not the end of the device"
        assert (await told(process, signal.SIGTERM))[0] == 0


async def test_a_port_that_is_taken(heliograph: Commands) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, out, err = await heliograph.run("sim", "shelly", "--port", port, config=False)
        assert (code, out) == (1, "")
        assert err.startswith(f"port {port} of 127.0.0.1 cannot be used: ")
        assert err.count("\n") == 1

        heliograph.change(
            "    password: Secret | None = None\n",
            f"    port: int = {port}\n    password: Secret | None = None\n",
        )
        process = heliograph.start("sim", "yourkind", config=False)
        first = await line_of(process)
        assert first.startswith(f"port {port}, which a yourkind has, cannot be used here (")
        assert (await read(heliograph, await line_of(process)))[0] == 0
        assert (await told(process, signal.SIGTERM))[0] == 0


async def test_the_usual_port_is_taken_when_it_is_free(heliograph: Commands) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    heliograph.change(
        "    password: Secret | None = None\n",
        f"    port: int = {port}\n    password: Secret | None = None\n",
    )
    process = heliograph.start("sim", "yourkind", config=False)
    assert f"port: {port}}}" in await line_of(process)
    process.send_signal(signal.SIGTERM)
    assert (await ended(process))[0] == 0


async def test_several_numbers_need_no_brackets(heliograph: Commands) -> None:
    words = ("sim", "shelly", "--port", "0", "--option", "power=-1000,-800,600.5")
    process = heliograph.start(*words, config=False)
    code, values, _ = await read(heliograph, await line_of(process))
    assert code == 0
    assert values["GridPower"] == {"value": -1199.5, "unit": "W"}
    process.send_signal(signal.SIGTERM)
    assert (await ended(process))[0] == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("shely", "kind 'shely' is not known: did you mean 'shelly'?"),
        ("distributor", "kind 'distributor' has no simulator"),
        ("", "say which kind: "),
        ("shelly --fault sleepy", "fault 'sleepy' is not known; there are "),
        ("shelly --option colour=red", "option 'colour' is not known; there are model, "),
        ("shelly --option port=5", "option 'port' is not known"),
        ("shelly --option power", "--option power is not NAME=VALUE"),
        ("shelly --option model=[", "--option model=[: the value cannot be read"),
        ("shelly --option power=much", "--option power=much: that is not a number"),
        ("venus_mqtt --option sun=1,2", "--option sun=1,2: that takes one number"),
        ("shelly --option model=pro9", "the simulator cannot be made like that: model 'pro9'"),
        ("lg_ess --option model=pro9", "model 'pro9' is not known: home5, "),
    ],
)
def test_what_cannot_be_is_one_sentence(capsys: Capsys, words: str, sentence: str) -> None:
    assert main(["sim", *words.split()]) == 2
    out, err = capsys.readouterr()
    assert "kind:" not in out
    assert sentence in err
    assert err.count("\n") == 1


def test_faults_and_options_are_listed(capsys: Capsys) -> None:
    assert main(["sim", "shelly", "--list"]) == 0
    out = capsys.readouterr().out
    assert "faults of shelly:" in out
    assert "model  (default: pro3em)" in out
    assert main(["sim", "--list"]) == 0
    assert "shelly" in capsys.readouterr().out.splitlines()
