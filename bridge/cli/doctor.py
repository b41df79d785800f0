"""`heliograph doctor`: tries the configuration, the broker, every permission and every actor."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import anyio

from bridge.cli.reach import add_broker_arguments
from bridge.errors import ConfigError
from bridge.log import configure

if TYPE_CHECKING:
    import argparse

    from bridge.cli.doctor_broker import Tell
    from bridge.config import Config
    from bridge.contract import Contract


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried. `ok` None is a remark."""

    what: str
    ok: bool | None
    sentence: str


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "doctor",
        help="try the broker, its permissions and every actor; say what is wrong",
        description="Tries the broker, every device that the configuration names, and what every "
        "other actor needs: devices, controls, topics. Says in plain words what does not work. "
        "Nothing is switched. Exit code 1 when something is wrong.",
    )
    add_broker_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON list")


def run(args: argparse.Namespace) -> int:
    """Print the findings; 1 when one of them is bad."""
    from bridge.config import load_config
    from bridge.contract import load_contract

    configure(level="error")
    findings: list[Finding] = []

    def tell(what: str, ok: bool | None, sentence: str) -> None:
        findings.append(Finding(what, ok, sentence))
        if not args.json:
            mark = {True: "ok   ", False: "WRONG", None: "note "}[ok]
            print(f"{mark}  {what}: {sentence}", flush=True)

    try:
        config = load_config(args.config)
    except ConfigError as error:
        for problem in error.problems:
            tell("configuration", False, str(problem))
        _finish(args, findings)
        return 2
    tell("configuration", True, f"{config.file or 'the demo'} can be used")
    for warning in config.warnings:
        tell("configuration", None, str(warning))
    anyio.run(_examine, config, load_contract(), args.broker, tell)
    _finish(args, findings)
    return 1 if any(finding.ok is False for finding in findings) else 0


def _finish(args: argparse.Namespace, findings: list[Finding]) -> None:
    if args.json:
        import msgspec

        print(msgspec.json.encode([asdict(finding) for finding in findings]).decode())
        return
    wrong = sum(finding.ok is False for finding in findings)
    print("everything works" if not wrong else f"{wrong} of {len(findings)} checks failed")


async def _examine(config: Config, contract: Contract, url: str | None, tell: Tell) -> None:
    from bridge.cli import doctor_actors, doctor_broker

    heard = doctor_broker.Overheard(config.base)
    needs = doctor_actors.needs_of(config)
    due = doctor_actors.due(config, needs)
    devices = doctor_actors.Devices(config, contract, tell)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(doctor_broker.examine, config, url, due, tell, heard)
        tasks.start_soon(devices.try_all)
    await doctor_actors.judge(config, needs, devices, heard, tell)
