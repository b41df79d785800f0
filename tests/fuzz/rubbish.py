"""What a broken or hostile client might send: topics that actors hear, payloads of every sort."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from bridge.contract import load_contract
from bridge.errors import PayloadError

if TYPE_CHECKING:
    from collections.abc import Iterable

BASE = "heliograph/"
MAIN = "good"  # the consumer that behaves
_ODD_LEVELS = (
    *(
        "",
        " ",
        "x",
        "{consumer}",
        "{Quantity}",
        "*",
        "$SYS",
        "$share",
        "%u",
        "..",
        "\uff0b",
        "\uff03",
    ),
    *("\U0001f31e", "Grün", "e\u0301", "\u202eabc", "a" * 33, "a" * 300, "null", "-1", "Allowance"),
    *("State", "Status", "Set", "Request", "GridPower", "meter", "heater", "car", "pool_2"),
)
_HEARD = re.compile(r"\t(\S.*) \(QoS \d\)$")

PLAIN = (b"true", b"off", b"0", b"-1", b"900", b"1e5", b"900.5", b" 7 ", b"online", b"offline")
JSON = (
    b'{"Request": 900, "IsAutomatic": true, "Priority": 50}',
    b'{"at": "2026-11-21T12:00:00.000Z", "GridPower": -5, "PvPower": null}',
    b'{"value": 5, "ttl": 60, "id": "x", "by": "someone"}',
    b'{"state": "ok", "since": "2026-11-21T12:00:00Z", "restarts": 0, "error": null}',
)
NASTY = (
    *(b"", b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\xef\xbb\xbf5", b"NaN", b"-inf", b"1e400"),
    *(b"1_000", b"0x10", b"5 W", b"5,5", b"--5", b"null", b"[]", b"{}", b'"5"', b"[" * 60_000),
    *(b'{"a":' * 5_000, b"9" * 5_000, b"9" * 400, b'{"Request": NaN}', b'{"Request": 1e999}'),
    *(
        b'{"Request": [1]}',
        b'{"request": 1, "Request": 2}',
        b'{"Request": "\\ud800"}',
        b"x" * 70_000,
    ),
    *(
        b'{"value": {}}',
        b'{"value": 1, "ttl": -1}',
        b'{"ttl": 1e308}',
        b'{"' + b"k" * 3_000 + b'": 1}',
    ),
    *(
        "\u00bd".encode(),
        "\u0663".encode(),
        "\u22125".encode(),
        b"\r\n",
        b"5\n",
        b"tru",
        b"TRUE\x00",
    ),
)


def filters_of(broker_log: str, base: str = "heliograph") -> list[str]:
    """Every topic filter that a client of the bridge has subscribed, from mosquitto's log."""
    found: dict[str, None] = {}
    of_bridge = False
    for line in broker_log.splitlines():
        if "Received SUBSCRIBE from" in line:
            of_bridge = f" {base}-" in line
        elif of_bridge and (match := _HEARD.search(line)):
            found[match[1]] = None
    return list(found)


def concrete(filters: Iterable[str]) -> st.SearchStrategy[str]:
    """A topic that one of the filters hears: usual and odd names for its `+`."""
    level = st.sampled_from(_ODD_LEVELS) | st.text(max_size=8).map(_publishable)

    def fill(chosen: str) -> st.SearchStrategy[str]:
        parts = chosen.split("/")
        names = [level if part in {"+", "#"} else st.just(part) for part in parts]
        return st.tuples(*names).map("/".join)

    return st.sampled_from(sorted(filters)).flatmap(fill)


def _publishable(text: str) -> str:
    """Without what no client may publish to: wildcards, NUL, half a surrogate pair."""
    text = text.encode("utf-8", "ignore").decode()
    return re.sub(r"[+#\x00-\x1f\x7f-\x9f\ufdd0-\ufdef]|[\ufffe\uffff]", "", text)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good payload with something changed."""
    raw = bytearray(draw(st.sampled_from((*PLAIN, *JSON))))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(raw) - 1, 0)))
        if draw(st.booleans()) and raw:
            raw[at] = draw(st.integers(0, 255))
        else:
            raw[at:at] = draw(st.binary(max_size=4))
    return bytes(raw)


PAYLOADS = st.sampled_from((*NASTY, *PLAIN, *JSON)) | mutated() | st.binary(max_size=300)


def harmless(topic: str, payload: bytes) -> bool:
    """Whether the house must go on unchanged: where a good payload is a command, only bad ones."""
    if not topic.startswith(BASE):
        # Another es-ESS that is alive makes every allowance 0, and rightly so.
        return not topic.endswith("LastUpdateTime")
    address = topic.removeprefix(BASE)
    levels = address.split("/")
    commanding = levels[0] in {"Site", "Bridge"} or levels[1:2] in ([MAIN], ["meter"], ["roof"])
    # Long holds of power by others are theirs by right: minimum times are not thrown about.
    holding = (
        levels[-1].lower() in {"minon", "stopdelay"} or b"inO" in payload or b"topD" in payload
    )
    if not commanding and not holding:
        return True
    channel = load_contract().match(address)
    if channel is None:
        return not holding
    try:
        value: Any = channel.decode(payload)
    except PayloadError:
        return True
    # An empty payload resets a field, clears a value, gives back: a good command everywhere.
    return holding and not commanding and value is None
