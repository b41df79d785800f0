"""A text that may be used and never shown."""

from __future__ import annotations

from typing import Any, Self


class Secret(str):
    """A password or token. Wherever it is printed, joined or encoded, it reads `***`.

    The text itself is not in the string but beside it, so that no formatting, logging or JSON
    path can leak it by accident: whoever really needs it calls `reveal()`. An empty secret is
    false, like an empty text. Two secrets are equal when their texts are; a secret never equals
    a plain text.
    """

    __slots__ = ("_text",)
    _text: str

    def __new__(cls, text: str = "") -> Self:
        """Hide `text`; a Secret given again is taken over as it is."""
        made = super().__new__(cls, "***" if text else "")
        made._text = text.reveal() if isinstance(text, Secret) else text
        return made

    def reveal(self) -> str:
        """Give the text itself, to hand it to a login and to nothing else."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __repr__(self) -> str:
        return "Secret('***')" if self else "Secret('')"

    def __getnewargs__(self) -> tuple[str]:
        return (self._text,)

    def __getstate__(self) -> Any:
        return None
