"""Plays a text of (time, what happens) and (time, expectation) lines against the real core.

    == what the play shows                     a new play
    plan min_on=60 phases=3 low_price=on       the owner's choices that differ
    charger possible=1 volts=235 phases=1      what the charger is like
    car phases=1 max_current=10 soc=79         what the car is like
    0     plug soc=40 | unplug | car max_current=16
    0     allow 3680 | allow silent            repeated every 10 s; 0 W at first
    0     distributor off | on
    0     press on | off | neutral             a person at the charger, or it forgets
    0     lend enable=on current=10 phases=3   the controls; `enable=` ends the lease
    0     release                              an empty word on ChargeEnable
    0     set mode=default price=0.1 price_limit=0.2 fault=… most=10 deaf=on stuck=on
    0     silent | back                        the charger does not answer | it does again
    0     choose phases=1                      the owner changes the settings
    9     => charging on amps=6 phases=1 power=1380 request=3680 minimum=1380 step=230
    9     => waiting off "the very sentence"   words without `=`: on | off | hands | back | manual

One tick is one second; the car follows as the simulated one does.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bridge.charging.model import Owner
from tests.charging.rig import Rig

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
        self.rig = Rig()
        self.allowed: float | None = 0.0
        self.allowed_at = 0.0

    def play(self, text: str) -> None:
        first, *words = shlex.split(text)
        if first in {"plan", "charger", "car"}:
            self.prepare(first, words)
            return
        self.run_until(float(first))
        if words[0] == "=>":
            self.expect(words[1:])
        else:
            self.do(words[0], words[1:])
            if not self.rig.silent and self.rig.now:
                self.rig.reading = self.rig.charger.reading()
                self.rig.read_at = self.rig.now

    def prepare(self, what: str, words: list[str]) -> None:
        given = pairs(words)
        if what == "plan":
            if "manual_modes" in given:
                given["manual_modes"] = frozenset({given["manual_modes"]})
            self.rig.change(**given)
        elif what == "charger":
            if "possible" in given:
                given["possible"] = frozenset({int(given["possible"])})
            self.rig.charger = replace(self.rig.charger, **given)
        else:
            self.rig.charger.car = replace(self.rig.charger.car, **given)

    def run_until(self, until: float) -> None:
        assert until >= self.rig.now
        while self.rig.now < until:
            if self.allowed is not None and self.rig.now >= self.allowed_at:
                self.rig.allow(self.allowed)
                self.allowed_at = self.rig.now + 10
            self.rig.tick()

    def do(self, verb: str, words: list[str]) -> None:
        rig = self.rig
        match verb:
            case "allow":
                self.allowed = None if words == ["silent"] else float(words[0])
                self.allowed_at = rig.now
            case "distributor":
                rig.distributor = WORDS[words[0]]
            case "silent" | "back":
                rig.silent = verb == "silent"
            case "choose":
                rig.change(**pairs(words))
            case "release":
                rig.released = True
            case "lend":
                self.lend(pairs(words))
            case _:
                self.at_the_charger(verb, words)

    def at_the_charger(self, verb: str, words: list[str]) -> None:
        charger = self.rig.charger
        match verb:
            case "plug":
                charger.car.plug(**pairs(words))
            case "unplug":
                charger.car.unplug()
            case "car":
                for name, given in pairs(words).items():
                    setattr(charger.car, name, given)
            case "press":
                charger.forced = words[0]  # type: ignore[assignment]
            case "set":
                for name, given in pairs(words).items():
                    setattr(charger, name, given)
            case _:
                raise AssertionError(f"nobody knows what {verb} means")

    def lend(self, given: dict[str, Any]) -> None:
        self.rig.released = given.get("enable", ...) is None
        self.rig.owner = replace(self.rig.owner, **given)
        assert isinstance(self.rig.owner, Owner)

    def expect(self, words: list[str]) -> None:
        rig, decision = self.rig, self.rig.decision
        assert decision is not None
        code, *rest = words
        assert decision.code == code, decision
        wish = decision.wish
        state = "hands" if wish is None else {None: "back", True: "on", False: "off"}[wish.on]
        found = {
            "amps": rig.state.amps,
            "phases": rig.charger.phases,
            "asked": wish.phases if wish else None,
            "power": rig.charger.power,
            "force": rig.charger.forced,
            "switches": rig.charger.switches,
            "request": decision.request.request,
            "minimum": decision.request.minimum,
            "step": decision.request.step,
            "automatic": decision.request.automatic,
            "min_off": decision.request.min_off,
            "start_delay": decision.request.start_delay,
            "consumption": decision.request.consumption,
            "by_hand": decision.by_hand,
            "note": decision.request.note,
            "rest": decision.rest,
        }
        for word in rest:
            name, equals, text = word.partition("=")
            if equals and name in found:
                wanted = text if name == "force" else value(text)
                assert found[name] == wanted, f"{name} is {found[name]}, not {text}; {decision}"
            elif word in {"on", "off", "hands", "back"}:
                assert state == word, decision
            else:
                assert decision.sentence == word
