"""The skeleton, copied under another name by the commands of CONTRIBUTING.md, as a real device."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from actors._template.decode import decode
from actors._template.sim import SAMPLE
from bridge.config import KindRegistry, all_kinds
from bridge.config.load import load_text
from bridge.config.secret import Secret
from bridge.errors import ConfigError, DeviceGarbled, DeviceRefused
from tests.actors.kinds import COPY, last, make, running, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.config.kinds import Kind
    from tests.runtime.links import Link
    from tests.support.mosquitto import Mosquitto


def test_the_skeleton_itself_is_no_kind() -> None:
    assert not any("template" in name for name in all_kinds())


def test_the_copy_has_its_own_name_everywhere(copied: Kind) -> None:
    assert copied.load().kind == COPY
    for path in copied.folder.glob("*.*"):
        assert "_template" not in path.read_text(), path.name


def test_the_copy_is_configured_like_every_device(copied: Kind) -> None:
    registry = KindRegistry(copied.module.partition(".")[0])
    text = f"actors: {{roof: {{kind: {COPY}, host: 10.0.0.4, rated_power: 4200}}}}\n"
    settings = load_text(text, kinds=registry).actors["roof"].settings
    assert (settings.host, settings.port, settings.interval) == ("10.0.0.4", 80, 5.0)
    with pytest.raises(ConfigError, match="rated_power"):
        load_text(text.replace("4200", "-1"), kinds=registry)


def test_the_sample_means_what_a_person_would_expect() -> None:
    found = decode(json.loads(SAMPLE.read_text()))
    assert found.values == {"PvPower": 3120.5, "PvEnergy": 8123.456}
    assert found.limit is None
    assert found.model == "IM-10K"


@pytest.mark.parametrize("found", [None, [], {}, {"power_w": "1"}, {"power_w": True}])
def test_what_is_no_status_is_refused(found: Any) -> None:
    with pytest.raises(DeviceGarbled):
        decode(found)


def test_unknown_stays_unknown() -> None:
    assert decode({"power_w": None}).values == {"PvPower": None, "PvEnergy": None}


async def test_a_password_is_sent_and_never_told(copied: Kind, tmp_path: Path) -> None:
    simulator: Any = copied.simulator()
    async with simulator.Simulator(password="s3cret-word") as sim:
        right = make(copied, settings_for(copied, sim, password=Secret("s3cret-word")), tmp_path)
        async with right.direct():  # type: ignore[attr-defined]
            assert await right.read_once()  # type: ignore[attr-defined]
        wrong: Any = make(copied, settings_for(copied, sim, password=Secret("0ther")), tmp_path)
        async with wrong.direct():
            with pytest.raises(DeviceRefused) as caught:
                await wrong.read_once()
        assert "0ther" not in str(caught.value)


def results(them: Link) -> list[Any]:
    topic = "heliograph/Devices/dut/PvLimit/Result"
    return [json.loads(payload) for payload in them.payloads(topic)]


async def test_its_limit_is_lent_read_back_and_lifted_at_the_stop(
    copied: Kind, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    simulator: Any = copied.simulator()
    async with simulator.Simulator(power=4000.0) as sim:
        settings = settings_for(copied, sim, rated_power=5000.0)
        async with running(copied, settings, tmp_path, mosquitto.port) as them:
            set_topic = "heliograph/Devices/dut/PvLimit/Set"
            await them.until(lambda: last(them, "Devices/dut/PvPower") == "4000")
            them.connection.send(set_topic, b"1500", qos=1)
            await them.until(lambda: len(results(them)) == 1)
            assert results(them)[0]["ok"] is True
            assert sim.limit == 1500
            await them.until(lambda: last(them, "Devices/dut/PvLimit") == "1500")
            await them.until(lambda: last(them, "Devices/dut/PvPower") == "1500")
            them.connection.send(set_topic, b"6000", qos=1)
            await them.until(lambda: len(results(them)) == 2)
            assert results(them)[1]["ok"] is False
            assert sim.limit == 1500
        assert sim.limit is None
        assert last(them, "Devices/dut/PvLimit") == ""
