"""The client against the simulator: which API, what is written, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from actors.chargers.go_e.client import Client, Memory
from actors.chargers.go_e.sim import FAULTS, Simulator
from bridge.errors import DeviceError, DeviceGarbled, DeviceRefused, DeviceTimeout


def client(sim: Simulator, **more: Any) -> Client:
    return Client(sim.host, sim.port, **{"timeout": 0.4, **more})


@pytest.mark.parametrize(("api", "found"), [("both", "v2"), ("v2", "v2"), ("v1", "v1")])
async def test_it_finds_out_which_api_there_is(api: Any, found: str) -> None:
    async with Simulator(api=api) as sim, client(sim) as made:
        keys = await made.keys()
        assert made.version == found
        assert keys["car"] in {3, "3"}
        assert sim.requests[0] == "/api/status?filter=alw"


async def test_an_api_that_is_switched_off_is_told() -> None:
    async with Simulator(api="off") as sim:
        async with client(sim) as made:
            with pytest.raises(DeviceRefused, match="local HTTP API v2 or v1 switched on in the"):
                await made.keys()
        async with client(sim, api="v2") as made:
            with pytest.raises(DeviceRefused, match="is the local HTTP API v2 switched on"):
                await made.keys()
        async with client(sim, api="v1") as made:
            with pytest.raises(DeviceRefused, match="is the local HTTP API v1 switched on"):
                await made.keys()


async def test_after_an_update_it_looks_anew() -> None:
    async with Simulator(api="v1") as sim, client(sim) as made:
        await made.keys()
        sim.api = "v2"
        with pytest.raises(DeviceRefused):
            await made.keys()
        await made.keys()
        assert made.version == "v2"


@pytest.mark.parametrize(("filters", "requests"), [("plain", 1), ("list", 5), ("none", 1)])
async def test_older_firmware_wants_lists(filters: Any, requests: int) -> None:
    async with Simulator(filters=filters) as sim, client(sim) as made:
        first = await made.keys()
        assert {"car", "nrg", "amx", "fwv", "modelStatus"} <= set(first)
        sim.requests.clear()
        await made.keys()
        assert len(sim.requests) == requests
        await made.set("amx", 9)
        assert sim.box.keys["amx"] == 9


async def test_a_refused_write_says_why() -> None:
    async with Simulator() as sim, client(sim) as made:
        with pytest.raises(DeviceRefused, match=r"set amp to 99 \(value out of range amp\)"):
            await made.set("amp", 99)
        with pytest.raises(DeviceRefused, match=r"\(unknown key\)"):
            await made.set("zzz", 1)


@pytest.mark.parametrize("api", ["v2", "v1"])
@pytest.mark.parametrize("fault", ["refuse", "forgetful", "deaf", "500"])
async def test_a_write_that_does_not_hold(api: Any, fault: str) -> None:
    async with Simulator(api=api) as sim, client(sim) as made:
        await made.keys()
        before = dict(sim.box.keys)
        sim.fault = fault
        with pytest.raises(DeviceError) as caught:
            await made.set("amx", 9)
        assert isinstance(caught.value, DeviceTimeout) is (fault == "deaf")
        assert sim.box.keys["amx"] == before["amx"]


async def test_what_v1_cannot_set() -> None:
    async with Simulator(api="v1") as sim, client(sim) as made:
        with pytest.raises(DeviceRefused, match="cannot set psm: its API v1"):
            await made.set("psm", 1)
        assert sim.commands == []


@pytest.mark.parametrize(("allowed", "last"), [(0, 1), (2, 0)])
async def test_v1_gives_back_what_was_allowed(allowed: int, last: int) -> None:
    async with Simulator(api="v1") as sim:
        sim.box.set("frc", 1 if allowed == 0 else 0)
        notes = Memory()
        async with client(sim, notes=notes) as made:
            await made.set("frc", 2)
            assert (await made.keys())["frc"] == 2
            await made.set("frc", 1)
            assert (await made.keys())["frc"] == 1
            await made.set("frc", 2)
        # Killed here; the next life knows from the note.
        async with client(sim, notes=notes) as made:
            assert (await made.keys())["frc"] == 2
            await made.set("frc", 0)
            assert sim.box.keys["frc"] == last
            assert notes.load("allowed") == {}


@pytest.mark.parametrize("api", ["v2", "v1"])
async def test_no_fault_shows_its_insides(api: Any) -> None:
    seen: dict[str, str] = {}
    told: list[str] = []
    async with Simulator(api=api) as sim:
        for fault in FAULTS:
            sim.fault = fault
            async with client(sim, timeout=0.2) as made:
                try:
                    await made.keys()
                except DeviceError as error:
                    seen[fault] = type(error).__name__
                    told.append(str(error).removeprefix(made.name))
    assert all(each.startswith(" ") for each in told)
    assert seen["html"] == seen["list"] == seen["empty"] == DeviceGarbled.__name__
    assert seen["404"] == DeviceRefused.__name__
    assert seen["stall"] == DeviceTimeout.__name__
    assert not {"strings", "unknown", "forgetful", "refuse"} & set(seen)
