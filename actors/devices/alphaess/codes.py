"""Every return code of the AlphaESS Open API, and what its user should do. Pure.

Only the number counts: the text beside it comes in whatever language the account has. A number that
is not in the table counts as something that passes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from bridge.errors import DeviceGarbled, DeviceRefused

FINE: Final = 200
NOTHING_FOUND: Final = 6016
ALREADY_BOUND: Final = 6003
_LONGEST: Final = 80


class Sort(Enum):
    """What follows from a code."""

    FINE = "done"
    REQUEST = "this request is wrong, and would be again"
    ACCOUNT = "nothing works until the owner changes something: asked again after minutes"
    SYSTEM = "as ACCOUNT, for this one system"
    CLOCK = "as ACCOUNT; the clock is wrong, perhaps"
    LATER = "passes by itself: asked again, less and less often"
    FAST = "everything rests for a while"
    OFFLINE = "the system is away: asked again as usual"
    ABSENT = "this account or system does not have it: not asked again"
    NOTHING = "there is no such data"


@dataclass(frozen=True, slots=True)
class Code:
    """What a code means and what to do, as two halves of a sentence."""

    meaning: str
    todo: str
    sort: Sort


CODES: Final[dict[int, Code]] = {
    FINE: Code("done", "there is nothing to do", Sort.FINE),
    6001: Code("a value was refused", "check the value that it names", Sort.REQUEST),
    6002: Code(
        "this serial number is not bound to the account",
        "bind it with `heliograph alphaess bind` or at open.alphaess.com",
        Sort.SYSTEM,
    ),
    ALREADY_BOUND: Code(
        "the system is bound to the account already", "there is nothing to do", Sort.REQUEST
    ),
    6004: Code(
        "the check code is wrong",
        "type the one that is printed on the system below its serial number",
        Sort.REQUEST,
    ),
    6005: Code(
        "the app id is not bound to this system",
        "bind the system with `heliograph alphaess bind`, or check `serial` and `app_id`",
        Sort.SYSTEM,
    ),
    6006: Code(
        "the time stamp is more than 300 s off", "set the clock of this computer", Sort.CLOCK
    ),
    6007: Code(
        "the signature is wrong", "check `app_id` and `app_secret` letter by letter", Sort.ACCOUNT
    ),
    6008: Code(
        "the setting was refused",
        "times must be quarter hours, and periods must not overlap",
        Sort.REQUEST,
    ),
    6009: Code(
        "the address of this computer is not allowed, or its clock is wrong",
        "check the IP list of the account at open.alphaess.com, and set the clock",
        Sort.CLOCK,
    ),
    6010: Code("the signature is missing", "report this fault of Heliograph", Sort.ACCOUNT),
    6011: Code("the time stamp is missing", "report this fault of Heliograph", Sort.ACCOUNT),
    6012: Code("the app id is missing", "fill in `app_id`", Sort.ACCOUNT),
    NOTHING_FOUND: Code("it has no such data", "ask for another day or system", Sort.NOTHING),
    6017: Code(
        "this account may not do that for this system",
        "ask AlphaESS to allow it, or do without",
        Sort.ABSENT,
    ),
    6026: Code("it failed inside", "wait, it is tried again", Sort.LATER),
    6029: Code("the operation failed", "wait and try it again", Sort.LATER),
    6038: Code(
        "it knows no such serial number", "check the serial number letter by letter", Sort.SYSTEM
    ),
    6042: Code(
        "the system is offline",
        "check that the inverter has power and internet, then wait",
        Sort.OFFLINE,
    ),
    6046: Code(
        "the verification code is wrong or too old",
        "ask for a new one with `heliograph alphaess verification-code`",
        Sort.REQUEST,
    ),
    6053: Code(
        "it was asked too fast",
        "wait, and let no other program use the same app id",
        Sort.FAST,
    ),
    10001: Code("the request was not understood", "report this fault of Heliograph", Sort.REQUEST),
}
_UNKNOWN: Final = Code("a code that is not documented", "wait, it is tried again", Sort.LATER)


class Said(DeviceRefused):
    """The service answered with a code that is none of success. `code`: the number."""

    def __init__(self, sentence: str, code: int, sort: Sort) -> None:
        super().__init__(sentence)
        self.code, self.sort = code, sort


def meant(code: int) -> Code:
    """The entry of a code; an unknown one counts as passing."""
    return CODES.get(code, _UNKNOWN)


def opened(answer: Any, name: str, *, hidden: str = "", clock: str | None = None) -> Any:
    """The `data` of an envelope; None where the service has none.

    name: who answers; hidden: what must not be shown, whatever the service repeats; clock: a
    sentence's end about a clock that is wrong. Raises Said, and DeviceGarbled for what is no
    envelope.
    """
    if not isinstance(answer, dict):
        raise DeviceGarbled(f"{name} answers with something else than its envelope")
    code = answer.get("code")
    if isinstance(code, str) and code.isdecimal():
        code = int(code)
    if not isinstance(code, int) or isinstance(code, bool):
        raise DeviceGarbled(f"{name} answers without a code")
    if code == FINE:
        return answer.get("data")
    if code == NOTHING_FOUND:
        return None
    raise Said(_sentence(code, answer, name, hidden, clock), code, meant(code).sort)


def _sentence(code: int, answer: dict[str, Any], name: str, hidden: str, clock: str | None) -> str:
    entry = meant(code)
    # What is wrong with a value is told by `expMsg` alone; `msg` is only a translation.
    told = answer.get("expMsg")
    if not told and code not in CODES:
        told = answer.get("msg") or answer.get("info")
    words = ""
    if isinstance(told, str) and (not hidden or hidden not in told):
        line = " ".join("".join(c for c in told if c.isprintable() or c.isspace()).split())
        words = f" ({line[:_LONGEST]})" if line else ""
    todo = entry.todo
    if entry.sort is Sort.CLOCK and clock is not None:
        todo = f"{todo}: {clock}"
    return f"{name} answers {code}: {entry.meaning}{words}; {todo}"
