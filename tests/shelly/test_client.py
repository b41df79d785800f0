"""The client against the simulator over real HTTP: generations, logins, every fault."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.devices.shelly.client import LOGIN_PAUSE, Client
from actors.devices.shelly.decode import decode
from actors.devices.shelly.sim import FAULTS, MODELS, Simulator
from bridge.errors import DeviceError, DeviceGarbled, DeviceRefused, DeviceTimeout

if TYPE_CHECKING:
    from collections.abc import Callable

POWERS = [1200.0, -2500.0, 80.0]


def client(sim: Simulator, **options: Any) -> Client:
    return Client(sim.host, sim.port, **{"timeout": 2.0, **options})


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("password", [None, "s€cret:1"])
async def test_every_model_is_read(model: str, password: str | None) -> None:
    async with Simulator(model, power=POWERS, password=password) as sim:
        sim.advance(3600)
        async with client(sim, password=password) as shelly:
            identity, status = await shelly.status()
            reading = decode(identity, status)
    assert identity.generation == MODELS[model].generation
    assert identity.model == MODELS[model].code
    lines = MODELS[model].lines
    found = [reading.channels[index].power for index in range(lines)]
    assert found == POWERS[:lines]
    assert len(reading.channels) == lines
    assert len(reading.outputs) == MODELS[model].outputs
    if lines:
        assert reading.channels[0].imported == pytest.approx(1.2, abs=0.001)
    if reading.phases:
        assert reading.total is not None
        assert reading.total.power == pytest.approx(-1220.0)
        assert reading.total.exported == pytest.approx(2.5)


async def test_one_connection_serves_many_requests() -> None:
    async with Simulator(power=POWERS) as sim, client(sim) as shelly:
        for _ in range(10):
            await shelly.status()
        assert sim.requests == ["/shelly"] + ["/rpc/Shelly.GetStatus"] * 10
        assert len(sim.connections) == 1


async def test_old_firmware_gets_a_fresh_challenge_for_each_request() -> None:
    async with Simulator(password="shpw") as sim, client(sim, password="shpw") as shelly:
        for _ in range(5):
            await shelly.status()
        assert sim.requests.count("/rpc/Shelly.GetStatus") == 10
        assert sim.logins_refused == 0


async def test_new_firmware_lets_a_nonce_serve_many_requests() -> None:
    async with (
        Simulator(password="shpw", firmware="2.0.0") as sim,
        client(sim, password="shpw") as shelly,
    ):
        for _ in range(10):
            await shelly.status()
        assert sim.requests.count("/rpc/Shelly.GetStatus") == 11
        assert sim.door is not None
        sim.door.expire()
        await shelly.status()
        assert sim.requests.count("/rpc/Shelly.GetStatus") == 13


@pytest.mark.parametrize("model", ["pro3em", "3em"])
async def test_a_wrong_password_is_said_plainly_and_not_hammered(model: str) -> None:
    clock = [100.0]
    now: Callable[[], float] = lambda: clock[0]
    async with Simulator(model, password="right") as sim:
        async with client(sim, password="wrong-one", now=now) as shelly:
            for _ in range(20):
                with pytest.raises(DeviceRefused) as caught:
                    await shelly.status()
                expected = f"the Shelly at 127.0.0.1:{sim.port} refuses the password"
                assert str(caught.value) == expected
                clock[0] += 1
            assert sim.logins_refused == 1
            clock[0] += LOGIN_PAUSE
            with pytest.raises(DeviceRefused):
                await shelly.status()
            assert sim.logins_refused == 2
            # The owner sets the password on the device to ours: found out after the pause.
            sim.password = "wrong-one"
            if sim.door is not None:
                sim.door.password = "wrong-one"
            clock[0] += LOGIN_PAUSE
            await shelly.status()
            await shelly.status()
        assert sim.logins_refused == 2


@pytest.mark.parametrize("model", ["pro3em", "3em"])
async def test_a_missing_password_is_said_plainly(model: str) -> None:
    async with Simulator(model, password="right") as sim, client(sim) as shelly:
        with pytest.raises(DeviceRefused, match="asks for a password: set `password`"):
            await shelly.status()


async def test_the_password_never_leaves_without_being_asked_for() -> None:
    """A device that needs no login gets none, whatever is configured."""
    seen: list[str | None] = []
    async with Simulator("3em") as sim, client(sim, password="secret") as shelly:
        assert shelly.identity is None
        await shelly.status()
        seen.append(shelly._headers("/status", {}, None, login=True).get("Authorization"))
    assert seen == [None]


async def test_a_device_that_wants_md5_gets_nothing() -> None:
    async with Simulator(password="shpw") as sim, client(sim, password="shpw") as shelly:
        assert sim.door is not None
        sim.door.challenge = lambda **_: (  # type: ignore[method-assign]
            'Digest realm="x", nonce="1", qop="auth", algorithm=MD5'
        )
        with pytest.raises(DeviceRefused, match="a kind of login"):
            await shelly.status()


@pytest.mark.parametrize("model", ["3em", "plug_s", "plus1pm", "plus1", "proem50"])
async def test_a_relay_is_switched_and_read_back(model: str) -> None:
    async with (
        Simulator(model, power=[50.0], password="p") as sim,
        client(sim, password="p") as shelly,
    ):
        assert await shelly.switch(0, on=False) is False
        assert sim.output == [False]
        assert await shelly.switch(0, on=True) is True
        assert sim.output == [True]
        identity, status = await shelly.status()
        assert decode(identity, status).outputs == {0: True}


async def test_the_answer_of_a_relay_is_what_it_is_not_what_was_asked() -> None:
    async with Simulator("plus1pm") as sim, client(sim) as shelly:
        assert not isinstance(sim.device.about(), list)
        sim.device.methods["Switch.Set"] = lambda _: {"was_on": True}  # type: ignore[union-attr]
        assert await shelly.switch(0, on=False) is True


@pytest.mark.parametrize("model", ["pro3em", "pmmini_g3"])
async def test_a_device_without_a_relay_refuses(model: str) -> None:
    async with Simulator(model) as sim, client(sim) as shelly:
        with pytest.raises(DeviceRefused, match=r"does not know .*No handler for Switch\.Set"):
            await shelly.switch(0, on=True)


async def test_a_relay_that_does_not_exist() -> None:
    async with Simulator("plus1pm") as sim, client(sim) as shelly:
        with pytest.raises(DeviceRefused, match="value 4 not found"):
            await shelly.switch(4, on=True)
    async with Simulator("plug_s") as sim, client(sim) as shelly:
        with pytest.raises(DeviceRefused, match="does not know"):
            await shelly.switch(4, on=True)


SAYS: dict[str, tuple[type[DeviceError], str]] = {
    "stall": (DeviceTimeout, "did not answer within 0.1 s"),
    "slow": (DeviceTimeout, "did not answer within 0.1 s"),
    "reset": (DeviceTimeout, "connection"),
    "close": (DeviceTimeout, "closed the connection without an answer"),
    "cut": (DeviceGarbled, "broke off in the middle"),
    "rubbish": (DeviceGarbled, "not HTTP"),
    "html": (DeviceGarbled, "a web page instead of data"),
    "wrong_type": (DeviceGarbled, "another kind of data"),
    "truncated": (DeviceGarbled, "cannot be read"),
    "duplicate": (DeviceGarbled, "the same key twice"),
    "nan": (DeviceGarbled, "NaN is not a number"),
    "list": (DeviceGarbled, "something else than an object"),
    "deep": (DeviceGarbled, "nested too deeply"),
    "oversized": (DeviceGarbled, "more than 256 kB"),
    "redirect": (DeviceGarbled, "redirects to another address"),
    "404": (DeviceRefused, "does not know"),
    "500": (DeviceRefused, "an error of its own"),
    "login": (DeviceRefused, "asks for a password|refuses the password"),
}


# Only these are waited for, so that a busy machine may be as slow as it likes with the others.
SILENT = ("stall", "slow")


@pytest.mark.parametrize("fault", SAYS)
@pytest.mark.parametrize("model", ["pro3em", "3em"])
async def test_every_fault_is_one_plain_sentence_and_passes(fault: str, model: str) -> None:
    """Also where it strikes only after the device has introduced itself."""
    kind, sentence = SAYS[fault]
    clock = [0.0]
    async with Simulator(model, power=POWERS) as sim:
        sim.delay = 1.0
        async with client(sim, now=lambda: clock[0]) as shelly:
            await shelly.status()
            for path in ("/", "/rpc" if model == "pro3em" else "/status"):
                sim.fault, sim.fault_on = fault, path
                patience, shelly._timeout = shelly._timeout, 0.1 if fault in SILENT else 2.0
                for _ in range(2):
                    with pytest.raises(kind, match=sentence) as caught:
                        await shelly.status()
                    text = str(caught.value)
                    assert text.startswith(f"the Shelly at 127.0.0.1:{sim.port} ")
                    assert "\n" not in text
                    assert "192.0.2.1" not in text
                sim.fault, shelly._timeout = None, patience
                clock[0] += LOGIN_PAUSE
                identity, status = await shelly.status()
                assert decode(identity, status).channels[0].power == 1200.0


def test_every_fault_of_the_simulator_is_tried() -> None:
    assert set(FAULTS) - set(SAYS) == {"empty", "strings", "memory"}


async def test_numbers_as_texts_are_read() -> None:
    async with Simulator(power=POWERS) as sim, client(sim) as shelly:
        sim.fault = "strings"
        identity, status = await shelly.status()
        total = decode(identity, status).total
    assert total is not None
    assert total.power == pytest.approx(-1220.0)


async def test_an_empty_answer_is_no_shelly() -> None:
    async with Simulator() as sim, client(sim) as shelly:
        sim.fault = "empty"
        with pytest.raises(DeviceGarbled, match="not as a Shelly"):
            await shelly.status()


async def test_nobody_at_home() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with Client("127.0.0.1", port) as shelly:
        with pytest.raises(DeviceTimeout, match="cannot be reached: the connection is refused"):
            await shelly.status()


async def test_a_name_that_nobody_has() -> None:
    async with Client("shelly-that-is-not.invalid", timeout=5.0) as shelly:
        with pytest.raises(DeviceTimeout, match=r"shelly-that-is-not\.invalid (cannot|did not)"):
            await shelly.status()


@pytest.mark.parametrize("host", ["1.2.3.4:80", "[::1", "a..b", "%"])
async def test_a_host_that_cannot_be_one(host: str) -> None:
    async with Client(host, timeout=2.0) as shelly:
        with pytest.raises(DeviceError):
            await shelly.status()


async def test_the_answer_on_ipv6() -> None:
    try:
        sim = await Simulator("plus1", host="::1").__aenter__()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    try:
        for host in ("::1", "[::1]"):
            async with Client(host, sim.port) as shelly:
                assert (await shelly.identify()).model == "SNSW-001X16EU"
    finally:
        await sim.stop()


async def test_it_is_found_again_on_the_same_port() -> None:
    async with Simulator(power=POWERS) as sim, client(sim) as shelly:
        await shelly.status()
        await sim.stop()
        with pytest.raises(DeviceTimeout):
            await shelly.status()
        await sim.start()
        await shelly.status()


async def test_a_changed_profile_is_noticed() -> None:
    async with Simulator(power=POWERS) as sim, client(sim) as shelly:
        identity, status = await shelly.status()
        assert decode(identity, status).phases
        await shelly._get("/rpc/Shelly.SetProfile", {"name": '"monophase"'})
        identity, status = await shelly.status()
        reading = decode(identity, status)
        assert not reading.phases
        assert [line.power for line in reading.channels.values()] == POWERS


async def test_a_reading_and_a_command_at_once() -> None:
    async with Simulator("plus1pm", power=[700.0], password="p", firmware="2.1.0") as sim:
        async with client(sim, password="p") as shelly, anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(shelly.status)
            tasks.start_soon(lambda: shelly.switch(0, on=False))
        assert sim.output == [False]
        assert sim.logins_refused == 0


async def test_a_cancelled_request_does_not_spoil_the_next() -> None:
    async with Simulator(power=POWERS) as sim, client(sim) as shelly:
        await shelly.status()
        sim.fault = "stall"
        with anyio.move_on_after(0.1):
            await shelly.status()
        sim.fault = None
        identity, status = await shelly.status()
        assert decode(identity, status).channels[0].power == 1200.0


async def test_after_a_failure_it_asks_who_is_there() -> None:
    """Another device may have taken the address, or the firmware may be a newer one."""
    async with Simulator(power=POWERS) as sim, client(sim) as shelly:
        await shelly.status()
        port = sim.port
        await sim.stop()
        with pytest.raises(DeviceTimeout):
            await shelly.status()
        async with Simulator("3em", port=port, power=POWERS):
            identity, status = await shelly.status()
            assert identity.model == "SHEM-3"
            assert decode(identity, status).channels[0].power == 1200.0
