"""`heliograph check`: is this configuration good? Reads files, touches no broker and no device."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

    from bridge.config import Config, Problem

EXIT_FINE = 0
EXIT_ERRORS = 2


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "check",
        help="validate a configuration: file, line and a sentence for everything wrong",
        description="Validates a configuration without starting anything. Prints every problem as "
        "file:line: sentence and exits with 2; warnings alone exit with 0. Without CONFIG it "
        "checks HELIOGRAPH_CONFIG, else the simulated house.",
    )
    parser.add_argument("path", nargs="?", type=Path, metavar="CONFIG", help="the file to check")
    parser.add_argument(
        "--config", dest="option", type=Path, metavar="FILE", help="the same, as for other commands"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Check one configuration; 0 when it can be used, 2 when not."""
    import os

    from bridge.config import ConfigError, config_path, load_config

    path = config_path(args.path or args.option, os.environ)
    try:
        config = load_config(path)
    except ConfigError as error:
        _print_errors(path, error.problems, as_json=args.json)
        return EXIT_ERRORS
    if args.json:
        print(json.dumps(_summary(config), ensure_ascii=False, indent=2))
    else:
        for warning in config.warnings:
            print(f"{warning.file}:{warning.line}: warning: {warning.sentence}")
        print("\n".join(_lines(config)))
    return EXIT_FINE


def _print_errors(path: Path, problems: list[Problem], *, as_json: bool) -> None:
    if as_json:
        found = {"ok": False, "file": str(path), "errors": _plain(problems), "warnings": []}
        print(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for problem in problems:
        print(problem)
    count = len(problems)
    print(f"{path} has {'one error' if count == 1 else f'{count} errors'}")


def _plain(problems: list[Problem]) -> list[dict[str, Any]]:
    return [{"file": each.file, "line": each.line, "sentence": each.sentence} for each in problems]


def _roles(config: Config, actor: str) -> list[str]:
    """The roles of an actor's devices, those named `{actor}-{sub}` included."""
    if config.site is None:
        return []
    found = [
        role if device == actor else f"{role} ({device})"
        for role, device in config.site.devices()
        if device == actor or (device.startswith(f"{actor}-") and device not in config.actors)
    ]
    return list(dict.fromkeys(found))


def _summary(config: Config) -> dict[str, Any]:
    return {
        "ok": True,
        "file": config.file,
        "errors": [],
        "warnings": _plain(config.warnings),
        "base": config.base,
        "broker": _broker(config),
        "state": str(config.state),
        "actors": {
            id_: {"kind": actor.kind, "roles": _roles(config, id_)}
            for id_, actor in config.actors.items()
        },
        "consumers": list(config.consumers),
    }


def _broker(config: Config) -> str:
    """Where the broker is; a url holds no login, the loader refuses that."""
    if config.broker.address is not None:
        return str(config.broker.address)
    host, port = config.broker.listen_address
    return f"embedded, on {host} port {port}"


def _lines(config: Config) -> list[str]:
    """The summary for people: one line per actor, with kind and role."""
    lines = [f"{config.file} is fine: base {config.base}, broker {_broker(config)}"]
    wide = max((len(id_) for id_ in config.actors), default=0)
    broad = max((len(actor.kind) for actor in config.actors.values()), default=0)
    for id_, actor in config.actors.items():
        roles = ", ".join(_roles(config, id_))
        lines.append(f"  {id_:<{wide}}  {actor.kind:<{broad}}  {roles}".rstrip())
    if config.consumers:
        lines.append(f"  your word over consumers: {', '.join(config.consumers)}")
    return lines
