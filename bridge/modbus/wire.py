"""What every way to a device's registers offers, whatever frames it sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from bridge.errors import DeviceRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

READ_HOLDING: Final = 3
READ_INPUT: Final = 4
WRITE_SINGLE: Final = 6
WRITE_MULTIPLE: Final = 16

ILLEGAL_FUNCTION: Final = 1
ILLEGAL_ADDRESS: Final = 2
ILLEGAL_VALUE: Final = 3
DEVICE_FAILURE: Final = 4
ACKNOWLEDGE: Final = 5
BUSY: Final = 6
GATEWAY_PATH: Final = 10
GATEWAY_TARGET: Final = 11
PERMISSION_DENIED: Final = 0x80

_WORDS: Final = {
    ILLEGAL_FUNCTION: "it does not know this function",
    ILLEGAL_ADDRESS: "it does not have these registers",
    ILLEGAL_VALUE: "it does not take this value",
    DEVICE_FAILURE: "it failed inside",
    ACKNOWLEDGE: "it needs more time",
    BUSY: "it is busy",
    7: "it cannot do this now",
    8: "its memory has a parity error",
    GATEWAY_PATH: "the gateway knows no such unit",
    GATEWAY_TARGET: "the unit behind the gateway does not answer",
    PERMISSION_DENIED: "it wants a login first",
}


class Refusal(DeviceRefused):
    """The device answered with a Modbus exception; `code` is its number."""

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.code = code

    @property
    def lasting(self) -> bool:
        """True when the same question would be refused again."""
        return self.code in {ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, PERMISSION_DENIED}


def why(code: int) -> str:
    """A Modbus exception code in words."""
    return _WORDS.get(code, f"it answers with exception {code}")


class Wire(Protocol):
    """One connection that carries one request at a time; `bridge.modbus.link` takes the turns.

    A wire neither locks, paces nor repeats. Every failure is a DeviceError whose sentence names
    the device: DeviceTimeout (not reachable, no answer, closed), DeviceGarbled (an answer that
    cannot be understood or belongs to another question), Refusal (a Modbus exception). After
    anything but a Refusal the link closes the wire, so that a late answer meets nobody.
    """

    async def connect(self) -> None:
        """Open the connection. Raises DeviceTimeout. The link limits the time."""

    async def close(self) -> None:
        """Close it; harmless when it is closed."""

    async def read(self, unit: int, function: int, address: int, count: int) -> Sequence[int]:
        """Give exactly `count` words. The link limits the time and handles being cancelled."""

    async def write(self, unit: int, function: int, address: int, words: Sequence[int]) -> None:
        """Write the words and wait for the confirmation (address and count are checked)."""

    @property
    def connected(self) -> bool:
        """True while the other side is believed to be there."""
