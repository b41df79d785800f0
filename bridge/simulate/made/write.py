"""The made scenarios as a folder: a file and a day for each, and their bounds."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import msgspec

from bridge.simulate.bounds import NAME
from bridge.simulate.clairvoyant.bound import upper_bound
from bridge.simulate.made.houses import ARCHETYPES, make
from bridge.simulate.weather import make_weather

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from bridge.simulate.day import Day


def write_set(folder: Path, seeds: Iterable[int]) -> Iterator[str]:
    """Write every archetype with every number; yields the name of each that is done."""
    folder.mkdir(parents=True, exist_ok=True)
    bounds: dict[str, dict[str, float]] = {}
    seeds = list(seeds)
    for name in ARCHETYPES:
        for seed in seeds:
            scenario, day = make(name, seed)
            (folder / f"{scenario.id}.json").write_bytes(
                msgspec.json.format(msgspec.json.encode(scenario), indent=1)
            )
            write_day(folder / scenario.day_csv, day)
            bound = upper_bound(scenario, make_weather(scenario, day))
            if bound is not None:
                bounds[scenario.id] = {"gain_upper": bound, "gain_reference": bound}
            yield scenario.id
    (folder / NAME).write_text(json.dumps(bounds, indent=1), encoding="utf-8")


def write_day(path: Path, day: Day) -> None:
    """One row for each minute."""
    with path.open("w", newline="", encoding="utf-8") as text:
        writer = csv.writer(text)
        writer.writerow(["pv_w", "load_w", "import_price", "export_price"])
        writer.writerows(zip(day.pv_w, day.load_w, day.import_price, day.export_price, strict=True))
