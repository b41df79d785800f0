"""`heliograph homevolt`: the device's schedule, local mode and parameters by hand.

Every write is read back before it is called done. What is set here keeps: nothing is given back.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from actors.devices.homevolt.schedule import MODE_OF, MODES, OFFLINE, OPTIONS, Entry
from bridge.cli.by_hand import on_device, shareable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from datetime import tzinfo

    from actors.devices.homevolt.actor import Homevolt
    from actors.devices.homevolt.schedule import Schedule

_PAGES: Final = {
    "ems": "/ems.json",
    "status": "/status.json",
    "schedule": "/schedule.json",
    "errors": "/error_report.json",
    "nodes": "/nodes.json",
}
_SHORT: Final = {"min": "%", "max": "%"}


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Declare `schedule`, `local`, `params` and `show`."""
    parser.description = "Schedule, local mode and parameters of a Homevolt, straight and by hand."
    _common(parser)
    subjects = parser.add_subparsers(dest="subject", metavar="SUBJECT", required=True)
    schedule = subjects.add_parser("schedule", help="list, set, add, delete, clear")
    verbs = schedule.add_subparsers(dest="verb", metavar="VERB", required=True)
    last = [verbs.add_parser("list", help="show the schedule")]
    for verb, words in (("set", "replace all by one entry"), ("add", "append an entry")):
        last.append(verbs.add_parser(verb, help=words))
        _entry_arguments(last[-1])
    last.append(verbs.add_parser("delete", help="remove one entry"))
    last[-1].add_argument("id", type=int, help="its number in the list")
    last.append(verbs.add_parser("clear", help="remove every entry"))
    last.append(
        subjects.add_parser("local", help="who plans: the device's owner (on) or its maker")
    )
    last[-1].add_argument("verb", choices=("on", "off"))
    last.append(subjects.add_parser("show", help="print one page as the device tells it"))
    last[-1].add_argument("page", choices=tuple(_PAGES))
    last[-1].set_defaults(verb="list")
    params = subjects.add_parser("params", help="list, get, set")
    verbs = params.add_subparsers(dest="verb", metavar="VERB", required=True)
    last.append(verbs.add_parser("list", help="show the parameters"))
    last[-1].add_argument("filter", nargs="?", default="", help="a part of the name")
    last.append(verbs.add_parser("get", help="show one"))
    last[-1].add_argument("name")
    last.append(verbs.add_parser("set", help="set one; it is read back"))
    last[-1].add_argument("name")
    last[-1].add_argument("value", help="several with a comma between")
    last[-1].add_argument("--store", action="store_true", help="keep it over a restart (in flash)")
    for each in last:
        _common(each, argparse.SUPPRESS)


def _common(parser: argparse.ArgumentParser, unsaid: str | None = None) -> None:
    """What may stand in front of the subject or at the end; there it is silent when not said."""
    parser.add_argument("--config", type=Path, metavar="FILE", default=unsaid)
    parser.add_argument(
        "--actor", metavar="ID", default=unsaid, help="which one (default: the only one)"
    )
    parser.add_argument("--json", action="store_true", default=unsaid or False, help="print JSON")


def _entry_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("mode", type=_mode, help=f"0 to 9, or {', '.join(MODES.values())}")
    for name in OPTIONS:
        unit = _SHORT.get(name, "N")
        parser.add_argument(f"--{name.replace('_', '-')}", dest=name, type=int, metavar=unit)
    parser.add_argument(
        "--offline", action="store_true", help="with idle: the inverter leaves the grid"
    )
    for name in ("from", "to"):
        parser.add_argument(
            f"--{name}",
            dest=f"{name}_",
            type=_datetime,
            metavar="TIME",
            help="such as 2026-11-21T14:30, as here",
        )


def _mode(text: str) -> int:
    if text.isdecimal() and int(text) in MODES:
        return int(text)
    if text in MODE_OF:
        return MODE_OF[text]
    raise argparse.ArgumentTypeError(f"{text} is no mode: it is 0 to 9 or its name")


def _datetime(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        sentence = f"{text} is no time: write it like 2026-11-21T14:30"
        raise argparse.ArgumentTypeError(sentence) from None


def run(args: argparse.Namespace) -> int:
    """Do what was asked; 1 when the device did not follow."""
    writes = args.verb not in {"list", "get"}
    return on_device(args, _work, kind="homevolt", called="Homevolt", writes=writes)


async def _work(device: Homevolt, args: argparse.Namespace) -> None:
    doing: dict[str, Callable[[Homevolt, argparse.Namespace], Coroutine[Any, Any, None]]] = {
        "schedule": _schedule,
        "local": _local,
        "params": _params,
        "show": _page,
    }
    async with device.direct():
        await doing[args.subject](device, args)


# -------------------------------------------------------------------- schedule


async def _schedule(device: Homevolt, args: argparse.Namespace) -> None:
    steering, zone = device.steering, device.settings.zone
    if args.verb == "list":
        found = await steering.read()
    elif args.verb == "clear":
        found = await steering.clear()
    elif args.verb == "delete":
        found = await steering.delete(args.id)
    else:
        entry = _entry(args, zone)
        found = await (steering.replace(entry) if args.verb == "set" else steering.add(entry))
    _show(found, zone, args)
    if args.verb != "list" and found.local is not True:
        print(
            "local mode is off: the maker may replace this at any time "
            "(heliograph homevolt local on)",
            file=sys.stderr,
        )


async def _local(device: Homevolt, args: argparse.Namespace) -> None:
    found = await device.steering.set_local(on=args.verb == "on")
    _show(found, device.settings.zone, args)


def _entry(args: argparse.Namespace, zone: tzinfo | None) -> Entry:
    given = {name: getattr(args, name) for name in OPTIONS}
    params: dict[str, int | bool] = {
        name: value for name, value in given.items() if value is not None
    }
    if args.offline:
        params[OFFLINE] = True
    return Entry(args.mode, params, _moment(args.from_, zone), _moment(args.to_, zone))


def _moment(moment: datetime | None, zone: tzinfo | None) -> int | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        moment = moment.astimezone() if zone is None else moment.replace(tzinfo=zone)
    return int(moment.timestamp())


def _show(found: Schedule, zone: tzinfo | None, args: argparse.Namespace) -> None:
    if args.json:
        _print_json(
            {
                "local_mode": found.local,
                "schedule_id": found.name,
                "schedule": [
                    {
                        "id": each.id,
                        "mode": each.name,
                        "from": each.start,
                        "to": each.end,
                        "params": dict(each.params),
                    }
                    for each in found.entries
                ],
            }
        )
        return
    from bridge.cli.table import show_table

    local = "unknown" if found.local is None else "on" if found.local else "off"
    rows = [
        (
            *("" if each.id is None else str(each.id), each.name),
            *(_time(each.start, zone), _time(each.end, zone)),
            ", ".join(f"{name} {value}" for name, value in each.params.items()),
        )
        for each in found.entries
    ]
    heads = ("id", "mode", "from", "to", "parameters")
    show_table(f"{found.name or 'no schedule'}, local mode {local}", heads, rows)


def _time(moment: int | None, zone: tzinfo | None) -> str:
    if moment is None:
        return ""
    return datetime.fromtimestamp(moment, UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M")


# -------------------------------------------------------------------- pages


async def _page(device: Homevolt, args: argparse.Namespace) -> None:
    import json

    print(json.dumps(shareable(await device.client.page(_PAGES[args.page])), indent=2))


# -------------------------------------------------------------------- parameters


async def _params(device: Homevolt, args: argparse.Namespace) -> None:
    steering = device.steering
    if args.verb == "set":
        value = await steering.set_parameter(args.name, args.value, store=args.store)
        _show_values({args.name: value}, args)
    elif args.verb == "get":
        _show_values({args.name: await steering.parameter(args.name)}, args)
    else:
        found = await device.client.parameters()
        wanted = [each for each in found if args.filter in str(each.get("name"))]
        _show_parameters(wanted, args)


def _show_values(values: dict[str, Any], args: argparse.Namespace) -> None:
    if args.json:
        _print_json(values)
        return
    for name, value in values.items():
        print(f"{name} = {value}")


def _show_parameters(found: Sequence[dict[str, Any]], args: argparse.Namespace) -> None:
    if args.json:
        _print_json(list(found))
        return
    from bridge.cli.table import show_table

    names = ("name", "value", "default", "help")
    rows = [tuple(_cell(each.get(name)) for name in names) for each in found]
    show_table("parameters", names, rows)


def _cell(value: Any) -> str:
    return (
        ", ".join(map(str, value))
        if isinstance(value, list)
        else ""
        if value is None
        else str(value)
    )


def _print_json(found: Any) -> None:
    import msgspec

    print(msgspec.json.encode(found).decode())
