"""Plays a text of (time, input) and (time, expectation) lines against the real core.

    == what the play shows                     a new play; a fresh distributor
    settings reservation="5000-40*SOC"         also interval, request_ttl, settle, reaction
    owner pool max=500 min_on=60               a rule of the configuration
    0     meter -6200                          one balance: grid W, then pv=, battery=, soc=, why=
    0     meter -6200 every second             the same balance again, until told otherwise
    0     meter silent                         no more balances
    0     pool Request=2000 IsAutomatic=on     live fields; `Request=` clears the field
    0     retained pool Request=2000           the same, delivered with the retain flag
    0     override pool Priority=5             the owner's word; `Priority=` takes it back
    0     pause on | hold REASON | hold | inherit pool 1500 | forget pool | stop | restart
    0.1   => pool 2000 all of 2000 W granted   its allowance and, where given, its reason
    0.1   => surplus 6200                      a figure of the site, or `unknown`
    0.1   => pool gone | pool unknown          its outputs are removed now | it has no verdict yet
    0.1   => wake 5.1

Between the lines the distributor decides whenever it asked to be woken.
"""

from __future__ import annotations

import math
import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from actors.distributor.core import Balance, ConsumerRule, CoreSettings, Decision, Distributor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORDS = {"on": True, "off": False}


@dataclass
class Play:
    file: str
    title: str
    lines: list[tuple[int, str]] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.file}: {self.title}"


def plays(folder: Path) -> Iterator[Play]:
    for path in sorted(folder.glob("*.txt")):
        play: Play | None = None
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            text = line.split(" #")[0].strip()
            if text.startswith("== "):
                if play:
                    yield play
                play = Play(path.stem, text[3:])
            elif text and not text.startswith("#"):
                assert play is not None, f"{path.name}:{number}: a line before the first play"
                play.lines.append((number, text))
        if play:
            yield play


def value(text: str) -> Any:
    if not text:
        return None
    if text in WORDS:
        return WORDS[text]
    try:
        return float(text)
    except ValueError:
        return text


def pairs(words: list[str]) -> dict[str, Any]:
    return {name: value(text) for name, _, text in (word.partition("=") for word in words)}


class Stage:
    """One play under way."""

    def __init__(self) -> None:
        self.settings: dict[str, Any] = {}
        self.owner: dict[str, ConsumerRule] = {}
        self.now = 0.0
        self.core: Distributor | None = None
        self.decision = Decision()
        self.wake: float | None = None
        self.beat: tuple[Balance, float] | None = None  # the repeated balance and its next time
        self.gone: list[str] = []

    def distributor(self) -> Distributor:
        if self.core is None:
            given = {"strategy": "surplus", **self.settings}
            reaction = given.pop("reaction", 0.0)
            self.core = Distributor(CoreSettings(**given), self.owner, reaction=reaction)
        return self.core

    def decide(self) -> None:
        self.decision = self.distributor().decide(self.now)
        self.gone += self.decision.gone
        self.wake = self.decision.wake
        assert self.wake is None or self.wake > self.now

    def run_until(self, until: float) -> None:
        while True:
            beat_at = self.beat[1] if self.beat else math.inf
            at = min(beat_at, math.inf if self.wake is None else self.wake)
            if at > until:
                break
            self.now = at
            if self.beat and at == beat_at:
                self.beat = (self.beat[0], at + 1)
                self.distributor().balance(self.beat[0], at)
            self.decide()
        self.now = until

    def play(self, text: str) -> None:
        first, _, rest = text.partition(" ")
        if first == "settings":
            self.settings |= pairs(shlex.split(rest))
        elif first == "owner":
            name, *words = shlex.split(rest)
            self.owner[name] = ConsumerRule(**pairs(words))
        else:
            self.run_until(float(first))
            if rest.strip().startswith("=>"):
                self.expect(rest.strip()[2:].strip())
            else:
                self.gone.clear()
                self.do(rest.strip())
                self.decide()

    def do(self, text: str) -> None:
        verb, *words = shlex.split(text)
        core = self.distributor()
        match verb:
            case "meter":
                self.meter(words)
            case "retained":
                core.request(words[0], pairs(words[1:]), self.now, retained=True)
            case "inherit":
                core.inherit(words[0], float(words[1]), self.now)
            case "restart":
                kept = core.export()
                self.core = None
                self.distributor().restore(kept, self.now)
            case "override" | "pause" | "hold" | "forget" | "stop":
                self.do_for_the_owner(verb, words)
            case _:
                core.request(verb, pairs(words), self.now)

    def do_for_the_owner(self, verb: str, words: list[str]) -> None:
        core = self.distributor()
        match verb:
            case "override":
                for name, word in pairs(words[1:]).items():
                    core.override(words[0], name, word)
            case "pause":
                core.pause(words == ["on"])
            case "hold":
                core.hold(" ".join(words) or None, self.now)
            case "forget":
                core.forget(words[0])
            case "stop":
                core.stop()

    def meter(self, words: list[str]) -> None:
        self.beat = None
        if words == ["silent"]:
            return
        grid, *rest = words
        often = rest[-2:] == ["every", "second"]
        given = pairs(rest[:-2] if often else rest)
        balance = Balance(
            None if grid == "unknown" else float(grid),
            given.get("pv"),
            given.get("battery"),
            given.get("soc"),
            pv_metered="pv" in given,
            battery_present="battery" in given or "soc" in given,
            why=given.get("why"),
        )
        if often:
            self.beat = (balance, self.now + 1)
        self.distributor().balance(balance, self.now)

    def expect(self, text: str) -> None:
        name, _, rest = text.partition(" ")
        wanted, _, reason = rest.strip().partition(" ")
        if name == "wake":
            assert self.wake == (None if wanted == "never" else float(wanted))
        elif name in self.decision.site.__struct_fields__:
            found = getattr(self.decision.site, name)
            assert found == (None if wanted == "unknown" else float(wanted))
        elif wanted == "gone":
            assert name in self.gone
            assert name not in self.decision.allowances
        elif wanted == "unknown":
            assert name not in self.decision.allowances
        elif wanted == "energy":
            assert round(self.distributor().energies()[name], 4) == float(reason)
        else:
            verdict = self.decision.allowances[name]
            assert re.fullmatch(r"[a-z_]+", verdict.code)
            assert (verdict.allowance, verdict.reason if reason else "") == (
                float(wanted),
                reason.strip(),
            )
