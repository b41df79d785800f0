"""`heliograph amber …`: sites, prices, usage, renewables and the rate limit of an account."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio

from actors.tariffs.amber.account import VARIABLE, Account, Wrong, account_of
from actors.tariffs.amber.client import STATES, Client
from actors.tariffs.amber.columns import (
    LIMITS,
    PRICES,
    RENEWABLES,
    SITES,
    USAGE,
    interval_rows,
    limit_rows,
    site_rows,
    total_of,
)
from actors.tariffs.amber.download import download
from actors.tariffs.amber.facts import snake
from actors.tariffs.amber.history import market_day
from actors.tariffs.amber.interval import CHANNELS
from actors.tariffs.amber.site import ACTIVE, chosen
from bridge.cli.rows import add_format, printed
from bridge.errors import ConfigError, DeviceError
from bridge.log import configure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from actors.tariffs.amber.interval import Interval

EXIT_FINE: Final = 0
EXIT_FAILED: Final = 1
EXIT_WRONG: Final = 2
_NAMES: Final = {str(snake(channel)): channel for channel in CHANNELS}
_MOST: Final = 2016
_GOODBYE: Final = 0.05


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Declare the commands."""
    parser.description = "What an Amber account can tell: sites, prices, usage and renewables."
    commands = parser.add_subparsers(dest="action", metavar="COMMAND", required=True)
    sites = _command(commands, "sites", "list the sites of the account")
    sites.add_argument("--active", action="store_true", help="only those that are active")
    prices = _command(
        commands,
        "prices",
        "print the prices of now, with those before and after, or those of some days",
        more="Without days: the current interval of each channel. Days are those of the market "
        "(UTC+10 all year), both inclusive, today where one is left out; more than a week is "
        "asked for in pieces.",
    )
    _around(prices)
    usage = _command(
        commands,
        "usage",
        "print what was used and fed in",
        more="Days are those of the market (UTC+10 all year), both inclusive, today where one is "
        "left out. Amber knows a day's usage about a day later. More than a week is asked for in "
        "pieces.",
    )
    renewables = _command(
        commands, "renewables", "print the share of renewables in a state's grid", actor=False
    )
    renewables.add_argument("state", metavar="STATE", choices=STATES, help=", ".join(STATES))
    _around(renewables)
    for each in (prices, usage):
        each.add_argument("--start", type=_day, metavar="DATE", help="such as 2026-11-01")
        each.add_argument("--end", type=_day, metavar="DATE", help="such as 2026-11-30")
        each.add_argument("--site", metavar="ID", help="default: the only active one")
        each.add_argument("--channel", choices=_NAMES, help="only this one")
    for each in (prices, usage, renewables):
        each.add_argument(
            "--resolution",
            type=int,
            choices=(5, 30),
            help="minutes; default: as the site is billed. Amber may answer with others",
        )
    _command(
        commands,
        "limits",
        "print how many requests the account has left",
        more="Asks Amber once, for the sites, because it tells its limits only with an answer.",
    )


def _command(
    commands: Any, name: str, text: str, *, more: str = "", actor: bool = True
) -> argparse.ArgumentParser:
    sentence = f"{text[0].upper()}{text[1:]}. {more}".strip()
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=sentence)
    if actor:
        parser.add_argument("actor", nargs="?", metavar="ACTOR", help="of the configuration")
    parser.add_argument("--config", type=Path, metavar="FILE")
    parser.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help=f"without an actor; else ${VARIABLE}, else the only amber actor, else it is asked for",
    )
    parser.add_argument("--url", metavar="URL", help="base of the service")
    parser.add_argument("--timeout", type=float, default=60.0, metavar="S", help="for one answer")
    parser.add_argument("--timezone", metavar="ZONE", help="of the times in the table")
    add_format(parser)
    return parser


def _around(parser: argparse.ArgumentParser) -> None:
    for name, text in (("previous", "before"), ("next", "after")):
        parser.add_argument(
            f"--{name}",
            type=_count,
            metavar="N",
            help=f"so many intervals {text} the current one (default: 0)",
        )


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no day: write it like 2026-11-20") from None


def _count(text: str) -> int:
    if not text.isdecimal() or not text.isascii() or int(text[:6]) > _MOST:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to {_MOST}")
    return int(text)


# -------------------------------------------------------------------- running


def run(args: argparse.Namespace) -> int:
    """Do one of them; the exit code."""
    configure(level="error")
    actions = {
        "sites": _sites,
        "prices": _prices,
        "usage": _usage,
        "renewables": _renewables,
        "limits": _limits,
    }
    try:
        account = account_of(args, token=args.action != "renewables")
        print(anyio.run(_asked, account, args, actions[args.action]))
    except (Wrong, ConfigError) as error:
        print(error, file=sys.stderr)
        return EXIT_WRONG
    except DeviceError as error:
        print(error, file=sys.stderr)
        return EXIT_FAILED
    return EXIT_FINE


async def _asked(
    account: Account,
    args: argparse.Namespace,
    action: Callable[[Client, Account, argparse.Namespace], Awaitable[str]],
) -> str:
    async with account.client() as client:
        text = await action(client, account, args)
    # A TLS connection says goodbye by itself once it is closed; the loop must not end before.
    await anyio.sleep(_GOODBYE)
    return text


async def _sites(client: Client, _: Account, args: argparse.Namespace) -> str:
    found = await client.sites()
    if args.active:
        found = [site for site in found if site.status == ACTIVE]
    empty = "the account has no site" if not args.active else "the account has no active site"
    return printed(args.format, SITES, site_rows(found), empty=empty)


async def _prices(client: Client, account: Account, args: argparse.Namespace) -> str:
    days = args.start is not None or args.end is not None
    around = args.previous is not None or args.next is not None
    if days and around:
        raise Wrong("--previous and --next are for the prices of now: leave out the days")
    if not days:
        site = await _site(client, account)
        found = await client.current(
            site, before=args.previous or 0, after=args.next or 0, resolution=args.resolution
        )
        return _intervals(args, account, _of(found, args), PRICES, {"site": site})
    start, end = _span(args, client)
    site = await _site(client, account)

    async def ask(first: date, last: date) -> list[Interval]:
        return await client.prices(site, first, last, resolution=args.resolution)

    found = await download(ask, start, end, clock=client.clock, what="prices")
    head = {"site": site, "start": start.isoformat(), "end": end.isoformat()}
    return _intervals(args, account, _of(found, args), PRICES, head)


async def _usage(client: Client, account: Account, args: argparse.Namespace) -> str:
    start, end = _span(args, client)
    site = await _site(client, account)

    async def ask(first: date, last: date) -> list[Interval]:
        return await client.usage(site, first, last, resolution=args.resolution)

    found = _of(await download(ask, start, end, clock=client.clock, what="usage"), args)
    head = {"site": site, "start": start.isoformat(), "end": end.isoformat()}
    empty = "Amber has no usage of that time: it knows it about a day later"
    return _intervals(args, account, found, USAGE, head, total=total_of(found), empty=empty)


async def _renewables(client: Client, account: Account, args: argparse.Namespace) -> str:
    found = await client.renewables(
        args.state, before=args.previous or 0, after=args.next or 0, resolution=args.resolution
    )
    return _intervals(args, account, found, RENEWABLES, {"state": args.state})


async def _limits(client: Client, account: Account, args: argparse.Namespace) -> str:
    await client.sites()
    rows = limit_rows(client.limits, account.zone)
    return printed(args.format, LIMITS, rows, empty="Amber tells nothing of its limits")


# -------------------------------------------------------------------- what they share


async def _site(client: Client, account: Account) -> str:
    if account.site is not None:
        return account.site.upper()
    return chosen(await client.sites(), None).id


def _span(args: argparse.Namespace, client: Client) -> tuple[date, date]:
    today = market_day(client.clock.utc())
    end = args.end or max(today, args.start or today)
    start = args.start or min(today, end)
    if end < start:
        raise Wrong(f"--end {end} is before --start {start}")
    return start, end


def _of(intervals: Iterable[Interval], args: argparse.Namespace) -> list[Interval]:
    wanted = None if args.channel is None else _NAMES[args.channel]
    return [each for each in intervals if wanted in {None, each.channel}]


def _intervals(
    args: argparse.Namespace,
    account: Account,
    found: list[Interval],
    columns: Any,
    head: dict[str, str],
    **more: Any,
) -> str:
    rows = interval_rows(found, account.zone)
    told = {"empty": "Amber has no prices of that time", **more}
    return printed(args.format, columns, rows, head=head, **told)
