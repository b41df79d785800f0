"""`heliograph discover`, over loopback: every simulated kind is found, and nothing is written."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import socket
import struct
from types import ModuleType
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from bridge.cli.discover import snippets
from bridge.cli.discover_look import Find, look
from bridge.cli.main import main
from bridge.config.kinds import all_kinds
from bridge.config.load import load_text
from bridge.discover import Answer, Door, Found, recognised, recognised_stick
from bridge.modbus.tcp import prepare
from bridge.registers.model import Pacing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Capsys = pytest.CaptureFixture[str]
HERE = ipaddress.IPv4Network("127.0.0.1/32")
NOWHERE = 9  # discard: nobody answers
KINDS = tuple(
    name
    for name, kind in all_kinds().items()
    if hasattr(kind.discoverer(), "probe") and (kind.folder / "sim.py").is_file()
)


async def found(*ports: int, udp_port: int = NOWHERE, timeout: float = 0.3) -> list[Find]:
    # A SUN2000 answers nothing in the first moments of a connection.
    return await look([HERE], ports, udp_port, timeout, Pacing(after_connect=0.1))


def simulator(name: str, **options: Any) -> Any:
    module: Any = all_kinds()[name].simulator()
    if name == "goodwe":
        options = {"transport": "modbus"} | options
    return module.Simulator(host="127.0.0.1", port=0, **options)


def written(sim: Any) -> list[Any]:
    return [each for unit in sim.bank.units.values() for each in getattr(unit, "writes", [])] + [
        *getattr(sim.bank, "writes", [])
    ]


def test_every_kind_of_inverter_can_be_found() -> None:
    inverters = {"deye", "goodwe", "sma", "sun2000", "sunspec", "victron_modbus"}
    assert inverters <= set(KINDS)


@pytest.mark.parametrize("name", KINDS)
async def test_a_kind_recognises_its_simulator_and_nobody_else_does(name: str) -> None:
    async with simulator(name) as sim:
        (find,) = await found(sim.port)
        assert written(sim) == []
    assert (find.kind, find.host, find.port) == (name, "127.0.0.1", sim.port)
    assert find.what
    assert find.serial
    (line,) = snippets([find])
    actor = load_text(f"actors:\n{line}").actors[name]
    assert (actor.kind, actor.settings.host) == (name, "127.0.0.1")


async def test_a_found_snippet_reads_the_device(tmp_path: Any, capsys: Capsys) -> None:
    async with simulator("sma") as sim:
        (line,) = snippets(await found(sim.port))
        config = tmp_path / "house.yaml"
        config.write_text(f"state: {tmp_path}/state\nactors:\n{line}")
        words = ["read", "sma", "--config", str(config), "--json"]
        assert await anyio.to_thread.run_sync(main, words) == 0
    assert json.loads(capsys.readouterr().out)


async def test_logger_sticks_answer_the_broadcast() -> None:
    module: Any = all_kinds()["deye"].simulator()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    stick = module.Simulator(transport="solarman", discovery_port=port)
    async with stick:
        finds = await found(NOWHERE, udp_port=port)
    (find,) = finds
    assert (find.kind, find.serial) == ("deye", str(stick.serial))
    (line,) = snippets([find])
    settings = load_text(f"actors:\n{line}").actors["deye"].settings
    assert (settings.transport, settings.serial) == ("solarman", stick.serial)


@pytest.mark.parametrize(
    ("profile", "needed"),
    [
        ("fronius_gen24", {"meter_unit": 200}),
        ("solaredge", {"solaredge_storage": True}),
        ("kostal", {"unit": 71}),
        ("sma", {"unit": 126}),
        ("der2018", {}),
    ],
)
async def test_a_suggestion_has_what_the_maker_needs(profile: str, needed: dict[str, Any]) -> None:
    async with simulator("sunspec", profile=profile) as sim:
        (find,) = await found(sim.port)
        assert written(sim) == []
    assert find.settings == needed
    (line,) = snippets([find])
    settings = load_text(f"actors:\n{line}").actors["sunspec"].settings
    assert {key: getattr(settings, key) for key in needed} == needed


async def test_what_does_not_answer_is_not_suggested() -> None:
    async with simulator("sunspec") as sim:
        del sim.bank.units[200]
        (find,) = await found(sim.port)
    assert find.settings == {}


@contextlib.asynccontextmanager
async def answering(reply: bytes | None, count: list[bytes]) -> AsyncIterator[int]:
    """A TCP server that answers every request with the same Modbus body, or not at all."""

    async def serve(stream: anyio.abc.SocketStream) -> None:
        with contextlib.suppress(anyio.EndOfStream, anyio.BrokenResourceError):
            async with stream:
                while True:
                    request = await stream.receive()
                    count.append(request)
                    if reply is not None:
                        head = request[:4] + struct.pack(">HB", len(reply) + 1, request[6])
                        await stream.send(head + reply)

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        yield listener.extra(anyio.abc.SocketAttribute.local_port)
        tasks.cancel_scope.cancel()


async def test_what_nobody_knows_is_told_all_the_same() -> None:
    asked: list[bytes] = []
    async with answering(b"\x83\x02", asked) as port:
        (find,) = await found(port)
    assert find == Find("127.0.0.1", port, "answers Modbus; no kind here recognises it")
    assert {request[7] for request in asked} <= {3, 4}, "only reading functions"


@pytest.mark.slow
async def test_silent_ports_of_one_host_are_asked_side_by_side_and_each_unit_once() -> None:
    asked: dict[int, list[bytes]] = {}
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(4):
            requests: list[bytes] = []
            port = await stack.enter_async_context(answering(None, requests))
            asked[port] = requests
        began = anyio.current_time()
        finds = await found(*asked, timeout=0.1)
        took = anyio.current_time() - began
    assert [find.port for find in finds] == sorted(asked)
    for requests in asked.values():
        units = [request[6] for request in requests]
        assert {1, 3, 247, 100, 126} <= set(units)
        assert units.count(1) == 2, "the first may have been lost in waking up"
        assert len(units) == len(set(units)) + 1
    each = 0.2 * max(map(len, asked.values()))
    assert took < 2 * each, "one port after the other takes four times as long"


@pytest.mark.slow
async def test_what_is_no_modbus_is_told() -> None:
    async with answering(None, []) as port:
        (find,) = await found(port, timeout=0.05)
    assert find.what == "takes connections, but does not answer Modbus"
    assert find.kind is None


async def test_nothing_is_nothing(capsys: Capsys) -> None:
    words = ["discover", "--network", "127.0.0.1/32", "--ports", "9", "--udp-port", "9"]
    assert await anyio.to_thread.run_sync(main, [*words, "--timeout", "0.1"]) == 0
    assert capsys.readouterr().out == "nothing was found in 127.0.0.1/32\n"
    assert await anyio.to_thread.run_sync(main, [*words, "--timeout", "0.1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.slow
async def test_what_is_found_is_printed_as_configuration(capsys: Capsys) -> None:
    async with simulator("goodwe") as sim:
        words = ["discover", "--network", "127.0.0.1/32", "--ports", str(sim.port)]
        words += ["--udp-port", "9", "--timeout", "0.5"]
        assert await anyio.to_thread.run_sync(main, words) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].startswith(f"127.0.0.1:{sim.port}  GoodWe GW10K-ET, serial ")
        assert "actors:" in lines
        settings = f"host: 127.0.0.1, port: {sim.port}, transport: modbus"
        assert lines[-1] == f"  goodwe: {{kind: goodwe, {settings}}}"
        assert await anyio.to_thread.run_sync(main, [*words, "--json"]) == 0
        (told,) = json.loads(capsys.readouterr().out)
        assert (told["kind"], told["port"], told["host"]) == ("goodwe", sim.port, "127.0.0.1")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--network 8.8.8.0/24", "8.8.8.0/24 is not private"),
        ("--network 172.0.0.0/24", "is not private"),
        ("--network 0.0.0.0/0", "is not private"),
        ("--network 10.0.0.0/21", "10.0.0.0/21 is too wide: a /22"),
        ("--network fritz.box", "fritz.box is no network"),
        ("127.0.0.1", "usage: heliograph discover [-h]"),
        ("192.168.1.0/24", "write --network 192.168.1.0/24"),
        ("--ports 0", "0 is no port"),
        ("--ports 502,x", "x is no port"),
        ("--ports " + ",".join(map(str, range(1, 18))), "17 ports are too many"),
        ("--timeout 0", "0 is not more than 0 and at most 30 s"),
        ("--timeout nan", "nan is not more than 0"),
    ],
)
def test_only_the_own_network_is_looked_through(capsys: Capsys, words: str, sentence: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["discover", *words.split()])
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


def test_a_second_device_of_a_kind_gets_a_name_of_its_own() -> None:
    twice = [Find(f"10.0.0.{n}", 502, "x", "sun2000", settings={"unit": n}) for n in (1, 2)]
    assert snippets(twice) == [
        "  sun2000: {kind: sun2000, host: 10.0.0.1, unit: 1}",
        "  sun2000_2: {kind: sun2000, host: 10.0.0.2, unit: 2}",
    ]


async def test_a_door_cannot_be_written_to() -> None:
    assert not any("write" in name for name in dir(Door))


async def test_a_silent_unit_is_not_asked_for_ever() -> None:
    asked: list[bytes] = []
    async with answering(None, asked) as port:
        prepare()
        door = Door("127.0.0.1", port, timeout=0.2, pacing=Pacing())
        for address in range(10):
            assert await door.read(address, 1, unit=7) is None
        await door.close()
    assert len(asked) == 2


def kind_module(*, asked: list[str], name: str, knows: bool = True, **more: Any) -> ModuleType:
    """A discover.py that notes when it is asked."""
    module = ModuleType(name)

    async def probe(_: Door) -> Found | None:
        asked.append(name)
        return Found(name) if knows else None

    vars(module).update(probe=probe, **more)
    return module


@pytest.mark.parametrize(
    ("port", "first_knows", "order"),
    [
        (502, True, ["own"]),
        (502, False, ["own", "anybody"]),
        (6607, False, ["anybody"]),
        (1234, False, ["own", "anybody"]),
    ],
)
async def test_who_is_asked_and_in_which_order(
    port: int, first_knows: bool, order: list[str]
) -> None:
    asked: list[str] = []
    anybody = kind_module(asked=asked, name="anybody", GENERAL=True)
    own = kind_module(asked=asked, name="own", knows=first_knows, PORTS=(502,))
    door = Door("127.0.0.1", port)
    found = await recognised(door, [("anybody", anybody), ("own", own)])
    await door.close()
    assert asked == order
    assert found is not None
    assert found[0] == order[-1]


async def test_kinds_without_a_probe_or_stick_are_passed_over() -> None:
    bare = ModuleType("bare")
    door = Door("127.0.0.1", NOWHERE, timeout=0.05, pacing=Pacing())
    assert await recognised(door, [("bare", bare)]) is None
    assert recognised_stick(Answer("10.0.0.7", "AA", "1"), [("bare", bare)]) == []
    await door.close()


async def brokers(port: int) -> list[Find]:
    finds = await look([HERE], [NOWHERE], NOWHERE, 1.0, None, port)
    return [find for find in finds if find.port == port]


@pytest.mark.anyio
async def test_a_gx_by_its_own_broker() -> None:
    module: Any = all_kinds()["venus_mqtt"].simulator()
    async with module.Simulator() as sim:
        await anyio.sleep(0.3)  # until it has told its broker who it is
        finds = await brokers(sim.port)
        assert sim.player.keepalives == sim.player.asked == sim.player.written == []
    assert finds == [Find("127.0.0.1", sim.port, "Victron GX", "venus_mqtt", module.PORTAL)]
    (line,) = snippets(finds)
    assert line == f"  venus_mqtt: {{kind: venus_mqtt, host: 127.0.0.1, port: {sim.port}}}"


@pytest.mark.anyio
async def test_a_broker_that_wants_to_know_who_one_is() -> None:
    module: Any = all_kinds()["venus_mqtt"].simulator()
    async with module.Simulator(password="geheim") as sim:
        assert await brokers(sim.port) == []


@pytest.mark.anyio
async def test_a_port_that_takes_connections_and_is_no_broker() -> None:
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        with anyio.fail_after(5):
            assert await brokers(port) == []


def test_two_gx_at_one_broker_are_told_apart() -> None:
    module: Any = all_kinds()["venus_mqtt"].discoverer()
    ids = ("123456789012", "0123456789e5")
    messages = [(f"N/{each}/system/0/Serial", json.dumps({"value": each}).encode()) for each in ids]
    rubbish = [
        ("N/0619ab2d3e4f/system/0/Serial", b'{"value":"another"}'),
        ("N/XX/system/0/Serial", b'{"value":"XX"}'),
        ("N/0619ab2d3e40/system/0/Serial", b""),
    ]
    found = module.broker(messages + rubbish)
    assert [each.serial for each in found] == sorted(ids)
    finds = [
        Find("gx", 1883, each.what, "venus_mqtt", each.serial, each.settings) for each in found
    ]
    config = load_text("actors:\n" + "\n".join(snippets(finds)) + "\n", "c.yaml", {})
    assert [each.settings.portal_id for each in config.actors.values()] == sorted(ids)
