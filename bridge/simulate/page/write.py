"""The page: an overview first, then every day with its comparison, curves and reasons."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bridge.simulate.scenario import ScenarioError
from bridge.simulate.summary import HEADS, cells, summarise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bridge.simulate.runner import Played

_HERE: Final = Path(__file__).parent
_HEADS: Final = (
    "policy", "capture", "gain", "switches", "writes", "import caused", "self-consumption",
    "delivered",
)  # fmt: skip
_LEGEND: Final = (
    ("pv", "PV"), ("load", "ordinary load"), ("draw", "drawn by the consumers"),
    ("allow", "allowed to them"), ("grid", "grid (above 0: bought)"),
    ("battery", "battery (above the line: it gives)"), ("soc", "its charge, 0 to 100 %"),
)  # fmt: skip
_WORDS: Final = (
    "Gain: money more than in the same house when all its consumers stay off, in the currency of "
    "its prices. Capture: its share of what somebody who knew the whole day could have gained. "
    "Switches: on and off together. Writes: set-points sent. Locks: minutes of minimum on and off "
    "times that were cut. Times are those of the house."
)
# Days beyond so many are folded: a phone draws a few at once, and an overview is read first.
_OPEN: Final = 1


def write_page(path: Path, played: Sequence[Played], notes: Sequence[str] = ()) -> None:
    """Write it. Raises ScenarioError."""
    try:
        path.write_text("".join(page(played, notes)), encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"{path} cannot be written: {error.strerror}") from error


def page(played: Sequence[Played], notes: Sequence[str] = ()) -> Iterator[str]:
    """The text of the page in parts."""
    days = "one simulated day" if len(played) == 1 else f"{len(played)} simulated days"
    yield (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Heliograph: {days}</title>\n<style>\n{_asset('page.css')}</style></head><body>\n"
        f"<h1>{days[0].upper()}{days[1:]}</h1>"
    )
    yield _won(played)
    for note in notes:
        yield f'<p class="soft">{escape(note)}</p>\n'
    yield f'<p class="soft">{_WORDS}</p>\n'
    if len(played) > 1:
        yield "<h2>By archetype</h2>"
        yield _table(HEADS, ([escape(text) for text in cells(one)] for one in summarise(played)))
        yield "<h2>By day</h2>"
        yield _table(("day", *_HEADS[1:-1], "others"), map(_overview, played))
        yield "<h2>Each day</h2>"
    for number, one in enumerate(played):
        yield from _day(one, opened=number < _OPEN, alone=len(played) == 1)
    yield f"<script>\n{_asset('page.js')}</script></body></html>\n"


def _won(played: Sequence[Played]) -> str:
    """One sentence: what each policy gained, and with how many switches."""
    parts = []
    for place, first in enumerate(played[0].results):
        each = [one.results[place]["metrics"] for one in played]
        gained = sum(one["net_value"] - one["net_value_do_nothing"] for one in each)
        bounds = [one.gain_reference for one in played]
        possible = sum(bound for bound in bounds if bound is not None)
        known = possible > 0 and None not in bounds
        share = f" ({100 * gained / possible:.0f} % of what was possible)" if known else ""
        switches = sum(one["switches"] for one in each)
        parts.append(
            f"<b>{escape(str(first['policy']))}</b> gained {gained:.2f}{share} "
            f"with {switches} {'switch' if switches == 1 else 'switches'}"
        )
    return f'<p class="won">{", ".join(parts)}.</p>\n'


def _asset(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _table(heads: Iterable[str], rows: Iterable[Sequence[str]], *, main: bool = False) -> str:
    text = ['<div class="scroll"><table><tr>', *(f"<th>{escape(head)}</th>" for head in heads)]
    for number, row in enumerate(rows):
        kind = ' class="main"' if main and not number else ""
        text += [f"</tr><tr{kind}>", *(f"<td>{cell}</td>" for cell in row)]
    return "".join(text) + "</tr></table></div>\n"


def _overview(one: Played) -> list[str]:
    first, *others = one.results
    name = escape(str(first["scenario"]))
    rest = " · ".join(f"{escape(str(each['policy']))} {_best(each['metrics'])}" for each in others)
    return [f'<a href="#{name}">{name}</a>', *_figures(first["metrics"]), rest or "-"]


def _best(metrics: dict[str, Any]) -> str:
    share = metrics["capture"]
    return _gain(metrics) if share is None else f"{100 * share:.0f} %"


def _gain(metrics: dict[str, Any]) -> str:
    return f"{metrics['net_value'] - metrics['net_value_do_nothing']:.2f}"


def _figures(metrics: dict[str, Any]) -> list[str]:
    share = metrics["capture"]
    if share is None:
        capture = "-"
    else:
        wide = 100 * max(0.0, min(1.0, share))
        bar = f'<span class="bar"><i style="width:{wide:.0f}%"></i></span>'
        capture = f'{bar}<span class="num">{100 * share:.1f} %</span>'
    return [
        capture,
        _gain(metrics),
        str(metrics["switches"]),
        str(metrics["setpoint_writes"]),
        f"{metrics['import_caused_kwh']:.2f} kWh",
        f"{100 * metrics['self_consumption']:.0f} %",
    ]


def _compared(result: dict[str, Any]) -> list[str]:
    metrics = result["metrics"]
    missing = metrics["lock_violation_min"]
    name = escape(str(result["policy"]))
    if missing:
        name += f' <small class="bad">cuts {missing:.0f} min of minimum times</small>'
    total = sum(metrics["delivered_kwh"].values())
    return [name, *_figures(metrics), f"{total:.1f} kWh"]


def _day(one: Played, *, opened: bool, alone: bool) -> Iterator[str]:
    first = one.results[0]
    name = escape(str(first["scenario"]))
    metrics = first["metrics"]
    won = "gained" if metrics["capture"] is None else "captured"
    yield (
        f'<details class="day" id="{name}"{" open" if opened else ""}><summary>{name}<span>'
        f"PV {metrics['pv_kwh']:.1f} kWh · load {metrics['load_kwh']:.1f} kWh · "
        f"{_best(metrics)} {won} · {metrics['switches']} switches</span></summary>"
        '<div class="inner">\n'
    )
    if not alone:
        yield _won([one])
    yield _table(_HEADS, map(_compared, one.results), main=True)
    if one.picture is not None:
        yield _curves(one.picture)
    yield "</div></details>\n"


def _curves(picture: dict[str, Any]) -> str:
    # "</" would end the script that holds the figures.
    figures = json.dumps(picture, separators=(",", ":")).replace("</", "<\\/")
    buttons = [
        f'<button value="{number}" aria-pressed="{"false" if number else "true"}">'
        f"{escape(str(run['policy']))}</button>"
        for number, run in enumerate(picture["runs"])
    ]
    legend = [
        f'<span><i style="background:var(--{name})"></i>{word}</span>'
        for name, word in _LEGEND
        if picture["battery"] or name not in {"battery", "soc"}
    ]
    return (
        f'<div class="pick">{"".join(buttons)}</div><div class="legend">{"".join(legend)}</div>'
        '<div><canvas aria-label="curves of the day"></canvas></div><div class="now">'
        '<span class="soft">Point at a moment to read it, and the reasons.</span></div>'
        '<details><summary>Reasons</summary><div class="why"></div></details>'
        f'<script type="application/json">{figures}</script>\n'
    )
