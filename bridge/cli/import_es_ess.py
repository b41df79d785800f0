"""`heliograph import-es-ess config.ini`: an es-ESS configuration as ours, and what became of it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bridge.errors import HeliographError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from bridge.config import Problem
    from bridge.importing import Imported

EXIT_FINE: Final = 0
EXIT_WRONG: Final = 1
_LARGEST: Final = 1_000_000
_OWNER_ONLY: Final = 0o600
_FOLDER: Final = "secrets"

_EPILOG = """\
The passwords of config.ini, and urls that hold one, are written to files of their own below
`secrets/` beside the configuration, readable by you alone; without -o they are not written, and
nothing is but the configuration on standard output. The report names every key with its line, and
never a password.

exit codes: 0 done; 1 the file cannot be read or written, or the result has errors in `check`
"""


class ImportFailed(HeliographError):
    """A file cannot be read or must not be overwritten."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    import argparse

    from bridge.victron import GX_HOST

    parser = commands.add_parser(
        "import-es-ess",
        help="translate an es-ESS config.ini into a configuration",
        description="Translates an es-ESS config.ini into a configuration, and says with --report\n"
        "what was taken, changed or has no counterpart. Starts nothing and touches no device.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("path", type=Path, metavar="CONFIG.INI", help="the file of es-ESS")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="where to write ours")
    parser.add_argument(
        "--gx",
        default=GX_HOST,
        metavar="HOST",
        help="name or address of the GX, as seen from here (default: %(default)s)",
    )
    parser.add_argument("--report", action="store_true", help="say what became of every key")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    parser.add_argument("--force", action="store_true", help="overwrite files that exist")


def run(args: argparse.Namespace) -> int:
    """Translate one file; 0 when the result can be used."""
    import sys

    from bridge.importing import convert
    from bridge.importing.values import address

    try:
        gx = address(args.gx).host
    except ValueError as error:
        raise ImportFailed(f"--gx is no name or address: {error}") from None
    made = convert(_read(args.path), gx=gx, folder=_FOLDER)
    if args.output is not None:
        _write(args.output, made, force=args.force)
    elif not args.json:
        print(made.yaml, end="")
    errors = _check(args.output, made)
    told = sys.stdout if args.output is not None or args.json else sys.stderr
    if args.json:
        print(_as_json(made, args.output, errors), file=told)
    else:
        for line in _told(made, args.output, errors, full=args.report):
            print(line, file=told)
    return EXIT_WRONG if errors else EXIT_FINE


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise ImportFailed(f"{path} cannot be read: {error.strerror}") from None
    if len(content) > _LARGEST:
        raise ImportFailed(f"{path} is larger than 1 MB: it is no config.ini of es-ESS")
    return content


def _write(output: Path, made: Imported, *, force: bool) -> None:
    """Write everything or, when something would be overwritten, nothing."""
    folder = output.parent / made.folder
    places = {folder / name: text for name, text in made.secrets.items()}
    found = [place for place in (output, *places) if os.path.lexists(place)]
    if found and not force:
        names = ", ".join(str(place) for place in found)
        raise ImportFailed(f"nothing was written: {names} exists already (--force overwrites)")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        if places:
            folder.mkdir(mode=0o700, exist_ok=True)
        for place, text in places.items():
            _put(place, text)
        _put(output, made.yaml)
    except OSError as error:
        raise ImportFailed(
            f"{error.filename or output} cannot be written: {error.strerror}"
        ) from None


def _put(place: Path, text: str) -> None:
    """A whole file or none; nobody else may read it, not even while it is being written."""
    draft = place.with_name(f".{place.name}.part")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        draft.replace(place)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _check(output: Path | None, made: Imported) -> list[Problem]:
    """What `heliograph check` says; without an output the secrets have no files yet."""
    from bridge.config import ConfigError, load_config, load_text

    try:
        if output is not None:
            load_config(output)
        else:
            load_text(made.yaml)
    except ConfigError as error:
        missing = () if output is not None else made.secrets
        return [each for each in error.problems if not _no_file(each.sentence, made, missing)]
    return []


def _no_file(sentence: str, made: Imported, missing: object) -> bool:
    return bool(missing) and f"{made.folder}/" in sentence and "does not exist" in sentence


def _told(
    made: Imported, output: Path | None, errors: list[Problem], *, full: bool
) -> Iterator[str]:
    if full:
        yield from map(str, made.lines)
    counts: dict[str, int] = {}
    for line in made.lines:
        counts[line.verdict.value] = counts.get(line.verdict.value, 0) + 1
    words = ", ".join(f"{count} {word}" for word, count in counts.items()) or "nothing was found"
    yield f"{words}" if full else f"{words}; --report says what became of each key"
    if output is not None:
        yield f"{output} is written" + (
            f", with {_passwords(len(made.secrets))} in {output.parent / made.folder}"
            if made.secrets
            else ""
        )
    for problem in errors:
        yield str(problem)
    if output is not None and not errors:
        yield f"next: heliograph doctor --config {output}, then heliograph run --config {output}"


def _passwords(count: int) -> str:
    return "1 password" if count == 1 else f"{count} passwords"


def _as_json(made: Imported, output: Path | None, errors: list[Problem]) -> str:
    found = {
        "ok": not errors,
        "output": None if output is None else str(output),
        "secrets": [f"{made.folder}/{name}" for name in made.secrets],
        "lines": [
            {
                "line": each.number or None,
                "section": each.section,
                "key": each.key,
                "verdict": each.verdict.value,
                "why": each.why,
            }
            for each in made.lines
        ],
        "errors": [{"line": each.line, "sentence": each.sentence} for each in errors],
    }
    return json.dumps(found, ensure_ascii=False, indent=2)
