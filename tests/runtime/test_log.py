"""Log lines: for people, for programs, without secrets, and one per loss."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from bridge.log import Outage, Seldom, configure, get_logger
from tests.runtime.virtual import Log

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_a_line_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    configure("console")
    get_logger("meter").warning("the device is lost", after=3)
    line = capsys.readouterr().err
    assert re.fullmatch(r"\d\d:\d\d:\d\d warning meter: the device is lost  after=3\n", line)


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_name_is_said_once(form: Any, capsys: pytest.CaptureFixture[str]) -> None:
    configure(form)
    for text in ("m13: Switch is not known", "m13-2: Switch is not known", "m13 is away"):
        get_logger("m13").warning(text)
    lines = capsys.readouterr().err.splitlines()
    if form == "json":
        said = [json.loads(line)["event"] for line in lines]
        assert said == ["Switch is not known", "m13-2: Switch is not known", "m13 is away"]
    else:
        assert [line[17:] for line in lines] == [
            "m13: Switch is not known", "m13: m13-2: Switch is not known", "m13: m13 is away"
        ]  # fmt: skip


def test_a_line_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json")
    get_logger("meter").info("ready at 5 °C", power=5)
    text = capsys.readouterr().err
    assert "°C" in text
    line = json.loads(text)
    assert (line["actor"], line["event"], line["level"], line["power"]) == (
        "meter",
        "ready at 5 °C",
        "info",
        5,
    )
    assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize("form", ["console", "json"])
def test_what_is_below_the_level_is_not_said(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure(form, "warning")  # type: ignore[arg-type]
    get_logger().info("quiet")
    get_logger().error("loud")
    text = capsys.readouterr().err
    assert "loud" in text
    assert "quiet" not in text


@pytest.mark.parametrize("form", ["console", "json"])
def test_secrets_are_not_written(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure(form)  # type: ignore[arg-type]
    get_logger("x").info("login", password="canary", Token="canary", app_secret="canary", user="me")
    text = capsys.readouterr().err
    assert "canary" not in text
    assert text.count("***") == 3
    assert "me" in text


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_crash_is_told_with_where_it_was(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure(form)  # type: ignore[arg-type]
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        get_logger("x").exception("crashed")
    text = capsys.readouterr().err
    assert "ZeroDivisionError: division by zero" in text
    assert "test_log.py" in text


def test_one_line_when_lost_and_one_when_back() -> None:
    log = Log()
    outage = Outage(log, "the meter")  # type: ignore[arg-type]
    assert not outage.back()
    assert [outage.gone(f"try {n}") for n in range(4)] == [True, False, False, False]
    assert outage.lost
    assert outage.why == "try 3"
    assert [outage.back(), outage.back()] == [True, False]
    assert not outage.lost
    assert outage.gone("again", level="error")
    assert outage.back()
    assert outage.gone("the meter refuses the connection")
    assert log.lines[-1] == ("warning", "the meter is lost: it refuses the connection")
    assert log.lines[:3] == [
        ("warning", "the meter is lost: try 0"),
        ("info", "the meter is back"),
        ("error", "the meter is lost: again"),
    ]


def test_what_strangers_cause_is_said_once_a_minute_for_each() -> None:
    log, now = Log(), [0.0]
    seldom = Seldom(log, lambda: now[0])  # type: ignore[arg-type]
    for second in range(121):
        now[0] = second
        seldom.warning("pool", f"pool {second}")
        seldom.warning("car", f"car {second}")
    assert log.texts("warning") == ["pool 0", "car 0", "pool 60", "car 60", "pool 120", "car 120"]
    for number in range(3000):
        seldom.warning(f"stranger {number}", "x")
    assert len(seldom._said) == 1000
