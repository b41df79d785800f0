"""Recorded payloads from elsewhere, where there are any: `$HELIOGRAPH_FACTS/payloads/shelly-*`.

Each file is read by what it is; without that folder, our own samples go through the same door.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import actors.devices.shelly as package
from actors.devices.shelly.decode import decode
from actors.devices.shelly.document import merge, read_object, unwrap
from actors.devices.shelly.identity import Identity, identify
from bridge.errors import DeviceRefused

if TYPE_CHECKING:
    from actors.devices.shelly.reading import Reading

SAMPLES = Path(package.__file__).parent / "samples"
FACTS = os.environ.get("HELIOGRAPH_FACTS")
GIVEN = Path(FACTS) / "payloads" if FACTS else None
GEN1, GEN2 = (Identity(number, None, None, None, login=False) for number in (1, 2))

KNOWN: dict[str, tuple[float | None, float | None, float | None]] = {
    "status_3em_export.json": (-602.24, 1866.1067, 91.9397),
    "status_plug_s.json": (1510.22, 26320 / 60_000, None),
    "pro3em_Shelly.GetStatus.json": (-1015.512, 5415.41419, 812.99002),
    "notify_full_status.json": (-1015.512, 5415.41419, 812.99002),
    "notify_status_delta.json": (-985.2, 5415.41419, 812.99002),
    "plus1pm_Switch.GetStatus.json": (1498.3, 110.0462, None),
    "pmmini_g3_PM1.GetStatus.json": (-668.4, 24.135128, 488.21055),
}


def paths() -> list[Path]:
    found = sorted(SAMPLES.glob("*.json"))
    if GIVEN is not None:
        for folder in ("shelly-gen1", "shelly-gen2"):
            found += sorted((GIVEN / folder).glob("*.json"))
    return found


def is_first(path: Path) -> bool:
    if path.parent != SAMPLES:
        return path.parent.name == "shelly-gen1"
    return path.stem.startswith(("3em", "em_", "plug", "relay"))


@pytest.mark.parametrize("path", paths(), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_payload_is_read(path: Path) -> None:
    text = path.read_bytes()
    if text.lstrip().startswith(b"["):
        check_messages(json.loads(text))
        return
    found = read_object(text)
    if "error" in found:
        with pytest.raises(DeviceRefused):
            unwrap(found)
        return
    inner = unwrap(found)
    if "mac" in inner and ("gen" in inner or "type" in inner):
        assert identify(inner).serial == inner["mac"]
        return
    if "method" in found and "auth" in found:
        assert inner == {"id": 0}  # a request of ours: its parameters
        return
    if "ison" in inner or "was_on" in inner:
        return
    if found.get("method") == "NotifyStatus":
        full = unwrap(read_object(path.with_name("notify_full_status.json").read_bytes()))
        inner = merge(full, inner)
    reading = decode(GEN1 if is_first(path) else GEN2, as_status(path, inner))
    assert reading.channels or reading.outputs
    check_known(path, reading)


def as_status(path: Path, inner: dict[str, Any]) -> dict[str, Any]:
    """A single component, as the part of a status that it is."""
    if any(":" in key for key in inner) or "wifi_sta" in inner:
        return inner
    if is_first(path):
        return {"emeters": [inner]}
    keys = {"a_act_power": "em:0", "a_total_act_energy": "emdata:0", "output": "switch:0"}
    key = next((name for mark, name in keys.items() if mark in inner), "pm1:0")
    return {key: inner} if key != "emdata:0" else {"em:0": {"id": 0}, key: inner}


def check_messages(messages: list[dict[str, Any]]) -> None:
    """MQTT messages: the texts of the first generation are numbers, frames are frames."""
    emeters: list[dict[str, Any]] = [{}, {}, {}]
    for each in messages:
        if isinstance(each["payload"], dict):
            assert isinstance(unwrap(each["payload"]), dict)
        elif "/emeter/" in each["topic"]:
            index, name = each["topic"].split("/")[-2:]
            emeters[int(index)][name] = each["payload"]
    if any(emeters):
        reading = decode(GEN1, {"emeters": emeters})
        assert reading.total is not None
        assert reading.total.power == pytest.approx(sum(float(each["power"]) for each in emeters))


def check_known(path: Path, reading: Reading) -> None:
    """Totals of payloads whose numbers we know: W, kWh imported, kWh exported."""
    known = KNOWN.get(path.name)
    if known is None or path.parent == SAMPLES:
        return
    line = reading.total or reading.channels[0]
    assert (line.power, line.imported, line.exported) == tuple(
        None if each is None else pytest.approx(each) for each in known
    )
