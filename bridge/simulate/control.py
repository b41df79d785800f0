"""The tables of docs/control.md: by archetype, and every day by itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from bridge.simulate.scenario import ScenarioError
from bridge.simulate.summary import percent, summarise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bridge.simulate.runner import Played
    from bridge.simulate.summary import Line

BEGIN: Final = "<!-- what `make control` writes begins here -->"
END: Final = "<!-- and ends here -->"
_HEADS: Final = (
    "archetype", "policy", "days", "capture", "even numbers", "odd numbers", "pooled", "worst day",
    "switches", "writes", "import caused", "locks cut", "decide",
)  # fmt: skip
_NUMBER: Final = re.compile(r"[0-9]+\Z")


def between(text: str, new: str) -> str:
    """The text of a file with `new` between its markers. Raises ScenarioError without them."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ScenarioError("docs/control.md lacks its markers")
    return f"{head}{begin}\n\n{new}\n{end}{tail}"


def tables(played: Sequence[Played], whose: str) -> str:
    """Everything between the markers, as Markdown."""
    names = [str(result["policy"]) for result in played[0].results]
    text = f"Played on {whose}: {len(played)} days.\n\n### By archetype\n\n"
    rows = [_line(line, played) for line in summarise(played)]
    text += _markdown(_HEADS, rows) + "\n### Every day\n\n"
    heads = ["day", "bound", *names, *(f"switches of {name}" for name in names)]
    return text + _markdown(heads, map(_day, played))


def number_of(name: str) -> int:
    """The number at the end of a scenario's name; 0 where it has none."""
    found = _NUMBER.search(name)
    return int(found[0]) if found else 0


def _line(line: Line, played: Sequence[Played]) -> list[str]:
    def part(wanted: Callable[[int], bool]) -> str:
        shares = [
            result["metrics"]["capture"]
            for one in played
            for result in one.results
            if (one.archetype, result["policy"]) == (line.archetype, line.policy)
            and wanted(number_of(str(result["scenario"])))
            and result["metrics"]["capture"] is not None
        ]
        return percent(sum(shares) / len(shares) if shares else None)

    worst = f" ({line.worst_day})" if line.worst_day else ""
    return [
        line.archetype,
        f"`{line.policy}`",
        str(line.days),
        percent(line.capture),
        part(lambda number: number % 2 == 0),
        part(lambda number: number % 2 == 1),
        percent(line.pooled),
        percent(line.worst) + worst,
        f"{line.switches:.0f}",
        f"{line.writes:.0f}",
        f"{line.import_caused_kwh:.2f} kWh",
        f"{line.lock_violation_min:.0f} min",
        f"{line.decide_us:.0f} µs",
    ]


def _day(one: Played) -> list[str]:
    metrics: list[dict[str, Any]] = [result["metrics"] for result in one.results]
    bound = "-" if one.gain_reference is None else f"{one.gain_reference:.2f}"
    return [
        str(one.results[0]["scenario"]),
        bound,
        *(percent(each["capture"]) for each in metrics),
        *(str(each["switches"]) for each in metrics),
    ]


def _markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
