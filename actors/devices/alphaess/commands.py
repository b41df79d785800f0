"""`heliograph alphaess …`: the systems of an account, their days, settings and chargers."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio

from actors.devices.alphaess import decode, periods, weekly
from actors.devices.alphaess.account import ID_VARIABLE, SECRET_VARIABLE, Account, Wrong, account_of
from actors.devices.alphaess.client import told
from actors.devices.alphaess.columns import COLUMNS
from actors.devices.alphaess.steering import with_groups
from bridge.cli.rows import add_format, printed
from bridge.errors import DeviceError, DeviceRefused
from bridge.log import configure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from actors.devices.alphaess.periods import Fields, Side

    Rows = list[Mapping[str, Any]]

EXIT_FINE: Final = 0
EXIT_FAILED: Final = 1
EXIT_WRONG: Final = 2
_LEVEL: Final = "%%, a whole number"
_PERIOD: Final = "such as 01:00-05:15, or off"


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Declare the commands."""
    parser.description = (
        "The systems of an AlphaESS account. Calls of an account have 10 s between "
    )
    parser.description += "them, so what needs several takes its time."
    commands = parser.add_subparsers(dest="action", metavar="COMMAND", required=True)

    def command(name: str, help_: str, *, serial: bool = True) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=help_, description=f"{help_[0].upper()}{help_[1:]}.")
        _add_account(made)
        if serial:
            made.add_argument("--serial", help="of the system, where the account has several")
        add_format(made)
        return made

    command("list", "list the systems of the account", serial=False)
    code = command("verification-code", "have a system's owner sent a code", serial=False)
    code.add_argument("system", metavar="SERIAL")
    code.add_argument("check_code", metavar="CHECKCODE", help="printed below the serial number")
    bind = command("bind", "add a system to the account", serial=False)
    bind.add_argument("system", metavar="SERIAL")
    bind.add_argument("code", metavar="CODE", help="from the e-mail, not the check code")
    unbind = command("unbind", "take a system from the account", serial=False)
    unbind.add_argument("system", metavar="SERIAL")
    command("show", "print the powers of now")
    command("summary", "print today's energies, income and savings")
    for name, help_ in (
        ("day", "print the powers of a day, every 5 minutes, in the system's local time"),
        ("energy", "print the energies of a day"),
    ):
        made = command(name, help_)
        made.add_argument("day", metavar="DATE", nargs="?", help="2026-11-19; default: today")
    command("settings", "print how the battery is charged from the grid and discharged")
    for name, on, help_ in (
        ("charge", "grid", "set how the battery is charged from the grid"),
        ("discharge", "timed", "set when the battery is discharged"),
    ):
        made = command(name, help_)
        made.add_argument(f"--{on}", choices=("on", "off"), dest="on")
        made.add_argument("--stop", type=float, metavar="LEVEL", help=_LEVEL)
        made.add_argument("--first", metavar="PERIOD", help=_PERIOD)
        made.add_argument("--second", metavar="PERIOD", help=_PERIOD)
    plan = command("schedule", "print the newer schedule, or set it")
    example = weekly.EXAMPLE.replace("%", "%%")
    plan.add_argument("groups", metavar="TEXT", nargs="?", help=f"such as '{example}; …'")
    ev = command("ev", "list the EV chargers, or read and set them")
    ev.add_argument("what", choices=("list", "status", "start", "stop", "current"), nargs="?")
    ev.add_argument("value", nargs="?", help="the charger's serial number, or the current in A")


def _add_account(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE")
    parser.add_argument("--actor", help="the account of this actor, where there are several")
    parser.add_argument("--app-id", metavar="ID", help=f"another account; else ${ID_VARIABLE}")
    parser.add_argument(
        "--app-secret-file", type=Path, metavar="FILE", help=f"else ${SECRET_VARIABLE}, or asked"
    )
    parser.add_argument("--url", help="for --app-id: another base, such as a simulator")
    parser.add_argument("--gap", type=float, default=0.0, help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Do one of them; the exit code."""
    configure(level="error")
    try:
        return anyio.run(_run, args)
    except Wrong as error:
        print(error, file=sys.stderr)
        return EXIT_WRONG
    except DeviceError as error:
        print(told(error), file=sys.stderr)
        return EXIT_FAILED


async def _run(args: argparse.Namespace) -> int:
    account = account_of(args)
    try:
        name, rows = await ACTIONS[args.action](account, args)
    finally:
        trouble = account.client.clock_trouble()
        await account.client.close()
    if trouble is not None:
        print(trouble, file=sys.stderr)
    head = {key: args.__dict__[key] for key in ("serial", "day") if args.__dict__.get(key)}
    empty = "the account has no such thing"
    print(printed(args.format, COLUMNS[name], rows, head=head, empty=empty))
    return EXIT_FINE


# -------------------------------------------------------------------- the account


async def _list(account: Account, _: Any) -> tuple[str, Rows]:
    return "list", [
        {
            "serial": each.serial,
            "inverter": each.inverter,
            "battery": each.battery,
            "pv": each.pv,
            "power": each.power,
            "capacity": None if each.capacity is None else each.capacity / 1000,
            "status": each.status or "Normal",
        }
        for each in await account.systems()
    ]


async def _verification_code(account: Account, args: Any) -> tuple[str, Rows]:
    await account.client.verification_code(args.system, args.check_code)
    done = "its owner was sent an e-mail with the code for `heliograph alphaess bind`"
    return "done", [{"serial": args.system, "done": done}]


async def _bind(account: Account, args: Any) -> tuple[str, Rows]:
    new = await account.client.bind(args.system, args.code)
    done = "it is bound to the account" if new else "it was bound to the account already"
    return "done", [{"serial": args.system, "done": done}]


async def _unbind(account: Account, args: Any) -> tuple[str, Rows]:
    await account.client.unbind(args.system)
    return "done", [{"serial": args.system, "done": "it is no longer bound to the account"}]


# -------------------------------------------------------------------- readings


async def _show(account: Account, args: Any) -> tuple[str, Rows]:
    serial = await account.serial(args.serial)
    return "values", _values(decode.live(await account.client.live(serial)), _unit)


async def _summary(account: Account, args: Any) -> tuple[str, Rows]:
    serial = await account.serial(args.serial)
    found = decode.summary(await account.client.sums(serial))
    money = found.pop("moneyType") or ""
    units = {"todayIncome": str(money), "totalIncome": str(money), "carbonNum": "kg"}
    units |= {"treeNum": "trees", "eselfConsumption": "%", "eselfSufficiency": "%"}
    return "values", _values(found, lambda name: units.get(name, "kWh"))


def _values(found: Mapping[str, Any], unit: Callable[[str], str]) -> Rows:
    return [{"name": name, "value": value, "unit": unit(name)} for name, value in found.items()]


def _unit(name: str) -> str:
    return "%" if name == "BatterySoc" else "W"


def _date(text: str | None) -> date:
    if text is None:
        return datetime.now(UTC).astimezone().date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Wrong(f"{text[:20]} is no date: write it like 2026-11-19") from None


async def _day(account: Account, args: Any) -> tuple[str, Rows]:
    day = _date(args.day)
    serial = await account.serial(args.serial)
    return "day", list(decode.day_power(await account.client.day_power(serial, day)))


async def _energy(account: Account, args: Any) -> tuple[str, Rows]:
    day = _date(args.day)
    serial = await account.serial(args.serial)
    raw = await account.client.day_energy(serial, day)
    found = {} if raw is None else decode.day_energy(raw)
    return "values", _values(found, lambda _: "kWh")


# -------------------------------------------------------------------- settings


async def _settings(account: Account, args: Any) -> tuple[str, Rows]:
    serial = await account.serial(args.serial)
    both = {"charge": periods.CHARGE, "discharge": periods.DISCHARGE}
    found = [(name, await account.steering.side(serial, each)) for name, each in both.items()]
    if all(side is None for _, side in found):
        text = f"{serial} has no such settings: see `heliograph alphaess schedule`"
        raise DeviceError(text)
    return "side", [_row(name, side) for name, side in found if side is not None]


def _row(name: str, side: Side) -> Mapping[str, Any]:
    first, second = (
        periods.shown(each) if each[0] != each[1] else periods.OFF_WORD for each in side.periods
    )
    return {"which": name, "on": side.on, "stop": side.stop, "first": first, "second": second}


async def _change(account: Account, args: Any) -> tuple[str, Rows]:
    fields: Fields = periods.CHARGE if args.action == "charge" else periods.DISCHARGE
    if all(each is None for each in (args.on, args.stop, args.first, args.second)):
        raise Wrong(f"say what to change: `heliograph alphaess {args.action} -h`")

    def change(side: Side) -> Side:
        first, second = side.periods
        if args.first is not None:
            first = periods.period(args.first)
        if args.second is not None:
            second = periods.period(args.second)
        periods.apart(first, second)
        stop = side.stop if args.stop is None else periods.stop_level(args.stop)
        on = side.on if args.on is None else args.on == "on"
        return replace(side, on=on, stop=stop, periods=(first, second))

    # What makes no sense is refused before anything is asked.
    try:
        change(periods.NOTHING)
    except DeviceRefused as error:
        raise Wrong(str(error)) from None
    serial = await account.serial(args.serial)
    found = await account.steering.change(serial, fields, change)
    if change(found) != found:
        raise DeviceError(f"{serial} took the change and does not show it")
    return "side", [_row(args.action, found)]


async def _schedule(account: Account, args: Any) -> tuple[str, Rows]:
    try:
        change = None if args.groups is None else with_groups(args.groups)
    except DeviceRefused as error:
        raise Wrong(str(error)) from None
    serial = await account.serial(args.serial)
    if change is None:
        found = await account.steering.plan(serial)
    else:
        found = await account.steering.change_plan(serial, change)
        if found.same != change(found).same:
            raise DeviceError(f"{serial} took the schedule and does not show it")
    groups = () if found is None else found.groups
    return "schedule", [
        {
            "sort": "charge" if each.charge else "discharge",
            "when": periods.shown(each.when),
            "days": weekly.days_text(each.days),
            "power": each.power,
            "level": each.level,
        }
        for each in groups
    ]


# -------------------------------------------------------------------- chargers


async def _ev(account: Account, args: Any) -> tuple[str, Rows]:
    amperes = _amperes(args.value) if args.what == "current" and args.value else None
    serial = await account.serial(args.serial)
    if args.what in {None, "list"}:
        found = decode.chargers(await account.client.chargers(serial))
        return "chargers", [{"charger": each.serial, "model": each.model} for each in found]
    if args.what == "current":
        if amperes is None:
            current = await account.steering.current(serial)
        else:
            current = await account.steering.set_current(serial, amperes)
        return "values", [{"name": "currentsetting", "value": current, "unit": "A"}]
    charger = await account.charger(serial, args.value)
    if args.what == "status":
        status = await account.steering.charger_status(serial, charger)
        row = {"charger": charger, "status": status, "car": decode.vehicle(status)}
        return "status", [row]
    await account.steering.charger(serial, charger, start=args.what == "start")
    word = "started" if args.what == "start" else "stopped"
    return "done", [{"serial": charger, "done": f"it was {word}"}]


def _amperes(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Wrong(f"{text[:20]} is no current in A") from None


ACTIONS: Final = {
    "list": _list,
    "verification-code": _verification_code,
    "bind": _bind,
    "unbind": _unbind,
    "show": _show,
    "summary": _summary,
    "day": _day,
    "energy": _energy,
    "settings": _settings,
    "charge": _change,
    "discharge": _change,
    "schedule": _schedule,
    "ev": _ev,
}
