"""The made scenarios as a folder: a file and a day for each, and their bounds."""

from __future__ import annotations

import csv
import json
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from bridge.simulate.bounds import NAME
from bridge.simulate.clairvoyant.bound import upper_bound
from bridge.simulate.made.houses import ARCHETYPES, make
from bridge.simulate.weather import make_weather

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from bridge.simulate.day import Day


def write_set(
    folder: Path, seeds: Iterable[int], spread: Callable[[Any, Any], Iterable[Any]] = map
) -> Iterator[str]:
    """Write every archetype with every number; yields the name of each that is done.

    `spread` does the work of `map`, perhaps with several processes; the bounds take the time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    bounds: dict[str, dict[str, float]] = {}
    wanted = [(name, seed) for seed in seeds for name in ARCHETYPES]
    for name, bound in spread(partial(write_one, folder), sorted(wanted)):
        if bound is not None:
            bounds[name] = {"gain_upper": bound, "gain_reference": bound}
        yield name
    (folder / NAME).write_text(json.dumps(bounds, indent=1), encoding="utf-8")


def write_one(folder: Path, wanted: tuple[str, int]) -> tuple[str, float | None]:
    """Write the scenario of an archetype and a number, and its day; its name and its bound."""
    scenario, day = make(*wanted)
    (folder / f"{scenario.id}.json").write_bytes(
        msgspec.json.format(msgspec.json.encode(scenario), indent=1)
    )
    write_day(folder / scenario.day_csv, day)
    return scenario.id, upper_bound(scenario, make_weather(scenario, day))


def write_day(path: Path, day: Day) -> None:
    """One row for each minute."""
    with path.open("w", newline="", encoding="utf-8") as text:
        writer = csv.writer(text)
        writer.writerow(["pv_w", "load_w", "import_price", "export_price"])
        writer.writerows(zip(day.pv_w, day.load_w, day.import_price, day.export_price, strict=True))
