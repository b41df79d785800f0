"""Every state and transition of an on/off consumer, as texts that people can read."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.switching import sentences
from tests.switching.playbook import Play, Stage, plays

ALL = list(plays(Path(__file__).parent / "playbooks"))


@pytest.mark.parametrize("play", ALL, ids=str)
async def test_play(play: Play) -> None:
    stage = Stage()
    for number, line in play.lines:
        try:
            await stage.play(line)
        except AssertionError as error:
            raise AssertionError(f"{play.file}.txt:{number}: {line}\n{error}") from error


def test_every_reason_has_its_play() -> None:
    """Each code word that the core can give is expected somewhere."""
    texts = " ".join(line for play in ALL for _, line in play.lines)
    fixed = [each for each in vars(sentences).values() if isinstance(each, tuple)]
    made = [
        sentences.waiting(1), sentences.resting(1), sentences.running(1),
        sentences.returning(1, 1), sentences.by_hand("on", None), sentences.by_hand("off", 60),
    ]  # fmt: skip
    for code, sentence in (*fixed, *made):
        assert f"=> {code} " in texts, code
        assert len(sentence) < 200
        assert sentence[0].islower()
