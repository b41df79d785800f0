"""Every state and transition of the surplus logic, as texts that people can read."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.charging import sentences
from tests.charging.playbook import Play, Stage, plays

ALL = list(plays(Path(__file__).parent / "playbooks"))


@pytest.mark.parametrize("play", ALL, ids=str)
def test_play(play: Play) -> None:
    stage = Stage()
    for number, line in play.lines:
        try:
            stage.play(line)
        except AssertionError as error:
            raise AssertionError(f"{play.file}.txt:{number}: {line}\n{error}") from error
    assert stage.rig.charger.under_load == 0


def test_every_reason_has_its_play() -> None:
    """Each code word that the core can give is expected somewhere."""
    texts = " ".join(line for play in ALL for _, line in play.lines)
    fixed = [each for each in vars(sentences).values() if isinstance(each, tuple)]
    made = [
        sentences.fault(None), sentences.waiting(1), sentences.resting(1), sentences.charging(6, 1),
        sentences.enabled(6, 1), sentences.cheap(6, 3), sentences.switching(3),
        sentences.held_phases(3, 1),
    ]  # fmt: skip
    for code, sentence in (*fixed, *made):
        assert f"=> {code} " in texts, code
        assert len(sentence) < 200
        assert sentence[0].islower()
