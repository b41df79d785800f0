"""A trace read back into one value for each second."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_SITE = ("pv_w", "load_w", "grid_w", "battery_w", "soc_percent")


@dataclass(slots=True)
class Trace:
    """Series by second: `site` by field name, `allowed` and `drawn` by consumer. W and %."""

    scenario: str = ""
    site: dict[str, list[float]] = field(default_factory=dict)
    allowed: dict[str, list[float]] = field(default_factory=dict)
    drawn: dict[str, list[float]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read_trace(lines: Iterable[str], consumers: Iterable[str], seconds: int) -> Trace:
    """Every second of the run; a second or a field left out repeats the one before."""
    trace = Trace(
        site={name: [] for name in _SITE},
        allowed={name: [] for name in consumers},
        drawn={name: [] for name in consumers},
    )
    now = dict.fromkeys(_SITE, 0.0)
    allowed, drawn = dict.fromkeys(trace.allowed, 0.0), dict.fromkeys(trace.drawn, 0.0)
    filled, last = 0, -1

    def fill(until: int) -> None:
        nonlocal filled
        for store, values in ((trace.site, now), (trace.allowed, allowed), (trace.drawn, drawn)):
            for name, value in values.items():
                store[name] += [value] * (until - filled)
        filled = until

    for line in lines:
        entry: dict[str, Any] = json.loads(line)
        if entry["kind"] == "head":
            trace.scenario = entry["scenario"]
        if entry["kind"] != "second":
            continue
        if not last < entry["t"] < seconds:
            trace.problems.append(f"second {entry['t']} is out of order or beyond the run")
            continue
        last = entry["t"]
        fill(entry["t"])
        now.update({name: entry[name] for name in _SITE if name in entry})
        for store, key in ((allowed, "allow_w"), (drawn, "draw_w")):
            strange = entry.get(key, {}).keys() - store.keys()
            trace.problems += [f"nobody is called {name!r}" for name in sorted(strange)]
            store.update({k: v for k, v in entry.get(key, {}).items() if k in store})
    fill(seconds)
    return trace
