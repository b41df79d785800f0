"""`heliograph`: finds the command and turns our errors into one sentence and an exit code."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, NoReturn

from bridge import __version__
from bridge.errors import ConfigError, HeliographError, SecondBridgeError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = (
    "run",
    "check",
    "doctor",
    "watch",
    "read",
    "set",
    "discover",
    "registers",
    "sim",
    "simulate",
    "topics",
    "import-es-ess",
)

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_CONFIG = 2
EXIT_SECOND_BRIDGE = 3

_EPILOG = """\
kinds with commands of their own (`heliograph KIND --help`):
  {kinds}

exit codes:
  0  done, or stopped cleanly
  1  it failed, or found something wrong; the reason is the last line
  2  the command line or the configuration is wrong
  3  another bridge already runs on this base and broker
"""


class _Parser(argparse.ArgumentParser):
    """Looks for the kinds with commands of their own only when somebody reads about them."""

    def format_help(self) -> str:
        """The help, with the kinds that there are."""
        from bridge.cli.kind import kinds_with_commands

        self.epilog = _EPILOG.format(kinds=", ".join(kinds_with_commands()))
        return super().format_help()


def parser(command: str | None = None) -> argparse.ArgumentParser:
    """The whole command line, or with `command` that of one alone, which is all that is loaded."""
    top = _Parser(
        prog="heliograph",
        description="Reads the house's meters, inverters and batteries, and shares surplus sun\n"
        "among the consumers that ask for it over MQTT.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"heliograph {__version__}")
    commands = top.add_subparsers(
        dest="command", metavar="COMMAND", required=True, parser_class=argparse.ArgumentParser
    )
    for name in COMMANDS if command is None else (command,):
        _module(name).add_parser(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] in (["run"], ["sim"]) and threading.current_thread() is threading.main_thread():
        # From the first moment on, not only once everything is loaded and the loop listens.
        signal.signal(signal.SIGTERM, _stopped_before_it_ran)
    try:
        module, args = _parsed(words)
        return int(module.run(args))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output has left (`heliograph topics | head`): that is no failure.
        sys.stderr.close()
        return EXIT_OK
    except HeliographError as error:
        return report(error)
    except BaseExceptionGroup as group:
        ours, others = group.split(HeliographError)
        if others is not None or ours is None:
            raise
        return report(_first(ours))


def _parsed(words: Sequence[str]) -> tuple[Any, argparse.Namespace]:
    """The module of the command and what was typed; a kind's own commands come after ours."""
    if words and words[0] not in COMMANDS:
        from bridge.cli import kind

        found = kind.parsed(words)
        if found is not None:
            return found
    named = words[0] if words and words[0] in COMMANDS else None
    args = parser(named).parse_args(_arranged(words))
    return _module(args.command), args


def _module(command: str) -> Any:
    """The module of a command: `import_es_ess` of `import-es-ess`."""
    return importlib.import_module(f"bridge.cli.{command.replace('-', '_')}")


def _arranged(words: Sequence[str]) -> Sequence[str]:
    """The words in an order that argparse takes, for a command that cares."""
    if not words or words[0] not in COMMANDS:
        return words
    arrange = getattr(_module(words[0]), "arrange", None)
    return words if arrange is None else [words[0], *arrange(words[1:])]


def _stopped_before_it_ran(*_: object) -> NoReturn:
    # Nothing is switched on yet; raising could end in the middle of anything that is being made.
    os._exit(EXIT_OK)


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def report(error: BaseException) -> int:
    """Say what is wrong on standard error; the exit code that belongs to it."""
    print(error, file=sys.stderr)
    if isinstance(error, ConfigError):
        return EXIT_CONFIG
    return EXIT_SECOND_BRIDGE if isinstance(error, SecondBridgeError) else EXIT_FAILED
