"""`heliograph sim KIND`: a simulated device on loopback, for trying a configuration and faults."""

from __future__ import annotations

import inspect
import math
import os
import signal
import sys
from typing import TYPE_CHECKING, Any, Final

import anyio

from bridge.errors import ConfigError, HeliographError
from bridge.log import configure

if TYPE_CHECKING:
    import argparse
    from types import ModuleType

    from bridge.config.kinds import Kind

EXIT_FINE: Final = 0
EXIT_FAILED: Final = 1
EXIT_WRONG: Final = 2
_WORKING = ("", "none", "ok")
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not listened on
_LINE = 1000
_CANNOT = "the simulator cannot be made like that"
# What a simulator's SETTINGS say for tests alone: how patient they are.
_PACE = frozenset({"interval", "timeout", "retries", "connect_delay"})


class Wrong(HeliographError):
    """What was typed cannot be simulated."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "sim",
        help="simulate a device of some kind, with faults that can be switched on",
        description="Serves a simulated device over its real protocol and says how to point the "
        "configuration at it. On a terminal, type the name of a fault to switch it on, and an "
        "empty line to switch it off. Ctrl-C or SIGTERM ends it. Exit code 1 when the port is "
        "taken, 2 for a kind, fault or option that is not known.",
    )
    parser.add_argument("kind", metavar="KIND", nargs="?", help="such as shelly")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default: 127.0.0.1)")
    parser.add_argument(
        "--port",
        type=int,
        metavar="N",
        help="default: the kind's usual one if it is free here; 0 takes any free one",
    )
    parser.add_argument("--fault", metavar="NAME", help="begin with this fault")
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="something the simulator takes, such as power=-1500; may be given again",
    )
    parser.add_argument(
        "--list", action="store_true", help="list the faults and options of KIND, or all kinds"
    )


def run(args: argparse.Namespace) -> int:
    """Serve until stopped."""
    from bridge.config.kinds import KindError

    configure(level="error")
    try:
        if args.kind is None:
            return _list_kinds(args.list)
        kind, module = _find(args.kind)
        options = _options(module, args.option)
        faults = anyio.run(_faults_with, module, options)
        _check_fault(faults, args.fault)
    except (Wrong, KindError) as error:
        print(error, file=sys.stderr)
        return EXIT_WRONG
    if args.list:
        _list(kind, module, faults)
        return EXIT_FINE
    return anyio.run(_serve, kind, module, options, args)


# -------------------------------------------------------------------- what there is


def _list_kinds(asked: bool) -> int:
    from bridge.config.kinds import all_kinds

    names = [name for name, kind in all_kinds().items() if (kind.folder / "sim.py").is_file()]
    if asked:
        print("\n".join(names))
        return EXIT_FINE
    raise Wrong(f"say which kind: {', '.join(names)}")


def _find(name: str) -> tuple[Kind, ModuleType]:
    from bridge.config.kinds import find_kind

    kind = find_kind(name)
    module = kind.simulator()
    if module is None:
        raise Wrong(
            f"kind '{name}' has no simulator: `heliograph sim --list` names those that have"
        )
    return kind, module


def faults_of(module: ModuleType, simulator: Any) -> dict[str, str]:
    """Those that this simulator has as it was made; without saying so, those of its module."""
    return dict(getattr(simulator, "faults", getattr(module, "FAULTS", {})))


async def _faults_with(module: ModuleType, options: dict[str, Any]) -> dict[str, str]:
    """What can go wrong with a simulator of these options. Raises Wrong when it cannot be made."""
    return faults_of(module, _made(module, options, "127.0.0.1", 0))


def _parameters(module: ModuleType) -> dict[str, inspect.Parameter]:
    """What the simulator takes besides host and port."""
    simulator: Any = module
    found = inspect.signature(simulator.Simulator).parameters
    return {name: each for name, each in found.items() if name not in {"host", "port"}}


def _check_fault(faults: dict[str, str], fault: str | None) -> None:
    if fault is not None and fault not in faults:
        raise Wrong(f"fault '{fault}' is not known; there are {', '.join(faults) or 'none'}")


def _options(module: ModuleType, given: list[str]) -> dict[str, Any]:
    """`name=value` as the simulator's arguments; values are read as in the configuration."""
    import yaml

    known = _parameters(module)
    anything = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in known.values())
    names = [n for n, each in known.items() if each.kind is not inspect.Parameter.VAR_KEYWORD]
    options: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise Wrong(f"--option {text} is not NAME=VALUE")
        if name not in names and not (anything and name not in {"host", "port"}):
            raise Wrong(f"option '{name}' is not known; there are {', '.join(names) or 'none'}")
        try:
            read = yaml.safe_load(value)
        except yaml.YAMLError:
            raise Wrong(f"--option {text}: the value cannot be read") from None
        words = isinstance(read, str) or read is None or not _is_text(known.get(name))
        options[name] = read if words else value
    return options


def _is_text(parameter: inspect.Parameter | None) -> bool:
    """A password of digits and a firmware such as 40.7 are words, not numbers."""
    return parameter is not None and parameter.annotation in {"str", "str | None", str}


def _list(kind: Kind, module: ModuleType, faults: dict[str, str]) -> None:
    print(f"faults of {kind.name}:")
    width = max(map(len, faults), default=0)
    for name, meaning in faults.items():
        print(f"  {name:<{width}}  {meaning}")
    print("options:")
    for name, each in _parameters(module).items():
        if each.kind is inspect.Parameter.VAR_KEYWORD:
            continue
        default = "" if each.default is inspect.Parameter.empty else f"  (default: {each.default})"
        print(f"  {name}{default}")


# -------------------------------------------------------------------- serving


def _usual_port(kind: Kind) -> int:
    """The port that the kind's settings have when nobody says so; 0 when they have none."""
    import msgspec

    for field in msgspec.structs.fields(kind.settings()):
        if field.name == "port" and isinstance(field.default, int):
            return field.default
    return 0


async def _start(
    kind: Kind, module: ModuleType, options: dict[str, Any], args: argparse.Namespace
) -> Any:
    """A simulator that listens. Raises Wrong for its options, OSError for the port."""
    usual = _usual_port(kind)
    wanted = usual if args.port is None else args.port
    try:
        return await _listen(module, options, args.host, wanted)
    except OSError as error:
        if args.port is not None:
            raise
        why = (error.strerror or str(error)).lower()
        print(f"port {usual}, which a {kind.name} has, cannot be used here ({why})", flush=True)
    return await _listen(module, options, args.host, 0)


def _made(module: Any, options: dict[str, Any], host: str, port: int) -> Any:
    try:
        return module.Simulator(host=host, port=port, **options)
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise Wrong(f"{_CANNOT}: {error}") from None


async def _listen(module: Any, options: dict[str, Any], host: str, port: int) -> Any:
    simulator = _made(module, options, host, port)
    try:
        await simulator.start()
    except BaseException:
        await simulator.stop()
        raise
    return simulator


def snippet(kind: Kind, module: ModuleType, simulator: Any) -> str:
    """One line for the `actors` section of a configuration, complete: `check` and `read` take it.

    What is needed beyond the address the simulator says itself, as `settings()`; for one without
    it, `SETTINGS` of its module, its transport, password and unit id are taken.
    """
    import yaml

    host, port = _EVERYWHERE.get(simulator.host, simulator.host), simulator.port
    fields = set(kind.settings().__struct_fields__)
    settings: dict[str, Any] = {"host": host, "port": port}
    if "url" in fields:
        settings = {"url": f"http://{host}:{port}"}
    elif "host" not in fields:
        settings = {}  # it has addresses of its own, which it says itself
    told = getattr(simulator, "settings", None)
    settings |= told() if callable(told) else _guessed(fields, module, simulator)
    line = yaml.safe_dump(
        {"kind": kind.name, **settings},
        default_flow_style=True,
        sort_keys=False,
        allow_unicode=True,
        width=math.inf,
    )
    return f"{kind.name}: {line.strip()}"


def _guessed(fields: set[str], module: ModuleType, simulator: Any) -> dict[str, Any]:
    told = getattr(module, "SETTINGS", {})
    settings = {name: value for name, value in told.items() if name not in _PACE}
    for name in fields & {"transport", "password"}:
        if isinstance(value := getattr(simulator, name, None), str):
            settings[name] = value
    served = list(getattr(getattr(simulator, "bank", None), "units", {}))
    if "unit" in fields and len(served) == 1 and served[0] != 1:
        settings.setdefault("unit", served[0])
    return settings


async def _line(kind: Kind, module: ModuleType, simulator: Any) -> str:
    """The snippet of one that listens. Raises Wrong where no configuration can point at it."""
    from bridge.config.load import load_text

    line = snippet(kind, module, simulator)
    try:
        load_text(f"actors:\n  {line}\n")
    except ConfigError as error:
        await simulator.stop()
        raise Wrong(f"{_CANNOT}: {error.problems[0].sentence}") from None
    return line


async def _serve(
    kind: Kind, module: ModuleType, options: dict[str, Any], args: argparse.Namespace
) -> int:
    try:
        simulator = await _start(kind, module, options, args)
        line = await _line(kind, module, simulator)
    except Wrong as error:
        print(error, file=sys.stderr)
        return EXIT_WRONG
    except (OSError, HeliographError) as error:
        why = (getattr(error, "strerror", None) or str(error)).lower()
        port = "any port" if args.port is None else f"port {args.port}"
        print(f"{port} of {args.host} cannot be used: {why}", file=sys.stderr)
        return EXIT_FAILED
    simulator.fault = args.fault
    async with anyio.create_task_group() as tasks:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            print(f"{line}   # below actors:", flush=True)
            if args.fault:
                print(f"fault: {args.fault}", flush=True)
            if sys.stdin is not None and sys.stdin.isatty():
                tasks.start_soon(_hear, simulator, faults_of(module, simulator))
            async for _ in signals:
                break
        tasks.cancel_scope.cancel()
    await simulator.stop()
    return EXIT_FINE


async def _hear(simulator: Any, faults: dict[str, str]) -> None:
    """Switch faults as their names are typed."""
    print(f"faults to type: {', '.join(faults)}; an empty line ends one", flush=True)
    while True:
        await anyio.wait_readable(sys.stdin)
        raw = os.read(sys.stdin.fileno(), _LINE)
        if not raw:  # Ctrl-D: nobody types any more, the device stays
            return
        for line in raw.decode("utf-8", "replace").splitlines():
            _switch(simulator, faults, line.strip())


def _switch(simulator: Any, faults: dict[str, str], word: str) -> None:
    if word in _WORKING:
        simulator.fault = None
        print("fault: none", flush=True)
    elif word in faults:
        simulator.fault = word
        print(f"fault: {word}: {faults[word]}", flush=True)
    else:
        print(f"fault '{word}' is not known; there are {', '.join(faults)}", flush=True)
