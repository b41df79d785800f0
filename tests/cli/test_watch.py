"""`heliograph watch`: every configured actor with its state and what it says."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import anyio
import pytest
from rich.console import Console

from bridge.cli.main import main
from bridge.cli.watch_model import Model
from bridge.cli.watch_view import picture
from tests.venus_dbus.gx import Told

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto

Capsys = pytest.CaptureFixture[str]


def looked(*messages: tuple[str, str]) -> Model:
    """What is known after these messages, with a guard and an external device configured."""
    model = Model(configured={"guard": "battery_guard", "flow": "external"})
    for address, payload in messages:
        model.take(address, payload.encode(), 1.0, retained=False)
    return model


def shown(model: Model) -> str:
    """The picture, as text."""
    console = Console(file=io.StringIO(), width=120)
    console.print(picture(model, "mqtt://127.0.0.1:1883", 2.0))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def line_of(model: Model, name: str) -> str:
    return next(line for line in shown(model).splitlines() if f" {name} " in line)


def test_an_actor_that_was_never_heard_is_there() -> None:
    assert "not running" in line_of(looked(), "guard")
    assert looked().export(2.0)["actors"]["guard"] == {
        "kind": "battery_guard",
        "status": None,
        "error": None,
        "messages": {},
    }


def test_what_an_actor_says_is_there() -> None:
    model = looked(
        ("Actors/guard/Status", "online"),
        ("Actors/guard/Messages/Operational", "2026-11-21T21:14:03Z the sun covers the car"),
    )
    assert "online" in line_of(model, "guard")
    assert "the sun covers the car" in line_of(model, "guard")
    warned = "2026-11-21T21:14:04Z the site is silent for 9 s"
    model.take("Actors/guard/Messages/Warning", warned.encode(), 1.0, retained=True)
    model.take(
        "Actors/guard/Health", b'{"error": "the site is silent for 9 s"}', 1.0, retained=True
    )
    line = line_of(model, "guard")
    assert line.count("the site is silent for 9 s") == 1
    assert "the sun covers" not in line
    model.take("Actors/guard/Status", b"offline", 1.0, retained=False)
    assert "the site is silent" in line_of(model, "guard")
    model.take("Actors/guard/Messages/Warning", b"", 1.0, retained=False)
    model.take("Actors/guard/Health", b'{"error": null}', 1.0, retained=False)
    # What it did while it ran is over.
    assert "the sun covers the car" not in line_of(model, "guard")
    model.take("Actors/guard/Status", b"online", 1.0, retained=False)
    assert "the sun covers the car" in line_of(model, "guard")


def test_a_device_without_a_value_is_there() -> None:
    model = looked(("Devices/flow/Status", "offline"))
    line = line_of(model, "flow")
    assert "offline" in line
    assert "no values" in line
    assert model.export(2.0)["devices"]["flow"] == {"status": "offline", "age": None, "values": {}}


async def test_the_command_hears_the_messages(
    mosquitto: Mosquitto, tmp_path: Path, capsys: Capsys
) -> None:
    path = tmp_path / "house.yaml"
    path.write_text(
        f'broker: {{url: "mqtt://127.0.0.1:{mosquitto.port}"}}\nstate: {tmp_path}\n'
        "actors:\n  flow: {kind: external}\n  shed: {kind: external}\n"
    )
    told = Told(mosquitto.port, "heliograph")
    try:
        told.say("Actors/flow/Messages/Warning", "2026-11-21T21:14:04Z too warm", retain=True)
        words = ["watch", "--json", "--config", str(path)]
        assert await anyio.to_thread.run_sync(main, words) == 0
    finally:
        told.close()
    found = json.loads(capsys.readouterr().out)["actors"]
    assert found["flow"]["messages"] == {"Warning": "too warm"}
    assert list(found) == ["flow", "shed"]
