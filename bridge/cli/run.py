"""`heliograph run`: the broker if it is ours, the supervisor, signals, and what to try first."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from bridge.errors import ConfigError
from bridge.log import LEVELS, configure, get_logger

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator

    from bridge.config import BrokerSettings, Config
    from bridge.mqtt import Endpoint
    from bridge.supervisor import Supervisor

_DEMO_METER_PORT = "18931"
_GREET_LIMIT = 1.0


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "run",
        help="start the bridge; with no configuration, a simulated house to look at",
        description="Starts the bridge and stays in the foreground. Without --config (and without "
        "HELIOGRAPH_CONFIG) it starts a broker of its own and a simulated house. "
        "SIGTERM or Ctrl-C stops it cleanly, SIGHUP reads the configuration again.",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="the configuration to run")
    parser.add_argument(
        "--log-format",
        choices=("console", "json"),
        default="console" if sys.stderr.isatty() else None,
        help="text for people or JSON for programs (default: text)",
    )
    parser.add_argument("--log-level", choices=tuple(LEVELS), default="info")


def run(args: argparse.Namespace) -> int:
    """Run until stopped; 0 after a clean stop."""
    configure(args.log_format or "console", args.log_level)
    anyio.run(_main, args.config, _read(args.config))
    return 0


def _is_demo(path: Path | None) -> bool:
    return path is None and not os.environ.get("HELIOGRAPH_CONFIG")


def _read(path: Path | None) -> Config:
    """Read the configuration. The demo's meter moves to a free port where its own is taken."""
    from bridge.config import demo_path, load_config, load_text

    if not _is_demo(path):
        return load_config(path)
    text = demo_path().read_text(encoding="utf-8")
    return load_text(text.replace(_DEMO_METER_PORT, str(_demo_meter_port())), demo_path())


@functools.cache
def _demo_meter_port() -> int:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", int(_DEMO_METER_PORT)))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _main(path: Path | None, config: Config) -> None:
    log = get_logger("bridge")
    for warning in config.warnings:
        log.warning(str(warning))
    while True:
        async with _broker(config) as endpoint:
            again = await _supervise(path, config, endpoint)
        if again is None:
            return
        config = again
        log.info("what everything depends on has changed: all starts again")


async def _supervise(path: Path | None, config: Config, endpoint: Endpoint) -> Config | None:
    """Run one supervisor; a Config when everything must start again with it."""
    from bridge.contract import load_contract
    from bridge.supervisor import Supervisor

    supervisor = Supervisor(config, endpoint, load_contract())
    again: list[Config] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_obey_signals, path, supervisor, again)
        tasks.start_soon(_greet if _is_demo(path) else _say, supervisor, endpoint)
        await supervisor.run()
        tasks.cancel_scope.cancel()
    return again[0] if again else None


@contextlib.asynccontextmanager
async def _broker(config: Config) -> AsyncIterator[Endpoint]:
    """The broker's address; an embedded broker lives as long as this context."""
    from bridge.mqtt import Protocol

    settings = config.broker
    if not settings.embedded:
        yield endpoint_of(settings)
        return
    from bridge.broker import EmbeddedSettings, embedded_broker

    log = get_logger("broker")
    wanted = EmbeddedSettings(
        listen=settings.listen or EmbeddedSettings().listen, users=dict(settings.users)
    )
    async with embedded_broker(wanted, log) as broker, anyio.create_task_group() as tasks:
        if broker.note:
            log.warning(broker.note)
        tasks.start_soon(broker.watch)
        endpoint = endpoint_of(settings, broker.url, broker.username, broker.password)
        if broker.kind == "amqtt":
            endpoint.protocol = Protocol.V311  # it speaks nothing else: spare the first try
        yield endpoint
        tasks.cancel_scope.cancel()


def endpoint_of(
    settings: BrokerSettings,
    url: str | None = None,
    username: str | None = None,
    password: str | None = None,
) -> Endpoint:
    """The endpoint of a configured broker; `url` and login replace those of the settings."""
    from bridge.mqtt import Endpoint

    own = settings.password.reveal() if settings.password else None
    return Endpoint.from_url(
        url or settings.url,
        username=username or settings.username,
        password=password or own,
        ca=str(settings.ca) if settings.ca else None,
    )


async def _obey_signals(path: Path | None, supervisor: Supervisor, again: list[Config]) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        async for received in signals:
            if received != signal.SIGHUP:
                supervisor.stop()
                continue
            config = await _reload(path, supervisor)
            if config is not None:
                again.append(config)
                supervisor.stop()


async def _reload(path: Path | None, supervisor: Supervisor) -> Config | None:
    """Read the file again; a Config when more changed than single actors."""
    from bridge.config import changes

    log = get_logger("bridge")
    try:
        config = _read(path)
    except ConfigError as error:
        for problem in error.problems:
            log.error(str(problem))
        log.error("the configuration has errors: the bridge goes on with the one it has")
        return None
    difference = changes(supervisor.config, config)
    if difference.restart_all:
        return config
    await supervisor.reload(config, difference)
    return None


async def _say(supervisor: Supervisor, endpoint: Endpoint) -> None:
    """One line that it runs: what is well says nothing else."""
    await supervisor.started.wait()
    config = supervisor.config
    many = f"{len(config.actors)} actors" if len(config.actors) > 1 else "1 actor"
    get_logger("bridge").info(f"runs {many} under '{config.base}' on {endpoint.url}")


async def _greet(supervisor: Supervisor, endpoint: Endpoint) -> None:
    """Tell a newcomer where the broker is and what to type."""
    await supervisor.started.wait()
    # Whoever types the lines below at once is to be heard: the distributor must listen first.
    with anyio.move_on_after(_GREET_LIMIT):
        await supervisor.connected("distributor")
    base = supervisor.config.base
    where = f"-h {endpoint.host} -p {endpoint.port}"
    print(
        f"Heliograph runs a simulated house on {endpoint.url}\n"
        "  look:  "
        f"mosquitto_sub {where} -v -t '{base}/Site/+' -t '{base}/Requests/+/Reason'\n"
        "  join:  "
        f"mosquitto_pub {where} -t {base}/Requests/kettle -m "
        '\'{"IsAutomatic": true, "Request": 1200, "Priority": 1}\'\n'
        "  then:  "
        f"mosquitto_sub {where} -v -t '{base}/Requests/kettle/+'\n"
        "  stop:  Ctrl-C",
        flush=True,
    )
