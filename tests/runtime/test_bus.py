"""The bus on a real broker: only what is declared goes out, and each message finds its handler."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest

from bridge import bus as module
from bridge.bus import Bus, Message
from bridge.clock import Clock
from bridge.contract import load_contract
from bridge.errors import ContractError, PayloadError
from tests.runtime.links import endpoint, link
from tests.runtime.virtual import Log

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.runtime.links import Link
    from tests.support.mosquitto import Mosquitto

WRITES = (
    "Devices/{device}/{Quantity}",
    "Devices/{device}/State",
    "Devices/{device}/Info",
    "Requests/{consumer}/Allowance",
    "Actors/{actor}/Messages/{Level}",
)


def make_bus(port: int, log: Log | None = None, **options: Any) -> Bus:
    return Bus(
        load_contract(),
        "heliograph",
        endpoint(port),
        "heliograph-dut",
        clock=Clock(),
        log=log or Log(),  # type: ignore[arg-type]
        writes=WRITES,
        **options,
    )


@contextlib.asynccontextmanager
async def running(bus: Bus) -> AsyncIterator[None]:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(bus.run)
        with anyio.fail_after(5):
            await bus.connection.connected.wait()
        yield
        tasks.cancel_scope.cancel()


@contextlib.asynccontextmanager
async def bus_and_eyes(
    port: int, log: Log | None = None, **options: Any
) -> AsyncIterator[tuple[Bus, Link]]:
    bus = make_bus(port, log, **options)
    async with link(endpoint(port), "eyes", filters=("heliograph/#",)) as them, running(bus):
        yield bus, them


async def until(check: Callable[[], object]) -> None:
    with anyio.fail_after(5):
        while not check():  # noqa: ASYNC110 - checks look at many things, events tell of one
            await anyio.sleep(0.005)


# ----------------------------------------------------------------------------------------- out


@pytest.mark.parametrize(
    ("pattern", "value", "params", "error"),
    [
        ("Site/{Value}", 5, {"Value": "GridPower"}, ContractError),
        ("Devices/{device}/Status", "online", {"device": "meter"}, ContractError),
        ("Devices/{device}/Colour", 5, {"device": "meter"}, ContractError),
        (
            "Devices/{device}/{Quantity}",
            5,
            {"device": "meter", "Quantity": "Colour"},
            ContractError,
        ),
        ("Devices/{device}/{Quantity}", 5, {"device": "a/b", "Quantity": "PvPower"}, ContractError),
        ("Devices/{device}/{Quantity}", 5, {"device": "meter"}, ContractError),
        ("Devices/{device}/{Quantity}", -500, {"device": "m", "Quantity": "PvPower"}, PayloadError),
        ("Requests/{consumer}/Allowance", float("nan"), {"consumer": "pool"}, PayloadError),
        ("Requests/{consumer}/Allowance", "many", {"consumer": "pool"}, PayloadError),
    ],
)
async def test_what_is_not_declared_is_not_published(
    mosquitto: Mosquitto,
    pattern: str,
    value: Any,
    params: dict[str, str],
    error: type[ContractError],
) -> None:
    async with bus_and_eyes(mosquitto.port) as (bus, them):
        with pytest.raises(error):
            await bus.publish(pattern, value, **params)
        await bus.publish("Devices/{device}/{Quantity}", 5, device="meter", Quantity="PvPower")
        await them.until(lambda: them.got)
        assert [message.topic for message in them.got] == ["heliograph/Devices/meter/PvPower"]


async def test_retain_is_as_the_contract_says(mosquitto: Mosquitto) -> None:
    async with bus_and_eyes(mosquitto.port) as (bus, them):
        await bus.publish("Requests/{consumer}/Allowance", 1365.5, consumer="pool")
        await them.until(lambda: them.got)
    async with link(endpoint(mosquitto.port), "late", filters=("heliograph/#",)) as late:
        await late.until(lambda: late.got)
        topic = "heliograph/Requests/pool/Allowance"
        assert [(m.topic, m.payload, m.retained) for m in late.got] == [(topic, b"1365.5", True)]


async def test_after_a_reconnect_what_stands_is_said_again_and_leases_are_not(
    mosquitto: Mosquitto,
) -> None:
    announced: list[int] = []

    async def announce() -> None:
        announced.append(1)

    async with bus_and_eyes(mosquitto.port, will="Devices/meter/Status") as (bus, them):
        bus.announcers.append(announce)
        info = {"manufacturer": "A", "model": None, "serial": None, "firmware": None}
        await bus.publish("Devices/{device}/Info", info, device="meter")
        await bus.publish("Requests/{consumer}/Allowance", 900, consumer="pool")
        await bus.publish("Devices/{device}/{Quantity}", 5, device="meter", Quantity="PvPower")
        for text in ("2026-11-21T21:14:03Z hot", None):
            await bus.publish("Actors/{actor}/Messages/{Level}", text, actor="a", Level="Warning")
        bus.publish_raw("homeassistant/x/config", b"{}")
        await them.until(lambda: len(them.got) == 6)
        mosquitto.restart(kill=True)
        them.got.clear()
        await them.until(lambda: them.payloads("heliograph/Devices/meter/Info"), 10)
        await them.until(lambda: them.payloads("heliograph/Devices/meter/Status"), 3)
        assert them.payloads("heliograph/Devices/meter/Status") == [b"online"]
        assert announced == [1]
        await anyio.sleep(0.1)
        assert {message.topic for message in them.got} == {
            "heliograph/Devices/meter/Info",
            "heliograph/Devices/meter/Status",
        }
        bus.forget("Devices/{device}/Info", device="meter")
        mosquitto.restart(kill=True)
        them.got.clear()
        await them.until(lambda: them.payloads("heliograph/Devices/meter/Status"), 10)
        await anyio.sleep(0.1)
        assert not them.payloads("heliograph/Devices/meter/Info")


async def test_without_a_broker_publishing_is_silent(mosquitto: Mosquitto) -> None:
    mosquitto.stop()
    bus = make_bus(mosquitto.port)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(bus.run)
        assert await bus.publish("Requests/{consumer}/Allowance", 5, consumer="pool") == b"5"
        assert bus.connection.dropped == 1
        tasks.cancel_scope.cancel()


# ------------------------------------------------------------------------------------------ in


async def test_each_message_finds_its_handlers_with_params_and_value(mosquitto: Mosquitto) -> None:
    async with bus_and_eyes(mosquitto.port) as (bus, them):
        seen: dict[str, list[Message]] = {"any": [], "meter": [], "json": []}
        await bus.subscribe("Devices/{device}/{Quantity}", seen["any"].append)
        await bus.subscribe("Devices/{device}/{Quantity}", seen["meter"].append, device="meter")
        await bus.subscribe("Requests/{consumer}", seen["json"].append)
        for address, payload in (
            ("Devices/roof/PvPower", b" 12.5 "),
            ("Devices/meter/GridPower", b"-5 W"),
            ("Devices/meter/Colour", b"blue"),
            ("Requests/pool", b'{"Request": 5}'),
            ("Requests/pool/Request", b"7"),
            ("Devices/meter/GridPower/Set", b"7"),
        ):
            them.connection.send(f"heliograph/{address}", payload)
        await until(lambda: seen["json"])
        await until(lambda: len(seen["any"]) == 3)
        roof, power, colour = seen["any"]
        assert roof.params == {"device": "roof", "Quantity": "PvPower"}
        assert (roof.value, roof.error, roof.retained) == (12.5, None, False)
        assert power.value is None
        assert power.error is not None
        assert "GridPower" in power.error
        assert power.payload == b"-5 W"
        assert colour.channel is None
        assert colour.value is None
        assert [message.address for message in seen["meter"]] == [power.address, colour.address]
        assert seen["json"][0].value == {"Request": 5}
        assert len(seen["json"]) == 1


async def test_a_retained_message_is_marked(mosquitto: Mosquitto) -> None:
    async with link(endpoint(mosquitto.port), "before") as them:
        them.connection.send("heliograph/Devices/m/PvPower", b"5", qos=1, retain=True)
        await them.connection.flush()
    async with bus_and_eyes(mosquitto.port) as (bus, them):
        seen: list[Message] = []
        await bus.subscribe("Devices/{device}/{Quantity}", seen.append)
        await until(lambda: seen)
        them.connection.send("heliograph/Devices/m/PvPower", b"6", retain=True)
        await until(lambda: len(seen) == 2)
        assert [(message.value, message.retained) for message in seen] == [(5, True), (6, False)]
        assert seen[0].at <= seen[1].at


async def test_under_a_slow_handler_the_newest_measurement_wins_and_commands_keep_their_order(
    mosquitto: Mosquitto,
) -> None:
    async with bus_and_eyes(mosquitto.port) as (bus, them):
        gate = anyio.Event()
        values: list[float] = []
        commands: list[bytes] = []

        async def slow(message: Message) -> None:
            values.append(message.value)
            await gate.wait()

        await bus.subscribe("Devices/{device}/{Quantity}", slow)
        await bus.subscribe(
            "Requests/{consumer}", lambda message: commands.append(message.payload), command=True
        )
        them.connection.send("heliograph/Devices/m/PvPower", b"1")
        await until(lambda: values)
        for number in range(2, 200):
            them.connection.send("heliograph/Devices/m/PvPower", b"%d" % number)
            them.connection.send("heliograph/Devices/n/PvPower", b"%d" % -number)
            them.connection.send("heliograph/Requests/pool", b'{"Request": %d}' % number, qos=1)
        await until(lambda: bus.waiting == 200)
        assert commands == []
        gate.set()
        await until(lambda: bus.waiting == 0 and len(values) == 3)
        assert values == [1, 199, None]
        assert commands == [b'{"Request": %d}' % number for number in range(2, 200)]


async def test_a_handler_that_raises_stops_nobody(mosquitto: Mosquitto) -> None:
    log = Log()
    async with bus_and_eyes(mosquitto.port, log) as (bus, them):
        seen: list[float] = []

        def raises(message: Message) -> None:
            raise ZeroDivisionError(message.value)

        async def raises_later(_: Message) -> None:
            await anyio.lowlevel.checkpoint()
            raise KeyError("x")

        pattern = "Devices/{device}/{Quantity}"
        await bus.subscribe(pattern, raises)
        await bus.subscribe(pattern, raises_later)
        await bus.subscribe(pattern, lambda message: seen.append(message.value))
        for number in (1, 2):
            them.connection.send(f"heliograph/Devices/m{number}/PvPower", b"%d" % number)
        await until(lambda: len(seen) == 2)
        assert seen == [1, 2]
        assert len(log.texts("exception")) == 4
        assert "Devices/m1/PvPower" in log.texts("exception")[0]


async def test_what_nobody_asked_for_is_not_kept(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_REMEMBERED_ROUTES", 10)
    async with bus_and_eyes(mosquitto.port) as (bus, them):
        seen: list[Message] = []
        await bus.connection.subscribe([("heliograph/#", 0)])
        await bus.subscribe("Devices/{device}/{Quantity}", seen.append)
        for number in range(50):
            them.connection.send(f"heliograph/Nonsense/{number}/and/more", b"x")
        them.connection.send("heliograph/Devices/m/PvPower", b"5")
        await until(lambda: seen)
        assert len(bus._routes) <= 10
        await until(lambda: bus.waiting == 0)


async def test_a_subscription_made_later_hears_addresses_known_before(mosquitto: Mosquitto) -> None:
    async with bus_and_eyes(mosquitto.port) as (bus, them):
        first: list[Message] = []
        second: list[Message] = []
        await bus.subscribe("Devices/{device}/{Quantity}", first.append)
        them.connection.send("heliograph/Devices/m/PvPower", b"5")
        await until(lambda: first)
        await bus.subscribe("Devices/{device}/{Quantity}", second.append, device="m")
        them.connection.send("heliograph/Devices/m/PvPower", b"6")
        await until(lambda: second)
        assert [message.value for message in first] == [5, 6]


async def test_a_muted_bus_hands_out_nothing(mosquitto: Mosquitto) -> None:
    async with bus_and_eyes(mosquitto.port) as (bus, them):
        seen: list[Message] = []
        await bus.subscribe("Devices/{device}/{Quantity}", seen.append)
        them.connection.send("heliograph/Devices/m/PvPower", b"5")
        await until(lambda: seen)
        bus.mute()
        them.connection.send("heliograph/Devices/m/PvPower", b"6")
        await them.until(lambda: len(them.got) == 2)
        await anyio.sleep(0.1)
        assert len(seen) == 1


async def test_topics_outside_the_base_go_to_listeners(mosquitto: Mosquitto) -> None:
    async with bus_and_eyes(mosquitto.port) as (bus, them):
        seen: list[str] = []
        await bus.listen("es-ESS/+/Requests/#", lambda message: seen.append(message.topic))
        for topic in ("es-ESS/a/Requests", "es-ESS/a/Requests/b/c", "es-ESS/a/x", "es-ESS"):
            them.connection.send(topic, b"x", qos=1)
        them.connection.send("es-ESS/z/Requests/end", b"x", qos=1)
        await until(lambda: "es-ESS/z/Requests/end" in seen)
        assert seen == ["es-ESS/a/Requests", "es-ESS/a/Requests/b/c", "es-ESS/z/Requests/end"]
