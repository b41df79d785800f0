"""What actors have set of limits: controls that keep their value, and so outlive who set them.

A lease ends by itself; a limit stays. So whoever sets one in an actor's name has what it was before
written down here, on disk before the first write, until it is back or a person has decided. At the
next start of the device, and when it stops, what is left is put back, whoever had asked for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from bridge.lease import MANUAL, same

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.contract import Command
    from bridge.control_entry import Entry
    from bridge.state import StateFolder

FILE: Final = "kept"


@dataclass(frozen=True, slots=True)
class Loan:
    """A limit in somebody's hands: whose, by which command, what it was, what was written.

    original None: no limit. wrote: the last value that was confirmed, and one tried since.
    """

    by: str
    id: str | None
    original: float | None
    wrote: tuple[float, ...]


class Kept:
    """The loans of one actor's devices."""

    def __init__(self, state: StateFolder) -> None:
        self._state = state
        self._loans = dict(_loans(state.load(FILE)))
        # Those of an earlier life, until somebody asks anew or they were looked at.
        self._old = set(self._loans)

    def of(self, entry: Entry) -> Loan | None:
        """Who has set this limit and not put it back yet."""
        return self._loans.get((entry.device, entry.name))

    def asking(self, entry: Entry, command: Command, *, can_return: bool) -> None:
        """Note, before the write, what `command` will do. A person's word is no loan.

        A limit whose present value is unknown, and could not be put back, is not noted.
        """
        key = entry.device, entry.name
        value, loan = command.value, self._loans.get(key)
        self._old.discard(key)
        if entry.control.kind != "number" or command.by == MANUAL or not _is_number(value):
            return
        if loan is None:
            original = entry.state
            known = _is_number(original) or (original is None and can_return)
            if not known or self._is_same(entry, original, value):
                return
            loan = Loan(command.by, command.id, original, ())  # type: ignore[arg-type] # as asked
        wrote = (*loan.wrote[-1:], float(value))  # type: ignore[arg-type] # as asked
        self._save(key, replace(loan, by=command.by, id=command.id, wrote=wrote))

    def settle(self, entry: Entry, command: Command) -> None:
        """Note that `command` was followed: it is back, a person decided, or one value stands."""
        key, loan = (entry.device, entry.name), self.of(entry)
        if loan is None:
            return
        if command.by == MANUAL or self._is_same(entry, loan.original, command.value):
            self._save(key, None)
        elif _is_number(command.value):
            self._save(key, replace(loan, wrote=(float(command.value),)))  # type: ignore[arg-type] # as asked

    def returns(self, entry: Entry, command: Command) -> bool:
        """True for the command that puts back what was before."""
        loan = self.of(entry)
        return loan is not None and self._is_same(entry, loan.original, command.value)

    def left(self, entry: Entry) -> bool:
        """True, once, for what an earlier life left set; what somebody else set since is his."""
        key = entry.device, entry.name
        if entry.state is None or key not in self._old:
            return False
        self._old.discard(key)
        return self.ours(entry)

    def ours(self, entry: Entry) -> bool:
        """True while the device has what was written; a loan on anything else is dropped."""
        loan = self.of(entry)
        if loan is None or entry.state is None:
            return False
        if any(self._is_same(entry, each, entry.state) for each in loan.wrote):
            return True
        self.forget(entry)
        return False

    def forget(self, entry: Entry) -> None:
        """The device has its own value again, or another's."""
        if self.of(entry) is not None:
            self._save((entry.device, entry.name), None)

    @staticmethod
    def _is_same(entry: Entry, one: Any, other: Any) -> bool:
        if one is None or other is None:
            return one is other
        return same(one, other, entry.tolerance)

    def _save(self, key: tuple[str, str], loan: Loan | None) -> None:
        if loan is None:
            self._loans.pop(key, None)
        else:
            self._loans[key] = loan
        content = [
            {
                "device": device,
                "control": control,
                "by": each.by,
                "id": each.id,
                "original": each.original,
                "wrote": list(each.wrote),
            }
            for (device, control), each in sorted(self._loans.items())
        ]
        self._state.save(FILE, {"loans": content})


def kept_pairs(content: Any) -> set[tuple[str, str]]:
    """The (device, control) that a journal's content tells of."""
    return {key for key, _ in _loans(content)}


def _loans(content: Any) -> Iterator[tuple[tuple[str, str], Loan]]:
    """What can be read; anything else is left out."""
    found = content.get("loans") if isinstance(content, dict) else None
    for each in found if isinstance(found, list) else []:
        if not isinstance(each, dict):
            continue
        original, wrote = each.get("original"), each.get("wrote")
        if not (original is None or _is_number(original)) or not isinstance(wrote, list):
            continue
        key = str(each.get("device")), str(each.get("control"))
        id_ = each.get("id")
        values = tuple(float(value) for value in wrote if _is_number(value))
        yield (
            key,
            Loan(
                str(each.get("by")),
                id_ if isinstance(id_, str) else None,
                None if original is None else float(original),
                values,
            ),
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
