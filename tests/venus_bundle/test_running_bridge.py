"""The whole bridge as a GX runs it, and back to the injector alone."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

import pytest

from tests.venus_bundle.daemons import (
    MARKS,
    STATUS,
    Running,
    configure,
    prefers_its_own,
    program,
    says,
    until,
)
from tests.venus_bundle.machine import Machine, make_bundle, pythons

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto

pytestmark = [
    *MARKS,
    pytest.mark.skipif(
        prefers_its_own(),
        reason="a busybox that uses the PATH is not installed (busybox-static does not)",
    ),
]
BRIDGE = """\
broker: {{url: "{url}"}}
site: {{grid: meter}}
actors:
  meter: {{kind: external}}
  gx: {{kind: venus_dbus, bus: "unix:path=/nowhere/at/all"}}
"""


@pytest.mark.skipif(
    platform.machine() != "x86_64" or "3.12" not in pythons(),
    reason="the whole bridge is bundled for Python 3.12, and tried on x86-64",
)
def test_the_whole_bridge(mosquitto: Mosquitto, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path, "x86_64")
    gx = Machine(tmp_path, bundle, python=pythons()["3.12"])
    running = Running(gx)
    try:
        said = gx.install("--bridge")
        assert "It waits for its configuration" in said
        running.start()
        until(lambda: "no configuration" in running.log("heliograph"), running.log)
        config = gx.home / "etc" / "heliograph.yaml"
        config.write_text(BRIDGE.format(url=mosquitto.url))
        gx.install("--bridge")
        # Its child, started with the packages of the bundle, is there as well.
        for topic in ("heliograph/Bridge/Status", "heliograph/Actors/meter/Status", STATUS):
            says(mosquitto, topic, "online", running, "heliograph")
        pid = running.pid("heliograph")
        assert pid is not None
        assert str(gx.home / "app" / "env" / "bin" / "python") == program(pid)[0]
        # From the whole bridge to the injector alone, and nothing of the first is left.
        configure(running, mosquitto)
        assert not (gx.root / "service" / "heliograph").is_symlink()
        assert not (gx.home / "app" / "env").exists()
        says(mosquitto, "heliograph/Bridge/Status", "offline", running)
        assert config.exists()
    finally:
        running.stop()
