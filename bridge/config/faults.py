"""What YAML's own complaints mean, in words for somebody who never heard of tokens.

Nothing of the file but one leading character is repeated: the fault may sit in a password.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yaml import Mark, MarkedYAMLError

_TAB = "a tab stands where blanks must: indent with spaces only"
_DIRECTIVE = "a line must not begin with '%'"
_INDENT = "this line does not fit the lines above: check its indentation, quotes and commas"
_UNQUOTED = 'inside { } and [ ] a ${NAME} must be in quotes, as in {password: "${NAME}"}'
_UNCLOSED = "a bracket or brace that is opened here is never closed, or a comma is missing"

# (what YAML says, our sentence, whether the place where it began says more than where it ended)
_MEANINGS = (
    ("mapping values are not allowed",
     "a ':' stands where it cannot: check the indentation, or put the value in quotes", False),
    ("could not find expected ':'",
     "this is no 'key: value' line: a ':' followed by a blank is missing", True),
    ("found unexpected end of stream", "a quote that is opened here is never closed", True),
    ("unexpected document separator", "a quote that is opened here is never closed", True),
    ("tab character that violates", _TAB, False),
    ("escape", "a '\\' inside double quotes is an escape, and an unknown one: use single quotes",
     False),
    ("directive", _DIRECTIVE, False),
    ("expected <document start>", _INDENT, False),
    ("expected '<document start>'", _INDENT, False),
    ("',' or ", _UNCLOSED, True),
    ("expected key", _INDENT, False),
    ("expected '-'", _INDENT, False),
    ("block end", _INDENT, False),
    ("node content", "a value is missing here, or a bracket or brace is one too many", False),
    ("maximum nesting", "sections are nested too deeply here", False),
    ("alphabetic or numeric", "a value must not begin with '&' or '*' unless it is in quotes",
     False),
    ("tag", "a value must not begin with '!' unless it is in quotes or begins with '!file '",
     False),
    ("comment expected", "a '|' or '>' must stand alone at the end of its line", False),
    ("indentation indicator", "a '|' or '>' must stand alone at the end of its line", False),
)  # fmt: skip


def explain(error: MarkedYAMLError, lines: list[str]) -> tuple[int, str]:
    """Return (line, sentence) for a complaint of the YAML parser. `lines` is the file's text."""
    problem = error.problem or ""
    place = _index(error.problem_mark, lines)
    line = lines[place] if lines else ""
    if "cannot start any token" in problem:
        return place + 1, _first_character(error.problem_mark, line)
    if "document start" in problem and lines[0].startswith("%"):
        return 1, _DIRECTIVE
    if _leading_tab(line):
        return place + 1, _TAB
    for says, sentence, from_start in _MEANINGS:
        if says in problem:
            if from_start and error.context_mark is not None:
                place = _index(error.context_mark, lines)
            unquoted = sentence is _UNCLOSED and "${" in lines[place]
            return place + 1, _UNQUOTED if unquoted else sentence
    return place + 1, "this is not valid YAML"


def _index(mark: Mark | None, lines: list[str]) -> int:
    if mark is None:
        return 0
    return max(0, min(mark.line, len(lines) - 1))


def _leading_tab(line: str) -> bool:
    return "\t" in line[: len(line) - len(line.lstrip())]


def _first_character(mark: Mark | None, line: str) -> str:
    column = mark.column if mark else 0
    first = line[column : column + 1]
    if first == "\t":
        return _TAB
    return f"a value must not begin with '{first}' unless it is in quotes"
