"""The page: complete, alone, small enough, and true to the run that it shows."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from bridge.cli.main import main
from bridge.simulate.page.picture import inside, outside, share, slot
from bridge.simulate.page.write import page
from bridge.simulate.runner import Played
from tests.simulate.small import BATTERY, charger, consumer, follow, house, run

if TYPE_CHECKING:
    from pathlib import Path

_VOID = {"meta", "br", "input", "link", "img"}


class Seen(HTMLParser):
    """Balanced tags, their attributes, and what stands in scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)


def parsed(text: str) -> Seen:
    seen = Seen()
    seen.feed(text)
    seen.close()
    assert seen.open == []
    return seen


def play_small(numbers: int = 20_000) -> tuple[Any, dict[str, Any]]:
    raw = house(consumer(), seconds=300, battery=BATTERY, first_row=60)
    record, metrics = run(raw, follow({10: {"heater": 2000}, 200: {"heater": 0}}))
    picture = outside(record, numbers) | {"runs": [inside(record, "test", numbers)]}
    return record, {"picture": picture, "metrics": metrics}


def test_a_picture_is_the_run() -> None:
    record, made = play_small()
    picture = made["picture"]
    size, first = picture["slot"], picture["runs"][0]
    assert (size, picture["begin"], picture["seconds"]) == (10, 3600, 300)
    assert len(picture["pv"]) == len(first["grid"]) == len(first["soc"]) == 30
    assert set(picture["pv"]) == {4000}
    assert first["drawn"][0][0] == 0
    assert first["drawn"][0][1] == 1800  # it obeys one second late
    assert first["drawn"][0][5] == 2000
    assert first["allowed"][0][25] == 0
    assert first["switches"][0] == [11, -201]
    assert first["phases"] == [0]
    assert first["delivered"] == [0.1]  # of 190 s at 2 kW
    assert picture["consumers"][0]["need"] == 100
    assert sum(first["grid"]) * size == pytest.approx(sum(record.grid), abs=size * 30)
    assert all(
        a <= b <= c for a, b, c in zip(first["low"], first["grid"], first["high"], strict=True)
    )


def test_what_never_changes_is_no_trouble() -> None:
    record, _ = run(house(consumer(), seconds=95), follow({}))
    first = inside(record, "test", 20_000)
    assert first["drawn"] == first["allowed"] == [[0] * 10]
    assert first["switches"] == [[]]


def test_nobody_is_told_of_a_need_without_an_end() -> None:
    record, _ = run(house(consumer(need_wh=1e6), seconds=95), follow({}))
    assert outside(record, 20_000)["consumers"][0]["need"] is None


def test_changes_of_phase_are_counted() -> None:
    record, metrics = run(
        house(charger(), seconds=600), follow({1: {"ev": 1000}, 100: {"ev": 5000}})
    )
    assert inside(record, "test", 20_000)["phases"] == [metrics["phase_switches"]] == [1]


def test_many_runs_share_the_room() -> None:
    record, _ = run(house(consumer(), seconds=3600), follow({}))
    assert share(1) == share(10) == 20_000
    assert share(600) * 600 <= 2_200_000
    assert slot(record, share(60 * 3)) == 10
    assert slot(record, 80) == 360


def result(name: str, made: dict[str, Any]) -> dict[str, Any]:
    return {
        "scenario": name,
        "policy": "<b>me",
        "metrics": made["metrics"] | {"capture": 0.5},
        "decide_calls": 1,
        "decide_us_mean": 1.0,
    }


def test_the_page_is_whole_and_alone() -> None:
    _, made = play_small()
    made["picture"]["runs"][0]["words"] = ["</script><b>"]
    played = [Played("kind", 1.0, [result(name, made)], made["picture"]) for name in ("a", "b&c")]
    text = "".join(page(played, ["a < b"]))
    seen = parsed(text)
    days = [attrs for tag, attrs in seen.tags if tag == "details" and attrs.get("class") == "day"]
    assert [day["id"] for day in days] == ["a", "b&c"]
    assert ["open" in day for day in days] == [True, False]
    assert [attrs["href"] for tag, attrs in seen.tags if tag == "a"] == ["#a", "#b&c"]
    assert sum(tag == "canvas" for tag, _ in seen.tags) == 2
    assert not any("src" in attrs for _, attrs in seen.tags)
    assert "http" not in text
    assert "a &lt; b" in text
    assert "&lt;b&gt;me" in text
    figures = [json.loads(script) for script in seen.scripts if script.startswith("{")]
    assert figures[1]["runs"][0]["words"] == ["</script><b>"]


def test_what_was_won_is_said_first() -> None:
    _, made = play_small()
    gained = made["metrics"]["net_value"] - made["metrics"]["net_value_do_nothing"]
    ours, theirs = result("a", made), result("a", made) | {"policy": "you"}
    theirs["metrics"] = theirs["metrics"] | {"net_value": 1.5, "net_value_do_nothing": 1.0}
    played = [Played("kind", 2 * gained, [ours, theirs]) for _ in range(3)]
    text = "".join(page(played))
    parsed(text)
    assert f"<b>&lt;b&gt;me</b> gained {3 * gained:.2f} (50 % of what was possible) with 6" in text
    assert f"<b>you</b> gained 1.50 ({25 / gained:.0f} % of what was possible) with 6" in text
    assert text.index("gained") < text.index("<table")
    unbounded = "".join(page([Played("kind", None, [ours])]))
    assert f"<b>&lt;b&gt;me</b> gained {gained:.2f} with 2 switches.</p>" in unbounded
    assert "of what was possible" not in unbounded


def test_one_day_needs_no_overview() -> None:
    _, made = play_small()
    text = "".join(page([Played("kind", None, [result("a", made)], None)]))
    parsed(text)
    assert "By archetype" not in text
    assert "One simulated day" in text


def test_it_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = house(consumer(), id="one", seconds=300)
    (tmp_path / "one.json").write_text(json.dumps(raw))
    (tmp_path / "day.csv").write_text("pv_w,load_w\n" + "4000,500\n" * 8)
    words = ["simulate", "--scenario", str(tmp_path / "one.json"), "--compare", "do_nothing"]
    assert main([*words, "--html", str(tmp_path / "page.html")]) == 0
    seen = parsed((tmp_path / "page.html").read_text(encoding="utf-8"))
    picture = next(json.loads(script) for script in seen.scripts if script.startswith("{"))
    assert [one["policy"] for one in picture["runs"]] == ["heliograph", "do_nothing"]
    assert picture["runs"][0]["reasons"]
    assert main([*words, "--html", str(tmp_path / "no" / "page.html")]) == 1
    assert "page.html cannot be written" in capsys.readouterr().err
