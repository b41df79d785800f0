"""The plays in `playbooks/`: what a house does, second by second, and what everybody may draw."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.distributor.playbook import Play, Stage, plays

PLAYS = list(plays(Path(__file__).parent / "playbooks"))


@pytest.mark.parametrize("play", PLAYS, ids=str)
def test_play(play: Play) -> None:
    stage = Stage()
    for number, text in play.lines:
        try:
            stage.play(text)
        except AssertionError as error:
            said = {name: (v.allowance, v.reason) for name, v in stage.decision.allowances.items()}
            place = f"{play.file}.txt:{number}: {text}"
            pytest.fail(f"{place}\n{error}\nnow {stage.now}: {said} {stage.decision.site}")


def test_each_play_expects_something() -> None:
    idle = [str(play) for play in PLAYS if not any("=>" in text for _, text in play.lines)]
    assert idle == []
    assert len({str(play) for play in PLAYS}) == len(PLAYS)


def test_a_wrong_expectation_is_noticed() -> None:
    stage = Stage()
    stage.play("0 pool Request=500 IsAutomatic=on")
    stage.play("0 meter -600")
    for wrong in ("pool 499", "pool 500 all of 501 W granted", "pool gone", "surplus 601"):
        with pytest.raises(AssertionError):
            stage.play(f"0.1 => {wrong}")
    stage.play("0.1 => pool 500 all of 500 W granted")
