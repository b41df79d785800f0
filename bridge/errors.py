"""Every exception that Heliograph raises on purpose.

HeliographError
 +-- ConfigError        the configuration cannot be used; carries every problem with file and line
 +-- ContractError      a topic, quantity, control or field that topics.yaml does not declare
 |    +-- PayloadError  a payload or value that its topic refuses, in one plain sentence
 +-- BrokerError        the MQTT broker cannot be reached, refuses us, or cannot be started
 |    +-- SecondBridgeError   another bridge already runs on this base and broker
 +-- DeviceError        a device did not do what was asked
 |    +-- DeviceTimeout       it did not answer in time, or cannot be reached
 |    +-- DeviceRefused       it answered and said no (login, permission, unknown function)
 |    +-- DeviceGarbled       it answered something that cannot be understood
 |         +-- CurveError     prices or forecasts of which nothing can be used
 +-- ExpressionError    an expression of the owner that cannot be read or computed

`str(error)` is always one sentence that a person without the source can act on, without secrets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


_LONGEST_LINE = 500


def one_line(text: str) -> str:
    """`text` as one line that every payload and log takes: at most 500 characters, valid UTF-8."""
    line = " ".join(text.encode(errors="replace").decode().split())
    return line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…"


class HeliographError(Exception):
    """Base of everything below."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a configuration file."""

    file: str
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.sentence}"


class ConfigError(HeliographError):
    """The configuration cannot be used. `problems` holds all that was found, in file order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(map(str, self.problems)))


class ContractError(HeliographError):
    """A name that topics.yaml does not declare, or a publish that it does not permit."""


class PayloadError(ContractError):
    """A value or payload that its topic refuses."""


class BrokerError(HeliographError):
    """The broker cannot be reached, refused us, or could not be started."""


class SecondBridgeError(BrokerError):
    """Another bridge already runs on this base and broker."""


class DeviceError(HeliographError):
    """A device did not do what was asked of it."""


class DeviceTimeout(DeviceError):
    """The device cannot be reached or did not answer in time."""


class DeviceRefused(DeviceError):
    """The device answered and refused: login, permission or an unknown function."""


class DeviceGarbled(DeviceError):
    """The device answered something that cannot be understood."""


class CurveError(DeviceGarbled):
    """Prices or forecasts of which nothing can be used."""


class ExpressionError(HeliographError):
    """An expression that cannot be read or computed."""
