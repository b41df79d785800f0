"""structlog set-up, and the habit of one line when something is lost and one when it is back."""

from __future__ import annotations

import logging
import math
import sys
from typing import TYPE_CHECKING, Any, Literal, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from structlog.typing import EventDict, FilteringBoundLogger

Level = Literal["debug", "info", "warning", "error"]
LEVELS: dict[str, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_SELDOM = 60.0
_MOST_KEYS = 1000
_SECRET_WORDS = ("password", "token", "secret", "authorization", "api_key")


def _structlog() -> Any:
    """Import structlog without rich: its pretty tracebacks cost 4 MB that nobody here asks for."""
    if "structlog" in sys.modules or "rich" in sys.modules:
        import structlog
    else:
        sys.modules["rich"] = cast("Any", None)
        try:
            import structlog
        finally:
            del sys.modules["rich"]
    return structlog


def _redact(_logger: object, _method: str, event: EventDict) -> EventDict:
    for key in event:
        if any(word in key.lower() for word in _SECRET_WORDS):
            event[key] = "***"
    return event


def _name_once(_logger: object, _method: str, event: EventDict) -> EventDict:
    """A sentence that begins with the name of who says it: every line has that already."""
    actor, text = event.get("actor"), event.get("event")
    if actor and isinstance(text, str):
        event["event"] = text.removeprefix(f"{actor}: ")
    return event


def _render_console(_logger: object, _method: str, event: EventDict) -> str:
    """`21:14:03 warning meter: text key=value`: what a person reads in a terminal or journal."""
    moment = str(event.pop("timestamp", ""))
    level = str(event.pop("level", "info"))
    actor = event.pop("actor", None)
    text = str(event.pop("event", ""))
    trace = event.pop("exception", None)
    rest = " ".join(f"{key}={value}" for key, value in event.items())
    line = f"{moment[11:19]} {level:<7} {f'{actor}: ' if actor else ''}{text}"
    if rest:
        line = f"{line}  {rest}"
    return f"{line}\n{trace}" if trace else line


def configure(form: Literal["console", "json"] = "console", level: Level = "info") -> None:
    """Send every log line to standard error, as text for people or as JSON for programs."""
    structlog = _structlog()
    render = (
        structlog.processors.JSONRenderer(ensure_ascii=False) if form == "json" else _render_console
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redact,
            _name_once,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries log through the standard module: only what is serious is worth a line of ours.
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr, format="%(message)s")


def get_logger(actor: str | None = None) -> FilteringBoundLogger:
    """A logger; with `actor` every line names it."""
    structlog = _structlog()
    logger = structlog.get_logger()
    return cast("FilteringBoundLogger", logger.bind(actor=actor) if actor else logger)


class Outage:
    """Log once when something is lost and once when it is back, however often it is tried."""

    def __init__(self, log: FilteringBoundLogger, what: str) -> None:
        self._log = log
        self._what = what
        self.why: str | None = None

    @property
    def lost(self) -> bool:
        """True between a loss and the return."""
        return self.why is not None

    def gone(self, why: str, *, level: Literal["info", "warning", "error"] = "warning") -> bool:
        """Note a loss; true the first time."""
        first = self.why is None
        self.why = why
        if first:
            again = why.startswith(f"{self._what} ")
            short = f"it {why[len(self._what) + 1 :]}" if again else why
            getattr(self._log, level)(f"{self._what} is lost: {short}")
        return first

    def back(self) -> bool:
        """Note the return; true when there was a loss."""
        if self.why is None:
            return False
        self.why = None
        self._log.info(f"{self._what} is back")
        return True


class Seldom:
    """Warnings that strangers can cause: a line a minute for each key at most."""

    def __init__(self, log: FilteringBoundLogger, now: Callable[[], float]) -> None:
        self._log = log
        self._now = now
        self._said: dict[str, float] = {}

    def warning(self, key: str, text: str) -> bool:
        """Log unless there was a line about `key` within the last minute; true when logged."""
        now = self._now()
        if now - self._said.get(key, -math.inf) < _SELDOM:
            return False
        self._said.pop(key, None)
        if len(self._said) >= _MOST_KEYS:
            del self._said[next(iter(self._said))]
        self._said[key] = now
        self._log.warning(text)
        return True
