"""The tables of docs/control.md: what sharing earned, what it took, and every day by itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bridge.simulate.scenario import ScenarioError
from bridge.simulate.summary import percent, summarise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bridge.simulate.runner import Played
    from bridge.simulate.summary import Line

BEGIN: Final = "<!-- what `make control` writes begins here -->"
BEGIN_FOLDER: Final = "<!-- what `SCENARIOS=folder make control` writes begins here -->"
END: Final = "<!-- and ends here -->"
_EARNED: Final = (
    "archetype", "policy", "days", "capture", "even numbers", "odd numbers", "pooled", "worst day",
)  # fmt: skip
_TOOK: Final = (
    "archetype", "policy", "switches", "changes of phase", "set-points", "most set-points",
    "import caused", "locks cut", "given twice", "decide",
)  # fmt: skip
_NUMBER: Final = re.compile(r"[0-9]+\Z")
_FEW: Final = 4


class Share(NamedTuple):
    """What one policy captured of one day; None without a bound."""

    archetype: str
    values: str
    policy: str
    number: int
    capture: float | None


def between(text: str, new: str, marker: str = BEGIN) -> str:
    """The text of a file with `new` between its markers. Raises ScenarioError without them."""
    head, begin, rest = text.partition(marker)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ScenarioError("the document lacks its markers")
    return f"{head}{begin}\n\n{new}\n{end}{tail}"


def tables(played: Sequence[Played], whose: str, tuned: str) -> str:
    """The tables of all days, as Markdown. `tuned`: a sentence on which of them were looked at."""
    names = [str(result["policy"]) for result in played[0].results]
    lines, shares = summarise(played), list(_shares(played))
    text = f"Played on {whose}: {_days(len(played))}. {tuned}\n\n{_limits(played)}\n"
    text += "\n### What it earned\n\n"
    text += markdown(_EARNED, [_earned(line, shares) for line in lines])
    text += "\n### What it took\n\nMeans of a day, and the most of any.\n\n"
    text += markdown(_TOOK, map(_took, lines))
    text += "\n### By what a kWh is worth\n\nCapture, the mean of the days of a class.\n\n"
    text += markdown(("archetype", "values", "days", *map(_code, names)), _classes(shares, names))
    text += "\n### Every day\n\n"
    heads = ["day", "values", "bound", *map(_code, names)]
    heads += [f"switches of {_code(name)}" for name in names]
    return text + markdown(heads, map(_day, played))


def number_of(name: str) -> int:
    """The number at the end of a scenario's name; 0 where it has none."""
    found = _NUMBER.search(name)
    return int(found[0]) if found else 0


def markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def mean(shares: Iterable[float | None]) -> float | None:
    """The mean of those that are known."""
    known = [share for share in shares if share is not None]
    return sum(known) / len(known) if known else None


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def _code(name: str) -> str:
    return f"`{name}`"


def _shares(played: Iterable[Played]) -> Iterable[Share]:
    for one in played:
        for result in one.results:
            number = number_of(str(result["scenario"]))
            capture = result["metrics"]["capture"]
            yield Share(one.archetype, one.values, str(result["policy"]), number, capture)


def _limits(played: Sequence[Played]) -> str:
    """What no rule may exceed, said of the first policy."""
    name = str(played[0].results[0]["policy"])
    few = [
        (int(one.results[0]["metrics"]["setpoint_writes"]), str(one.results[0]["scenario"]))
        for one in played
        if one.consumers <= _FEW
    ]
    cut = sum(one.results[0]["metrics"]["lock_violation_min"] for one in played)
    text = f"`{name}` cut {cut:.0f} min of minimum times"
    if few:
        most, day = max(few, key=lambda found: found[0])
        text += f"; with up to four consumers it sent at most {most} set-points a day ({day})"
    return text + "."


def _earned(line: Line, shares: Iterable[Share]) -> list[str]:
    found = [one for one in shares if (one.archetype, one.policy) == (line.archetype, line.policy)]

    def part(odd: int) -> str:
        return percent(mean(one.capture for one in found if one.number % 2 == odd))

    worst = f" ({line.worst_day})" if line.worst_day else ""
    return [
        line.archetype,
        _code(line.policy),
        str(line.days),
        percent(line.capture),
        part(0),
        part(1),
        percent(line.pooled),
        percent(line.worst) + worst,
    ]


def _took(line: Line) -> list[str]:
    return [
        line.archetype,
        _code(line.policy),
        f"{line.switches:.0f}",
        f"{line.phase_switches:.0f}",
        f"{line.writes:.0f}",
        f"{line.most_writes} ({line.most_writes_day})",
        f"{line.import_caused_kwh:.2f} kWh",
        f"{line.lock_violation_min:.0f} min",
        f"{line.twice_w:.0f} W",
        f"{line.decide_us:.0f} µs",
    ]


def _classes(shares: Sequence[Share], names: Sequence[str]) -> Iterable[list[str]]:
    """A row for each archetype and class of values, then one for each class over all of them."""
    values = sorted({one.values for one in shares})
    archetypes = list(dict.fromkeys(one.archetype for one in shares))

    def row(head: str, value: str, among: set[str]) -> Iterable[list[str]]:
        found = [one for one in shares if one.values == value and one.archetype in among]
        if found:
            days = sum(one.policy == names[0] for one in found)
            captures = (mean(o.capture for o in found if o.policy == name) for name in names)
            yield [head, value or "-", str(days), *map(percent, captures)]

    for archetype in archetypes:
        for value in values:
            yield from row(archetype, value, {archetype})
    for value in values:
        yield from row("all", value, set(archetypes))


def _day(one: Played) -> list[str]:
    metrics: list[dict[str, Any]] = [result["metrics"] for result in one.results]
    bound = "-" if one.gain_reference is None else f"{one.gain_reference:.2f}"
    return [
        str(one.results[0]["scenario"]),
        one.values or "-",
        bound,
        *(percent(each["capture"]) for each in metrics),
        *(str(each["switches"]) for each in metrics),
    ]


# ---------------------------------------------------------------- each idea left out


def pick(names: Sequence[str], count: int) -> list[str]:
    """So many of the names, spread evenly; all when there are fewer."""
    total = len(names)
    if count >= total:
        return list(names)
    return [names[(2 * place + 1) * total // (2 * count)] for place in range(count)]


def ablation(whole: Sequence[Played], lacking: Sequence[Played], ideas: Mapping[str, str]) -> str:
    """What each idea brings: by how much capture and switches change without it.

    `whole`: the days with our policy first; `lacking`: the same days with one result for each idea
    (in any number of parts); `ideas`: by policy, what happens without it.
    """
    days = sorted({str(result["scenario"]) for one in lacking for result in one.results})
    base = [one for one in whole if str(one.results[0]["scenario"]) in set(days)]
    ours = str(base[0].results[0]["policy"])
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for one in base:
        found.setdefault((ours, one.archetype), []).append(one.results[0]["metrics"])
    for one in lacking:
        for result in one.results:
            key = str(result["policy"]), one.archetype
            found.setdefault(key, []).append(result["metrics"])
    archetypes = list(dict.fromkeys(one.archetype for one in base))
    text = "\n### Each idea left out\n\n"
    text += f"Played on {_days(len(days))}: {', '.join(days)}. The first row is `{ours}` as it is, "
    text += "the others say by how much that changes when one idea is left out.\n\n"
    rows = [(ours, _code(ours))]
    rows += [(name, f"{_code(name.removeprefix(f'{ours}-'))}: {ideas[name]}") for name in ideas]
    captures = _Grid(found, archetypes, "capture", lambda value: f"{100 * value:.1f}")
    switches = _Grid(found, archetypes, "switches", lambda value: f"{value:.0f}")
    writes = _Grid(found, archetypes, "setpoint_writes", lambda value: f"{value:.0f}")
    for what, grid in (
        ("Capture, in %", captures),
        ("Switches a day", switches),
        ("Set-points a day", writes),
    ):
        text += f"{what}:\n\n"
        text += markdown(
            ["", *archetypes, "mean"], [[head, *grid.row(name, ours)] for name, head in rows]
        )
        text += "\n"
        rows = [(name, head.partition(":")[0]) for name, head in rows]
    return text.rstrip("\n") + "\n"


class _Grid:
    """One metric by policy and archetype."""

    def __init__(
        self,
        found: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]],
        archetypes: Sequence[str],
        metric: str,
        show: Callable[[float], str],
    ) -> None:
        self._means = {key: mean(one[metric] for one in each) for key, each in found.items()}
        self._archetypes, self._show = archetypes, show

    def row(self, policy: str, ours: str) -> list[str]:
        """Figures of our policy; of another one the differences to it."""
        values = [self._of(policy, archetype) for archetype in self._archetypes]
        values.append(mean(values))
        if policy == ours:
            return ["-" if value is None else self._show(value) for value in values]
        base = [self._of(ours, archetype) for archetype in self._archetypes]
        base.append(mean(base))
        pairs = zip(values, base, strict=True)
        return ["-" if a is None or b is None else self._signed(a - b) for a, b in pairs]

    def _of(self, policy: str, archetype: str) -> float | None:
        return self._means.get((policy, archetype))

    def _signed(self, change: float) -> str:
        text = self._show(abs(change))
        if not float(text):
            return "0"
        return f"{'+' if change > 0 else '-'}{text}"
