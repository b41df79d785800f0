"""When a GX is asked to go on, second by second."""

from __future__ import annotations

import json

from actors.venus.venus_mqtt.keepalive import EVERY, PLAIN, SUPPRESS, Keepalive


def begun() -> Keepalive:
    found = Keepalive()
    found.connected(0.0)
    return found


def test_everything_is_asked_for_at_a_connection_and_then_only_to_go_on() -> None:
    keep = begun()
    first = keep.due(0.0)
    assert first is not None
    options = json.loads(first)["keepalive-options"]
    assert options == [{"full-publish-completed-echo": keep.echo}]
    # Both in one would publish nothing and answer nothing.
    assert b"suppress" not in first
    assert keep.due(0.1) is None
    keep.heard(0.2, retained=False)
    keep.completed(keep.echo, 0.2)
    assert keep.complete
    assert keep.due(EVERY - 1) is None
    assert keep.due(0.2 + EVERY) == SUPPRESS
    assert keep.due(0.3 + EVERY) is None
    assert keep.due(0.3 + 2 * EVERY) == SUPPRESS


def test_the_end_of_somebody_elses_publish_is_not_ours() -> None:
    keep = begun()
    keep.due(0.0)
    keep.completed("another client", 0.1)
    keep.completed(None, 0.1)
    assert not keep.complete


def test_it_is_asked_again_where_three_others_were_quicker() -> None:
    keep = begun()
    first = keep.due(0.0)
    keep.heard(0.5, retained=False, beat=True)
    again = keep.due(2.0)
    assert again is not None
    assert again not in {first, PLAIN, SUPPRESS}
    keep.completed(keep.echo, 2.1)
    assert keep.complete


def test_after_a_silence_everything_is_asked_for() -> None:
    keep = begun()
    keep.due(0.0)
    keep.heard(0.1, retained=False, beat=True)
    keep.completed(keep.echo, 0.1)
    keep.heard(9.0, retained=False, beat=True)
    assert keep.due(9.1) is None
    keep.heard(20.0, retained=False, beat=True)
    assert not keep.complete
    assert b"echo" in (keep.due(20.0) or b"")


def test_an_old_gx_is_told_by_what_it_keeps_in_its_broker() -> None:
    keep = begun()
    keep.due(0.0)
    keep.retained_value()
    assert keep.due(0.1) == PLAIN
    assert keep.due(20.0) is None
    assert keep.due(31.0) == PLAIN


def test_one_that_says_nothing_may_be_an_old_one() -> None:
    keep = begun()
    sent = [keep.due(now) for now in (0.0, 2.0, 6.0)]
    assert b"echo" in (sent[0] or b"")
    assert sent[2] == PLAIN
    assert keep.due(6.1) is None


def test_a_reconnect_forgets_all() -> None:
    keep = begun()
    keep.retained_value()
    keep.heard(1.0, retained=False)
    keep.connected(5.0)
    assert keep.old is None
    assert keep.age(5.0) > 1e9
    assert b"echo" in (keep.due(5.0) or b"")


def test_what_was_kept_is_no_sign_of_life() -> None:
    keep = begun()
    keep.heard(1.0, retained=True)
    assert keep.age(1.0) > 1e9
    keep.heard(2.0, retained=False)
    assert keep.age(4.5) == 2.5
