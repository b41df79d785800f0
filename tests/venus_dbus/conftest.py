"""A GX and the injector for the tests that want them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.mosquitto import Mosquitto, free_port
from tests.venus_dbus.gx import Gx

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def gx(mosquitto: Mosquitto, tmp_path: Path) -> Iterator[Gx]:
    """A bus without anybody on it; nothing is started yet."""
    with Gx(tmp_path, mosquitto.port, free_port()) as found:
        found.injector.hurried = True
        yield found


@pytest.fixture
def running(gx: Gx) -> Gx:
    """The same with settings and the injector, for one test alone."""
    gx.settings(wait=False)  # all of them start at the same time
    gx.injector.start()
    gx.settled()
    return gx


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gx]:
    """The same for a whole file: its tests leave it running and use services of their own."""
    with (
        Mosquitto() as broker,
        Gx(tmp_path_factory.mktemp("gx"), broker.port, free_port()) as found,
    ):
        found.settings("grid:30", "acload:60", wait=False)
        found.injector.start()
        found.settled()
        yield found
