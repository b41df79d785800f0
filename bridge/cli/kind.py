"""`heliograph KIND …`: commands that only one kind of device has, such as `heliograph lg-ess`.

They stand in the kind's own folder: `actors/…/KIND/commands.py` with

    def add_parser(parser: argparse.ArgumentParser) -> None     declare what it takes
    def run(args: argparse.Namespace) -> int                    do it; the exit code

On the command line the kind's `_` is written `-`. Only the kind that was named is imported.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from bridge.config.kinds import Kind


def kinds_with_commands() -> dict[str, Kind]:
    """The kinds that have commands of their own, as they are typed; nothing is imported."""
    from bridge.config.kinds import all_kinds

    return {
        name.replace("_", "-"): kind
        for name, kind in all_kinds().items()
        if (kind.folder / "commands.py").is_file()
    }


def parsed(words: Sequence[str]) -> tuple[ModuleType, argparse.Namespace] | None:
    """The module that runs these words and what they say; None when no kind has such a command.

    Ends the program, as argparse does, for `--help` and for words that the kind does not take.
    """
    if not words or words[0].startswith("-"):
        return None
    word = words[0].replace("_", "-")
    if word not in kinds_with_commands():
        return None
    module, parser = parser_of(word)
    return module, parser.parse_args(words[1:])


def parser_of(word: str) -> tuple[ModuleType, argparse.ArgumentParser]:
    """The module and the parser of a kind with commands, as it is typed. Raises KeyError."""
    module: Any = kinds_with_commands()[word].commands()
    parser = argparse.ArgumentParser(prog=f"heliograph {word}")
    module.add_parser(parser)
    return module, parser
