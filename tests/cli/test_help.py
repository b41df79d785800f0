"""`--help` of every command that there is, those of the kinds among them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import pytest

from bridge.cli.kind import kinds_with_commands, parser_of
from bridge.cli.main import parser

if TYPE_CHECKING:
    from collections.abc import Iterator


def every(found: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser and all below it."""
    yield found
    for action in found._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from every(below)


PARSERS = {
    each.prog: each
    for top in (parser(), *(parser_of(word)[1] for word in kinds_with_commands()))
    for each in every(top)
}


def test_the_commands_of_kinds_are_among_them() -> None:
    words = {"lg-ess", "homevolt", "sessy", "alphaess charge", "alphaess schedule", "amber prices"}
    assert {f"heliograph {each}" for each in words} <= set(PARSERS)


@pytest.mark.parametrize("name", PARSERS)
def test_help_can_be_printed(name: str) -> None:
    text = PARSERS[name].format_help()
    assert f"usage: {name}" in text
    # What is printed as it is written is not wrapped for the terminal.
    assert [line for line in text.splitlines() if len(line) > 120] == []
    assert "%(" not in text
    assert "%%" not in text
