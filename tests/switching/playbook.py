"""Plays a text of (time, what happens) and (time, expectation) lines against the real shell.

    == what the play shows                      a new play; the bridge starts with its first second
    plan min_off=60 hold=900                    the owner's choices that differ
    relay timer=none power=1900 on=yes          what the device is like
    journal held=yes by_hand=on                 what the life before has noted
    owner min_off=20                            a rule of the configuration
    0     allow 2000 | allow silent             repeated every 10 s; 0 W at first
    0     distributor off | on
    0     press                                 a person presses its button
    0     Switch on | off | empty               the control; what it answered is in `result`
    0     owner on | off                        the owner's word on IsAutomatic
    0     set away=yes mute=no stubborn=yes blind=yes power=50
    0     kill | start | stop
    0     clock -7200                           the wall clock is put on or back
    9     => waiting off request=2000 automatic=yes consumption=0 writes=3 "the very sentence"

Words without `=`: on and off are what the relay is. Numbers are W and s; yes, no and none.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bridge.config.settings import ConsumerSettings
from bridge.errors import DeviceError
from tests.switching.rig import Rig

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORDS = {"yes": True, "no": False, "none": None, "on": True, "off": False, "empty": None}


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
    return WORDS[text] if text in WORDS else float(text)


def pairs(words: list[str]) -> dict[str, Any]:
    return {name: value(text) for name, _, text in (word.partition("=") for word in words)}


class Stage:
    """One play under way."""

    def __init__(self) -> None:
        self.rig = Rig()
        self.begun = False
        self.result: str = ""

    async def play(self, text: str) -> None:
        first, *words = shlex.split(text)
        if first in {"plan", "relay", "journal"} or (first == "owner" and "=" in text):
            self.prepare(first, words)
            return
        if not self.begun:
            self.begun = True
            self.rig.start()
        until = float(first)
        assert until >= self.rig.now
        while self.rig.now < until:
            await self.rig.tick()
        if words[0] == "=>":
            self.expect(words[1:])
        else:
            await self.do(words[0], words[1:])

    def prepare(self, what: str, words: list[str]) -> None:
        if what == "plan":
            self.rig.plan = replace(self.rig.plan, **pairs(words))
        elif what == "relay":
            self.set(words)
        elif what == "owner":
            self.rig.rule = ConsumerSettings(**pairs(words))
        else:
            found = dict(word.split("=") for word in words)
            noted = {"held": found.get("held") == "yes", "by_hand": found.get("by_hand")}
            self.rig.memory.save("switching", noted)

    def set(self, words: list[str]) -> None:
        for name, given in pairs(words).items():
            assert hasattr(self.rig.relay, name), name
            setattr(self.rig.relay, name, given)

    async def do(self, verb: str, words: list[str]) -> None:
        rig = self.rig
        match verb:
            case "allow":
                rig.allow(None if words == ["silent"] else float(words[0]))
            case "distributor":
                rig.tell_distributor(online=WORDS[words[0]] is True)
            case "press":
                rig.relay.press()
            case "owner":
                rig.owner(WORDS[words[0]])
            case "Switch":
                try:
                    self.result = str(await rig.control(WORDS[words[0]])).lower()
                except DeviceError as error:
                    self.result = str(error)
            case "set":
                self.set(words)
            case "clock":
                rig.clock.astray += float(words[0])
            case _:
                await self.to_the_bridge(verb)

    async def to_the_bridge(self, verb: str) -> None:
        match verb:
            case "kill":
                self.rig.kill()
            case "start":
                self.rig.start()
            case "stop":
                await self.rig.stop()
            case _:
                raise AssertionError(f"nobody knows what {verb} means")

    def expect(self, words: list[str]) -> None:
        rig = self.rig
        code, *rest = words
        if code != "gone":
            assert rig.decision.code == code, rig.decision
        asked = rig.actor.asked
        found = {
            "request": asked.get("Request"),
            "minimum": asked.get("Minimum"),
            "step": asked.get("StepSize"),
            "automatic": asked.get("IsAutomatic"),
            "consumption": asked.get("Consumption"),
            "start_delay": asked.get("StartDelay"),
            "min_on": asked.get("MinOn"),
            "min_off": asked.get("MinOff"),
            "off_for": asked.get("OffFor"),
            "note": rig.shell and asked.get("Note") and asked["Note"] == rig.decision.sentence,
            "writes": len(rig.relay.writes),
            "warned": bool(rig.actor.warnings),
            "held": (rig.memory.load("switching") or {}).get("held", False),
        }
        for word in rest:
            name, equals, text = word.partition("=")
            if equals and name == "result":
                assert self.result == text
            elif equals and name in found:
                assert found[name] == value(text), f"{name} is {found[name]}, not {text}"
            elif word in {"on", "off"}:
                assert rig.relay.on is WORDS[word], rig.decision
            else:
                assert rig.decision.sentence == word
