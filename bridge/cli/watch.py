"""`heliograph watch`: the house as live tables in the terminal."""

from __future__ import annotations

import sys
import uuid
from typing import TYPE_CHECKING

import anyio

from bridge.cli.reach import add_broker_arguments, endpoint_for
from bridge.cli.watch_model import Model
from bridge.log import configure, get_logger

if TYPE_CHECKING:
    import argparse

    from bridge.bus import Message
    from bridge.config import Config
    from bridge.contract import Contract
    from bridge.mqtt import Endpoint

_FRAME = 0.25
_SETTLE = 1.5
_CONNECT = 10.0


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "watch",
        help="live tables of the site, every consumer with its reason, devices and actors",
        description="Looks at a running bridge over MQTT and changes nothing. "
        "With --once, or when the output is no terminal, prints one picture and ends.",
    )
    add_broker_arguments(parser)
    parser.add_argument("--once", action="store_true", help="print one picture and end")
    parser.add_argument("--json", action="store_true", help="print one picture as JSON and end")


def run(args: argparse.Namespace) -> int:
    """Show the house until Ctrl-C."""
    from bridge.config import load_config
    from bridge.contract import load_contract

    configure(level="error")
    config = load_config(args.config)
    endpoint = endpoint_for(config, args.broker)
    live = sys.stdout.isatty() and not (args.once or args.json)
    return anyio.run(_watch, config, load_contract(), endpoint, live, args.json)


async def _watch(
    config: Config, contract: Contract, endpoint: Endpoint, live: bool, as_json: bool
) -> int:
    from bridge.bus import Bus
    from bridge.clock import Clock

    clock = Clock()
    model = Model(configured={name: each.kind for name, each in config.actors.items()})
    name = f"{config.base.replace('/', '_')}-watch-{uuid.uuid4().hex[:6]}"
    bus = Bus(contract, config.base, endpoint, name, clock=clock, log=get_logger("watch"))

    def take(message: Message) -> None:
        model.take(message.address, message.payload, message.at, retained=message.retained)

    for pattern in (
        "Bridge/Status",
        "Actors/{actor}/Status",
        "Actors/{actor}/Health",
        "Actors/{actor}/Messages/{Level}",
        "Devices/{device}/Status",
        "Devices/{device}/State",
        "Site/State",
        "Site/Pause",
        "Requests/{consumer}",
        "Requests/{consumer}/{Field}",
    ):
        await bus.subscribe(pattern, take)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(bus.run)
        with anyio.move_on_after(_CONNECT):
            await bus.connection.connected.wait()
        if not bus.connection.is_connected:
            why = bus.connection.why or "it does not answer"
            print(f"the broker {endpoint.url} cannot be used: {why}", file=sys.stderr)
            tasks.cancel_scope.cancel()
            return 1
        if live:
            await _show(model, endpoint, clock.now)
        else:
            await anyio.sleep(_SETTLE)
            _print(model, endpoint, clock.now(), as_json)
        tasks.cancel_scope.cancel()
    return 0


async def _show(model: Model, endpoint: Endpoint, now: Now) -> None:
    from rich.live import Live

    from bridge.cli.watch_view import picture

    with Live(picture(model, endpoint.url, now()), screen=True, auto_refresh=False) as screen:
        while True:
            await anyio.sleep(_FRAME)
            screen.update(picture(model, endpoint.url, now()), refresh=True)


def _print(model: Model, endpoint: Endpoint, now: float, as_json: bool) -> None:
    if as_json:
        import msgspec

        print(msgspec.json.encode(model.export(now)).decode())
        return
    from rich.console import Console

    from bridge.cli.watch_view import picture

    Console(width=None if sys.stdout.isatty() else 140).print(picture(model, endpoint.url, now))


if TYPE_CHECKING:
    from collections.abc import Callable

    Now = Callable[[], float]
