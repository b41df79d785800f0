"""A GoodWe inverter is recognised on the network; nothing else is taken for one."""

from __future__ import annotations

import pytest

from actors.devices.goodwe import discover
from actors.devices.goodwe.sim import Simulator
from bridge.discover import Answer, Door
from bridge.modbus.solarman_discovery import discover as search
from bridge.registers.model import Pacing


@pytest.mark.parametrize(
    ("family", "settings"),
    [("et", {"transport": "modbus"}), ("dt", {"transport": "modbus", "family": "dt"})],
)
async def test_by_its_serial_number(family: str, settings: dict[str, str]) -> None:
    async with Simulator(family=family, transport="modbus") as sim:  # type: ignore[arg-type]
        door = Door(sim.host, sim.port, timeout=0.2, pacing=Pacing())
        found = await discover.probe(door)
        await door.close()
        assert sim.bank.writes == []
    assert found is not None
    assert found.what == f"GoodWe GW10K-{family.upper()}"
    assert found.serial in {"9010KETT228W0001", "9010KDTU228L0001"}
    assert found.settings == settings


@pytest.mark.parametrize("serial", ["HV1234567890", "", "9010-ETT228W0001"])
async def test_another_makers_serial_number_is_not_taken(serial: str) -> None:
    async with Simulator(transport="modbus") as sim:
        sim.inverter["serial_number"] = serial
        door = Door(sim.host, sim.port, timeout=0.2, pacing=Pacing())
        assert await discover.probe(door) is None
        await door.close()


async def test_the_dongle_answers_the_broadcast() -> None:
    async with Simulator(discovery_port=0) as sim:
        port = sim.dongle.discovery_port
        assert port is not None
        answers = await search(sim.host, port, wait=0.2)
    assert [answer.ip for answer in answers] == [sim.host]
    found = discover.stick(answers[0])
    assert found is not None
    assert found.what == "GoodWe dongle Solar-WiFi222W0782"


def test_a_solarman_stick_is_not_taken() -> None:
    assert discover.stick(Answer("10.0.0.7", "E8FDF8D42A01", "2712345678")) is None
