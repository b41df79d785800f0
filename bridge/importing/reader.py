"""Takes the keys of one section one by one and says in the report what became of each."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bridge.importing.report import Verdict
from bridge.importing.values import flag

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bridge.importing.ini import Section
    from bridge.importing.report import Report

_REMARK = " (a remark behind a value is part of it, to es-ESS, too)"
_TRUTHS = ("true", "false")


@dataclass(slots=True)
class Reader:
    """One section. Keys are found in any case; each is told once."""

    section: Section
    report: Report
    _seen: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """The section's name, for the report."""
        return self.section.name

    def text(self, *keys: str) -> str | None:
        """The text of the first of these keys that is there and not empty; None without one."""
        for key in keys:
            option = self.section.find(key)
            if option is None:
                continue
            option.used = True
            text, wrong = self.section.value(option)
            if wrong is not None and key.lower() not in self._seen:
                self.add(key, Verdict.CHANGED, wrong)
                self._seen.add(key.lower())
            if text:
                return text
        return None

    def add(self, key: str, verdict: Verdict, why: str) -> None:
        """Say what became of a key, in the owner's own spelling."""
        option = self.section.find(key)
        self._seen.add(key.lower())
        self.report.add(self.name, option.key if option else key, verdict, why)

    def taken(self, key: str, why: str) -> None:
        """It means the same with us."""
        self.add(key, Verdict.TAKEN, why)

    def changed(self, key: str, why: str) -> None:
        """It is kept in another form."""
        self.add(key, Verdict.CHANGED, why)

    def put(
        self,
        into: dict[str, Any],
        setting: str,
        keys: str | tuple[str, ...],
        read: Callable[[str], Any],
        note: str | None = None,
    ) -> Any:
        """Read the first of these keys into `setting`; the value, or None when there is none.

        `note` says what is different now. What cannot be read is told and left out.
        """
        keys = (keys,) if isinstance(keys, str) else keys
        for key in keys:
            text = self.text(key)
            if text is None:
                continue
            try:
                value = read(text)
            except ValueError as error:
                remark = _REMARK if re.search(r"\s[;#]", text) else ""
                self.add(key, Verdict.LEFT, f"{error}{remark}")
                continue
            into[setting] = value
            if note is None:
                self.taken(key, f"it is `{setting}` now")
            else:
                self.changed(key, f"it is `{setting}` now; {note}")
            return value
        return None

    def flag(self, key: str) -> bool:
        """A flag as es-ESS reads it; an odd spelling is told."""
        text = self.text(key)
        if text is None:
            return False
        if text.strip().lower() not in _TRUTHS:
            self.changed(key, "es-ESS takes everything but `true` for false, so it is false here")
        return flag(text)

    def nothing(self, reasons: Mapping[str, str]) -> None:
        """Keys without a counterpart, each with the reason, where the section has them."""
        for key, why in reasons.items():
            if key.lower() in self.section.options:
                self.section.options[key.lower()].used = True
                self.add(key, Verdict.NOTHING, why)

    def finish(self) -> None:
        """Name every key of the section that nobody has asked for."""
        for key, option in self.section.options.items():
            if key in self._seen:
                continue
            verdict, why = Verdict.NOTHING, "es-ESS itself does not know this key"
            if not option.raw:
                verdict, why = Verdict.LEFT, "it is empty"
            elif option.used:
                verdict, why = Verdict.LEFT, "it is part of another value, or was not needed"
            option.used = True
            self.report.add(self.name, option.key, verdict, why)

    def leave(self, why: str) -> None:
        """Name every key of the section as left out, with one reason."""
        self.report.add(self.name, "", Verdict.LEFT, why)
        for option in self.section.options.values():
            option.used = True
            self.report.leave(self.name, option.key, why)
