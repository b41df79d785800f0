"""Asking a network: which addresses answer, and who of the kinds recognises what answers."""

from __future__ import annotations

import ipaddress
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import anyio

from bridge.cli.discover_network import MQTT_PORT, PRIVATE
from bridge.errors import DeviceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bridge.discover import Answer
    from bridge.registers import Pacing

_AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True)
class Find:
    """One thing that answered; `kind` None: nobody here knows it."""

    host: str
    port: int
    what: str
    kind: str | None = None
    serial: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


async def look(
    networks: Sequence[ipaddress.IPv4Network],
    ports: Sequence[int],
    udp_port: int,
    timeout: float,
    pacing: Pacing | None = None,
    mqtt_port: int = MQTT_PORT,
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
            if any(ipaddress.ip_address(answer.ip) in each for each in PRIVATE):
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
        if not any(ipaddress.ip_address(service.host) in each for each in PRIVATE):
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
