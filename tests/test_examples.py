"""The examples do what they say: the shell consumer against a real broker, the others as data."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bridge.contract import load_contract
from tests.support.mosquitto import Mosquitto

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = Path(__file__).parents[1] / "examples"
OURS = "heliograph/Requests/pot/"
STATUS = "heliograph/Actors/distributor/Status"
ASKED = ["Priority 50", "Consumption 0", "Request 900", "IsAutomatic true"]


@contextlib.contextmanager
def reading(command: list[str], **env: str) -> Iterator[subprocess.Popen[str]]:
    """A program whose lines we read; it and what it started are gone afterwards."""
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **env},
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def lines(process: subprocess.Popen[str], count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().strip() for _ in range(count)]


class House:
    """A consumer.sh, and the distributor's side of the broker."""

    def __init__(self, port: int, heard: subprocess.Popen[str]) -> None:
        self._port = port
        self._heard = heard

    def publish(self, topic: str, payload: str, *, retain: bool = True) -> None:
        flags = ["-r"] if retain else []
        command = ["mosquitto_pub", "-p", str(self._port), *flags, "-t", topic, "-m", payload]
        subprocess.run(command, check=True)

    def status(self, word: str) -> None:
        self.publish(STATUS, word)

    def allow(self, watts: str) -> None:
        self.publish(OURS + "Allowance", watts)
        self.hears(f"Allowance {watts}")

    def hears(self, *expected: str) -> None:
        """These are the next messages below our id, `Field value` each."""
        heard = lines(self._heard, len(expected))
        assert [text.removeprefix(OURS) for text in heard] == list(expected)

    def consumer(
        self, lease: int = 30, repeat: int = 60
    ) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
        command = ["bash", str(EXAMPLES / "shell" / "consumer.sh")]
        command += ["-p", str(self._port), "-i", "pot", "-w", "900"]
        return reading(command, LEASE=str(lease), REPEAT=str(repeat))


@contextlib.contextmanager
def listening(port: int) -> Iterator[House]:
    command = ["mosquitto_sub", "-p", str(port), "-v", "-t", OURS + "+"]
    with reading(command) as heard:
        house = House(port, heard)
        # It is subscribed once it has this one, retained or live.
        house.publish(OURS + "Ready", "yes")
        house.hears("Ready yes")
        house.publish(OURS + "Ready", "")
        house.hears("Ready (null)")
        yield house


@pytest.fixture
def house(mosquitto: Mosquitto) -> Iterator[House]:
    with listening(mosquitto.port) as house:
        yield house


def test_shell_consumer_runs_while_allowed(house: House) -> None:
    house.status("online")
    with house.consumer() as consumer:
        house.hears(*ASKED)
        house.allow("900")
        assert lines(consumer, 1) == ["on 900"]
        house.hears("Consumption 900")
        house.allow("0")
        assert lines(consumer, 1) == ["off 0"]
        house.hears("Consumption 0")
        consumer.terminate()
        house.hears("Request 0")


@pytest.mark.parametrize("rubbish", ["plenty", "-900", "900 W", "1e3", "nan"])
def test_shell_consumer_takes_rubbish_for_nothing(house: House, rubbish: str) -> None:
    house.status("online")
    with house.consumer() as consumer:
        house.hears(*ASKED)
        house.allow("900.5")
        assert lines(consumer, 1) == ["on 900"]
        house.hears("Consumption 900")
        house.allow(rubbish)
        assert lines(consumer, 1) == ["off 0"]


def test_shell_consumer_stops_without_a_fresh_allowance(house: House) -> None:
    house.status("online")
    with house.consumer(lease=2) as consumer:
        house.hears(*ASKED)
        house.allow("900")
        assert lines(consumer, 2) == ["on 900", "off 0 no allowance for 2 s"]


def test_shell_consumer_stops_with_the_distributor_and_asks_again(house: House) -> None:
    house.status("online")
    with house.consumer() as consumer:
        house.hears(*ASKED)
        house.allow("900")
        house.hears("Consumption 900")
        house.status("offline")
        assert lines(consumer, 2) == ["on 900", "off 0 the distributor is offline"]
        house.hears("Consumption 0")
        house.status("online")
        house.hears(*ASKED)


def test_shell_consumer_believes_no_retained_allowance(tmp_path: Path) -> None:
    with Mosquitto(persistence=tmp_path) as broker, listening(broker.port) as house:
        house.status("online")
        with house.consumer(lease=2) as consumer:
            house.hears(*ASKED)
            house.allow("900")
            assert lines(consumer, 2) == ["on 900", "off 0 no allowance for 2 s"]
            # The 900 is retained: whoever subscribes again is told it once more.
            broker.restart()
            assert consumer.stdout is not None
            for _ in range(40):
                house.publish(OURS + "Allowance", "450", retain=False)
                if select.select([consumer.stdout], [], [], 0.25)[0]:
                    break
            assert lines(consumer, 1) == ["on 450"]


def test_shell_consumer_repeats_its_request(house: House) -> None:
    house.status("online")
    with house.consumer(repeat=1):
        house.hears(*ASKED, *ASKED)


# ---------------------------------------------------------------------------------- the other two


def flow() -> list[dict[str, Any]]:
    text = (EXAMPLES / "node-red" / "consumer.json").read_text(encoding="utf-8")
    return json.loads(text)


def test_flow_is_wired_and_carries_no_secret() -> None:
    ids = {node["id"] for node in flow()}
    assert len(ids) == len(flow())
    targets = {target for node in flow() for port in node.get("wires", []) for target in port}
    assert targets <= ids
    assert {node["broker"] for node in flow() if node["type"].startswith("mqtt ")} <= ids
    assert not any("credentials" in node for node in flow())
    function = next(node for node in flow() if node["type"] == "function")
    assert len(function["wires"]) == function["outputs"] == 2


def test_topics_of_the_examples_are_declared() -> None:
    sketch = (EXAMPLES / "esp" / "consumer.ino").read_text(encoding="utf-8")
    function = next(node["func"] for node in flow() if node["type"] == "function")
    listened = [node["topic"] for node in flow() if node["type"] == "mqtt in"]
    fields = set(re.findall(r'tell\("(\w+)"', sketch)) | {"Priority", "Request", "IsAutomatic"}
    for field in fields:
        listened.append(f"heliograph/Requests/kettle/{field}")
        assert field in function
    assert len(fields) == 4
    contract = load_contract()
    unknown = [topic for topic in listened if not contract.match(topic.removeprefix("heliograph/"))]
    assert unknown == []
