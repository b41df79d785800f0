"""Each idea of deciding by value can be left out: by name, and to some effect."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import pytest

from actors.distributor.policies import Heliograph
from actors.distributor.value.ablation import IDEAS, Idea
from actors.distributor.value.tuning import DEFAULT, Tuning
from bridge.simulate.policy import Known, Report, find_policy
from tests.simulate.small import consumer, house, read

if TYPE_CHECKING:
    from actors.distributor.core import Distributor


def test_names_and_sentences() -> None:
    names = [idea.name for idea in IDEAS]
    assert len(set(names)) == len(names)
    for idea in IDEAS:
        assert idea.sentence[0].islower() or idea.sentence.startswith("`")
        assert not idea.sentence.endswith(".")
        assert "|" not in idea.sentence  # it stands in a table


@pytest.mark.parametrize("idea", IDEAS, ids=lambda idea: idea.name)
def test_it_changes_what_it_names(idea: Idea) -> None:
    assert set(idea.change) <= {field.name for field in fields(Tuning)}
    left = idea.leave_out(DEFAULT)
    for name, value in idea.change.items():
        assert getattr(left, name) == value != getattr(DEFAULT, name)
        assert type(getattr(left, name)) is type(getattr(DEFAULT, name))
    assert replace(left, **{name: getattr(DEFAULT, name) for name in idea.change}) == DEFAULT
    assert idea.change or idea.by_value


def known(*specs: dict[str, object]) -> Known:
    return Known(tuple(read(house(*specs)).consumers), None, [0.3], [0.1])


@pytest.mark.parametrize("idea", IDEAS, ids=lambda idea: idea.name)
def test_each_is_a_policy(idea: Idea) -> None:
    left = find_policy(f"heliograph-without-{idea.name}")(known(consumer()))
    assert core(left)._settings.tuning == idea.leave_out(DEFAULT)
    assert core(find_policy("heliograph")(known(consumer())))._settings.tuning == DEFAULT


def core(policy: object) -> Distributor:
    assert isinstance(policy, Heliograph)
    return policy._core


def test_without_priority_the_dearer_is_asked_first() -> None:
    """Equal values leave the owner's order as it was."""
    specs = [
        consumer("first", priority=10, value_per_kwh=0.2),
        consumer("dear", priority=20, value_per_kwh=0.25),
        consumer("last", priority=30, value_per_kwh=0.2),
    ]
    orders = {}
    for name in ("heliograph", "heliograph-without-priority"):
        policy = find_policy(name)(known(*specs))
        policy.step(1, None, [Report(str(spec["id"]), 0.0, 3000.0) for spec in specs])
        ranks = {one.terms.priority: one.id for one in core(policy)._consumers.values()}
        orders[name] = [ranks[rank] for rank in sorted(ranks)]
    assert orders["heliograph"] == ["first", "dear", "last"]
    assert orders["heliograph-without-priority"] == ["dear", "first", "last"]
