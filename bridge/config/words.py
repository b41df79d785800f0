"""The small change of sentences: quoting what was written, and guessing what was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST = 40


def quoted(text: str) -> str:
    """Return `text` in quotes: on one line, visible and at most 40 characters long."""
    cut = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return f"'{visible(cut)}'"


def visible(text: str) -> str:
    """Return `text` on one line, with what cannot be seen written as an escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that `word` was most likely meant to be, or None."""
    if not 1 <= len(word) <= _LONGEST:
        return None
    import difflib

    by_fold: dict[str, str] = {}
    for each in known:
        by_fold.setdefault(each.casefold().replace("-", "_"), each)
    wanted = word.casefold().replace("-", "_")
    found = difflib.get_close_matches(wanted, by_fold, n=1, cutoff=0.6)
    return by_fold[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `: did you mean 'interval'?`, or nothing when there is no good guess."""
    guess = closest(word, known)
    return f": did you mean {quoted(guess)}?" if guess else ""


def listed(words: Iterable[str]) -> str:
    """Return words in quotes with commas: `'a', 'b'`."""
    return ", ".join(f"'{word}'" for word in words)
