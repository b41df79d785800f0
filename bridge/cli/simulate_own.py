"""`heliograph simulate --days`: an owner's own house over recorded days."""

from __future__ import annotations

import argparse
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bridge.simulate.case import Case

_PRICES: Final = (0.30, 0.08)
_KILO: Final = 1000.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what goes with `--days`."""
    own = parser.add_argument_group("your own house")
    own.add_argument(
        "--config", type=Path, metavar="FILE", help="its configuration, as for other commands"
    )
    own.add_argument(
        "--days", nargs="+", type=Path, default=[], metavar="CSV", help="recorded days, or folders"
    )
    own.add_argument(
        "--battery", type=pair, metavar="KWH:KW", help="how large its battery is, such as 10:5"
    )
    own.add_argument(
        "--prices",
        type=pair,
        metavar="IMPORT:EXPORT",
        help="per kWh, where the days have none (default: {}:{})".format(*_PRICES),
    )
    own.add_argument(
        "--need",
        nargs="+",
        type=need,
        action="extend",
        default=[],
        metavar="ID=KWH",
        help="what a consumer needs in a day (default: all that it gets)",
    )
    own.add_argument(
        "--timezone", metavar="NAME", help="where a day begins (default: this computer's)"
    )


def pair(text: str) -> tuple[float, float]:
    """Two numbers with a colon between them."""
    first, colon, second = text.partition(":")
    try:
        if colon and math.isfinite(float(first)) and math.isfinite(float(second)):
            return float(first), float(second)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not two numbers with a colon, such as 10:5")


def need(text: str) -> tuple[str, float]:
    """A consumer's id and its kWh."""
    name, equals, amount = text.rpartition("=")
    try:
        if equals and name and 0 < float(amount) < math.inf:
            return name, float(amount) * _KILO
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not a consumer and its kWh, such as pool=4")


def refuse(args: argparse.Namespace) -> None:
    """Raises ScenarioError for what says something of a house that is not played."""
    from bridge.simulate.scenario import ScenarioError

    names = ("config", "battery", "prices", "need", "timezone")
    if said := [f"--{name}" for name in names if getattr(args, name)]:
        raise ScenarioError(f"{', '.join(said)}: only with --days, a scenario says all that itself")


def cases(args: argparse.Namespace) -> tuple[list[Case], list[str]]:
    """What is to be played, and what an owner must know about it. Raises HeliographError."""
    from bridge.config import config_path, load_config
    from bridge.curve.days import zone_of
    from bridge.simulate.history import csv_files, read_history
    from bridge.simulate.own_days import cut
    from bridge.simulate.own_house import Wishes, own_cases, unheard
    from bridge.simulate.policy import find_policy
    from bridge.simulate.scenario import ScenarioError

    if not args.days:
        raise ScenarioError("there is nothing to play: give --scenario FILE, or --days CSV")
    if args.scenario:
        raise ScenarioError("--scenario and --days are two houses: give one of them")
    zone = zone_of(args.timezone)
    config = load_config(config_path(args.config, os.environ))
    history = read_history(csv_files(args.days), zone)
    prices = args.prices or _PRICES
    days, notes = cut(history, prices, zone)
    if not days:
        raise ScenarioError("\n".join(["no day can be played", *notes]))
    battery = None if args.battery is None else (args.battery[0] * _KILO, args.battery[1] * _KILO)
    if battery is not None and min(battery) <= 0:
        raise ScenarioError("--battery: capacity and power must be above 0")
    found, more = own_cases(config, days, Wishes(battery, dict(args.need)))
    if not any({"import", "export"} <= set(values) for values in history.values()):
        notes.append("the days have no prices: {:g} for import, {:g} for export".format(*prices))
    if not getattr(find_policy(args.policy), "hears_owner", False):
        said = unheard(found)
        if said:
            notes.append(f"{args.policy} does not hear {', '.join(said)}: played without")
    return found, notes + more
