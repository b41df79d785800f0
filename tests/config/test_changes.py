"""What a re-read configuration changes: by value, not by place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.config import Changes, changes

if TYPE_CHECKING:
    from tests.config.helpers import Judge

_OLD = """\
base: a
broker: {url: embedded}
discovery: {prefix: x}
compat: {es_ess: true}
state: /var/a
site: {grid: meter, pv: [roof-east]}
consumers: {pool: {max: 5}}
actors:
  meter: {kind: shelly, host: h, password: one}
  roof: {kind: external}
  lone: {kind: external}
"""


def test_nothing(judge: Judge) -> None:
    moved = "# a comment\n" + _OLD.replace("\nactors:", "\n\nactors:").replace(
        "{kind: shelly, host: h, password: one}", "{password: one, host: h, kind: shelly, port: 80}"
    )
    found = changes(judge.load(_OLD), judge.load(moved))
    assert found == Changes()
    assert not found


@pytest.mark.parametrize(
    ("old", "new", "restarted"),
    [
        ("host: h", "host: i", {"meter"}),
        ("password: one", "password: two", {"meter"}),
        ("kind: external}\n  lone", "kind: everything}\n  lone", {"roof"}),
        ("max: 5", "max: 6", {"distributor"}),
        ("es_ess: true", "es_ess: {request_ttl: 5}", {"es_ess"}),
        ("roof-east", "roof-west", {"roof", "site", "distributor", "es_ess"}),
        ("grid: meter", "grid: roof", {"roof", "meter", "site", "distributor", "es_ess"}),
    ],
)
def test_only_what_changed_restarts(judge: Judge, old: str, new: str, restarted: set[str]) -> None:
    assert old in _OLD
    found = changes(judge.load(_OLD), judge.load(_OLD.replace(old, new)))
    assert found == Changes(restarted=restarted)


def test_started_and_stopped(judge: Judge) -> None:
    new = _OLD.replace("lone:", "other:").replace("es_ess: true", "es_ess: false")
    found = changes(judge.load(_OLD), judge.load(new))
    assert found.started == {"other"}
    assert found.stopped == {"lone", "es_ess"}
    assert found.restarted == set()


def test_the_site_goes(judge: Judge) -> None:
    new = _OLD.replace("site: {grid: meter, pv: [roof-east]}", "")
    found = changes(judge.load(_OLD), judge.load(new))
    assert found.stopped == {"site", "distributor"}
    assert found.restarted == {"meter", "roof", "es_ess"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("base: a", "base: b"),
        ("url: embedded", "url: mqtt://h"),
        ("prefix: x", "prefix: y"),
        ("/var/a", "/var/b"),
    ],
)
def test_what_restarts_everybody(judge: Judge, old: str, new: str) -> None:
    found = changes(judge.load(_OLD), judge.load(_OLD.replace(old, new)))
    assert found == Changes(restart_all=True)
    assert found


def test_a_changed_secret_file_counts(judge: Judge) -> None:
    secret = judge.path.parent / "p"
    secret.write_text("one")
    text = _OLD.replace("password: one", "password: !file p")
    old = judge.load(text)
    secret.write_text("two")
    assert changes(old, judge.load(text)).restarted == {"meter"}
