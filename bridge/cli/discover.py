"""`heliograph discover`: devices on the own network, as lines for the configuration."""

from __future__ import annotations

import argparse
import ipaddress
import socket
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import anyio

from bridge.errors import DeviceError
from bridge.log import configure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bridge.discover import Answer
    from bridge.registers import Pacing

EXIT_FINE: Final = 0
EXIT_FAILED: Final = 1
EXIT_WRONG: Final = 2
PORTS: Final = (502, 1502, 6607)
_STICK_PORT: Final = 48899
_MQTT_PORT: Final = 1883
_PRIVATE: Final = tuple(
    map(
        ipaddress.IPv4Network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8"),
    )
)
_WIDEST: Final = 22
_AT_ONCE: Final = 64
_MOST_PORTS: Final = 16
_LAST_PORT: Final = 65535
_LONGEST: Final = 30.0


@dataclass(frozen=True, slots=True)
class Find:
    """One thing that answered; `kind` None: nobody here knows it."""

    host: str
    port: int
    what: str
    kind: str | None = None
    serial: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "discover",
        help="find inverters, meters and batteries on the own network",
        description="Asks every address of a private network for Modbus TCP, and everybody at "
        "once for Solarman and GoodWe sticks (UDP 48899) and for devices that announce themselves "
        "by mDNS, and looks for brokers of a Victron GX. Prints what it finds as lines for the "
        "configuration. Nothing is ever written. Exit code 0 also when nothing is found.",
    )
    parser.add_argument(
        "--network",
        type=_network,
        action="append",
        metavar="CIDR",
        help=f"such as 192.168.1.0/24, a private one with a /{_WIDEST} or less; may be given again "
        "(default: the /24 that this computer is in)",
    )
    parser.add_argument(
        "--ports",
        type=_ports,
        default=PORTS,
        metavar="N,N",
        help=f"TCP ports to try (default: {','.join(map(str, PORTS))})",
    )
    parser.add_argument(
        "--udp-port",
        type=_port,
        default=_STICK_PORT,
        metavar="N",
        help=f"where sticks listen (default: {_STICK_PORT})",
    )
    parser.add_argument(
        "--mqtt-port",
        type=_port,
        default=_MQTT_PORT,
        metavar="N",
        help=f"where devices with a broker of their own listen (default: {_MQTT_PORT})",
    )
    parser.add_argument(
        "--timeout", type=_seconds, default=1.0, metavar="S", help="s for one answer (default: 1)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON list")
    # Taken only to be answered here: what is left over is refused with the usage of all commands.
    parser.add_argument(
        "elsewhere", nargs="*", type=_elsewhere, metavar="ADDRESS", help=argparse.SUPPRESS
    )


def _network(text: str) -> ipaddress.IPv4Network:
    try:
        network = ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        sentence = f"{text} is no network: write it like 192.168.1.0/24"
        raise argparse.ArgumentTypeError(sentence) from None
    if not any(network.subnet_of(each) for each in _PRIVATE):
        sentence = f"{network} is not private: only the own network is looked through"
        raise argparse.ArgumentTypeError(sentence)
    if network.prefixlen < _WIDEST:
        sentence = f"{network} is too wide: a /{_WIDEST} (1022 addresses) is the most"
        raise argparse.ArgumentTypeError(sentence)
    return network


def _elsewhere(text: str) -> str:
    raise argparse.ArgumentTypeError(f"write --network {text}")


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) <= _LAST_PORT):
        raise argparse.ArgumentTypeError(f"{text} is no port: it is a number from 1 to 65535")
    return int(text)


def _ports(text: str) -> tuple[int, ...]:
    ports = tuple(dict.fromkeys(_port(each.strip()) for each in text.split(",")))
    if len(ports) > _MOST_PORTS:
        raise argparse.ArgumentTypeError(f"{len(ports)} ports are too many: {_MOST_PORTS} at most")
    return ports


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _LONGEST:
        raise argparse.ArgumentTypeError(f"{text} is not more than 0 and at most {_LONGEST:g} s")
    return seconds


def run(args: argparse.Namespace) -> int:
    """Look, and print what was found."""
    configure(level="error")
    networks = args.network or _own_networks()
    if not networks:
        print(
            "this computer is in no private network: say which with --network 192.168.1.0/24",
            file=sys.stderr,
        )
        return EXIT_FAILED
    finds = anyio.run(look, networks, args.ports, args.udp_port, args.timeout, None, args.mqtt_port)
    if args.json:
        import msgspec

        print(msgspec.json.encode([_as_json(each) for each in finds]).decode())
        return EXIT_FINE
    _tell(finds, networks)
    return EXIT_FINE


def _own_networks() -> list[ipaddress.IPv4Network]:
    """The /24 around this computer's own address; nothing is sent to learn it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            address = probe.getsockname()[0]
        except OSError:
            return []
    network = ipaddress.IPv4Network(f"{address}/24", strict=False)
    return [network] if any(network.subnet_of(each) for each in _PRIVATE) else []


# -------------------------------------------------------------------- looking


async def look(
    networks: Sequence[ipaddress.IPv4Network],
    ports: Sequence[int],
    udp_port: int,
    timeout: float,
    pacing: Pacing | None = None,
    mqtt_port: int = _MQTT_PORT,
) -> list[Find]:
    """Everything that answers, sorted by address. `timeout`: s for one answer."""
    from bridge.modbus.tcp import prepare

    prepare()
    hosts = dict.fromkeys(str(each) for network in networks for each in network.hosts())
    endpoints = [(host, port) for host in hosts for port in ports]
    kinds = _discoverers()
    finds: list[Find] = []
    limiter = anyio.CapacityLimiter(_AT_ONCE)
    with _progress(len(endpoints)) as advance:

        async def examine(host: str, port: int) -> None:
            async with limiter:
                find = await _examine(host, port, timeout, kinds, pacing)
            finds.extend([] if find is None else [find])
            advance()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_sticks, networks, udp_port, 2 * timeout, kinds, finds)
            tasks.start_soon(_services, networks, 2 * timeout, kinds, finds)
            for host, port in endpoints:
                tasks.start_soon(examine, host, port)
            for host in hosts:
                tasks.start_soon(_broker, host, mqtt_port, timeout, kinds, finds, limiter)
    return sorted(finds, key=lambda each: (ipaddress.ip_address(each.host), each.port))


def _discoverers() -> list[tuple[str, Any]]:
    """Each kind that has a discover.py, with that module."""
    from bridge.config.kinds import all_kinds

    found = [(name, kind.discoverer()) for name, kind in all_kinds().items()]
    return [(name, module) for name, module in found if module is not None]


async def _examine(
    host: str,
    port: int,
    timeout: float,
    kinds: Sequence[tuple[str, Any]],
    pacing: Pacing | None,
) -> Find | None:
    from bridge.discover import PACING, Door, recognised

    door = Door(host, port, timeout=timeout, pacing=PACING if pacing is None else pacing)
    try:
        if not await door.knock():
            return None
        found = await recognised(door, kinds)
        if found is not None:
            kind, device = found
            return Find(host, port, device.what, kind, device.serial, device.settings)
        if await door.anybody():
            return Find(host, port, "answers Modbus; no kind here recognises it")
        return Find(host, port, "takes connections, but does not answer Modbus")
    finally:
        await door.close()


async def _broker(
    host: str,
    port: int,
    timeout: float,
    kinds: Sequence[tuple[str, Any]],
    finds: list[Find],
    limiter: anyio.CapacityLimiter,
) -> None:
    """Look at what a broker on the device itself keeps; one that asks who one is is passed by."""
    from bridge.discover import recognised_at_broker
    from bridge.mqtt.look import kept

    topics = sorted({each for _, module in kinds for each in getattr(module, "TOPICS", ())})
    async with limiter:
        messages = [(each.topic, each.payload) for each in await kept(host, port, topics, timeout)]
    for kind, device in recognised_at_broker(messages, kinds):
        finds.append(Find(host, port, device.what, kind, device.serial, device.settings))


async def _sticks(
    networks: Sequence[ipaddress.IPv4Network],
    port: int,
    wait: float,
    kinds: Sequence[tuple[str, Any]],
    finds: list[Find],
) -> None:
    """Ask for logger sticks by broadcast; a network of one address is asked there."""
    from bridge.modbus.solarman_discovery import discover

    async def ask(network: ipaddress.IPv4Network) -> None:
        try:
            answers = await discover(str(network.broadcast_address), port, wait)
        except DeviceError as error:
            print(f"sticks cannot be asked: {error}", file=sys.stderr)
            return
        for answer in answers:
            if any(ipaddress.ip_address(answer.ip) in each for each in _PRIVATE):
                finds.extend(_stick(answer, kinds))

    async with anyio.create_task_group() as tasks:
        for network in networks:
            tasks.start_soon(ask, network)


def _stick(answer: Answer, kinds: Sequence[tuple[str, Any]]) -> list[Find]:
    from bridge.discover import recognised_stick

    host, serial = answer.ip, answer.serial
    found = recognised_stick(answer, kinds)
    if not found:
        return [Find(host, 8899, "a logger stick; no kind here recognises it", serial=serial)]
    return [Find(host, 8899, each.what, kind, serial, each.settings) for kind, each in found]


async def _services(
    networks: Sequence[ipaddress.IPv4Network],
    wait: float,
    kinds: Sequence[tuple[str, Any]],
    finds: list[Find],
) -> None:
    """Ask by mDNS for what the kinds know; on loopback alone where nothing else is looked at."""
    from bridge.discover import recognised_service
    from bridge.http.mdns import browse

    types = sorted({each for _, module in kinds for each in getattr(module, "SERVICES", ())})
    here = all(each.is_loopback for each in networks)
    try:
        services = await browse(types, wait, ["127.0.0.1"] if here else None)
    except DeviceError as error:
        print(error, file=sys.stderr)
        return
    for service in services:
        if not any(ipaddress.ip_address(service.host) in each for each in _PRIVATE):
            continue
        for kind, device in recognised_service(service, kinds):
            port = device.port or service.port
            finds.append(
                Find(service.host, port, device.what, kind, device.serial, device.settings)
            )


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    """A bar on a terminal's standard error; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("looking", total=total)
        yield lambda: bar.advance(task)


# -------------------------------------------------------------------- telling


def _as_json(find: Find) -> dict[str, Any]:
    return {
        "host": find.host,
        "port": find.port,
        "kind": find.kind,
        "what": find.what,
        "serial": find.serial,
        "settings": dict(find.settings),
    }


def _tell(finds: Sequence[Find], networks: Sequence[ipaddress.IPv4Network]) -> None:
    where = ", ".join(map(str, networks))
    if not finds:
        print(f"nothing was found in {where}")
        return
    for find in finds:
        serial = f", serial {find.serial}" if find.serial else ""
        print(f"{find.host}:{find.port}  {find.what}{serial}")
    known = [find for find in finds if find.kind is not None]
    if known:
        print("\nactors:")
        print("\n".join(snippets(known)))


def snippets(finds: Sequence[Find]) -> list[str]:
    """Lines for the `actors` section; a second device of a kind gets a number."""
    from bridge.config.kinds import find_kind

    lines: list[str] = []
    seen: dict[str, int] = {}
    for find in finds:
        kind = str(find.kind)
        seen[kind] = seen.get(kind, 0) + 1
        name = kind if seen[kind] == 1 else f"{kind}_{seen[kind]}"
        settings: dict[str, Any] = {"kind": kind, "host": find.host}
        if find.port != _usual_port(find_kind(kind).settings()):
            settings["port"] = find.port
        settings |= find.settings
        parts = ", ".join(f"{key}: {_word(value)}" for key, value in settings.items())
        lines.append(f"  {name}: {{{parts}}}")
    return lines


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _usual_port(settings: type[Any]) -> int | None:
    import msgspec

    for each in msgspec.structs.fields(settings):
        if each.name == "port" and isinstance(each.default, int):
            return each.default
    return None
