"""What the control desk keeps of one control, and small questions about it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
import msgspec

from bridge.bus import Message
from bridge.errors import DeviceError, PayloadError

if TYPE_CHECKING:
    from bridge.contract import Channel, Control
    from bridge.lease import Lease, Slot, Value

_LONGEST_ID = 64


@dataclass(slots=True)
class Entry:
    """One control of one device."""

    device: str
    control: Control
    slot: Slot
    tolerance: float
    state: Value | None = None
    known_at: float = -math.inf
    shown: Any = field(default=...)
    visible: bool = False

    @property
    def name(self) -> str:
        """The control's name in the contract."""
        return self.control.name

    @property
    def leased(self) -> bool:
        """True when a value holds for a time only."""
        return self.control.lease


class Entries:
    """The controls of one actor's devices, `own` being its own; `device` None: that one."""

    def __init__(self, own: str) -> None:
        self._own = own
        self._entries: dict[tuple[str, str], Entry] = {}

    def offered(self, device: str | None = None) -> tuple[str, ...]:
        """The controls of a device that are served."""
        device = device or self._own
        return tuple(name for each, name in self._entries if each == device)

    def lease(self, control: str, device: str | None = None) -> Lease | None:
        """Who holds a control now."""
        entry = self._entries.get((device or self._own, control))
        return entry.slot.lease if entry else None

    def owed(self, control: str, device: str | None = None) -> bool:
        """True from before a control is written until the device confirmed that it has it back."""
        entry = self._entries.get((device or self._own, control))
        return entry is not None and entry.slot.touched

    def owe(self, control: str, device: str | None = None) -> None:
        """Give a leased control back although nothing is noted: somebody else may have left it."""
        entry = self._entries.get((device or self._own, control))
        if entry is not None and entry.leased:
            entry.slot.touched = True


@dataclass(slots=True)
class Job:
    """One command that waits for its turn; `error` stands once `done` is set."""

    message: Message
    entry: Entry | None
    done: anyio.Event = field(default_factory=anyio.Event)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a command: the control as read back, and one sentence if it was not followed.

    why: one sentence where what is in force is not what was asked for.
    """

    error: str | None
    value: Value | None
    why: str | None = None


class Mismatch(DeviceError):
    """The device was written twice and has something else each time."""


def as_message(channel: Channel, payload: bytes, now: float) -> Message:
    """A command that came by another way than the bus, read as the bus would have read it."""
    message = Message(channel.address, channel.params, channel, payload, retained=False, at=now)
    try:
        message.value = channel.decode(payload)
    except PayloadError as refused:
        message.error = str(refused)
    return message


def check_range(control: Control, value: Value | None) -> None:
    """Raise DeviceError for what this device takes less of than the contract allows."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        low, high = control.min, control.max
        if (low is not None and value < low) or (high is not None and value > high):
            unit = f" {control.unit}" if control.unit else ""
            sentence = f"{control.name} {value:g} is not {_between(low, high)}{unit}"
            raise DeviceError(sentence)
    words = () if control.open else control.options
    if isinstance(value, str) and words and value not in words:
        raise DeviceError(f"{control.name} {value} is not one of {', '.join(control.options)}")


def _between(low: float | None, high: float | None) -> str:
    if low is None:
        return f"{high:g} at most"
    return f"{low:g} at least" if high is None else f"between {low:g} and {high:g}"


def default_tolerance(control: Control) -> float:
    """How far a read-back may be off: half a step, in the control's unit."""
    if control.step is not None:
        return control.step / 2
    return 10.0 ** -(control.digits or 0) / 2


def id_of(message: Message) -> str | None:
    """The id of a command, of a refused one too where it can be read."""
    if message.error is None:
        return getattr(message.value, "id", None)
    try:
        found = msgspec.json.decode(message.payload)
    except (msgspec.DecodeError, RecursionError):
        return None
    name = found.get("id") if isinstance(found, dict) else None
    return name if isinstance(name, str) and len(name) <= _LONGEST_ID else None


def text_of(value: Value | None) -> str:
    """A value as people write it."""
    if value is None:
        return "nothing that can be read"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)
