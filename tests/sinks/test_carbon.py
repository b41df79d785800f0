"""What carbon itself makes of our lines, read back from its whisper files."""

from __future__ import annotations

import contextlib
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.sinks.graphite.actor import Settings
from bridge.config.kinds import find_kind
from tests.actors.kinds import last, running
from tests.support.mosquitto import free_port
from tests.support.oracle import ask_oracle, oracle_python

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.runtime.links import Link
    from tests.support.mosquitto import Mosquitto

SCRIPT = Path(__file__).parents[1] / "oracles" / "carbon_check.py"
CONFIG = """\
[cache]
LINE_RECEIVER_INTERFACE = 127.0.0.1
LINE_RECEIVER_PORT = {port}
ENABLE_UDP_LISTENER = True
UDP_RECEIVER_INTERFACE = 127.0.0.1
UDP_RECEIVER_PORT = {port}
PICKLE_RECEIVER_PORT = 0
CACHE_QUERY_INTERFACE = 127.0.0.1
CACHE_QUERY_PORT = {query}
MAX_CREATES_PER_MINUTE = inf
MAX_UPDATES_PER_SECOND = inf
"""
SCHEMAS = "[all]\npattern = .*\nretentions = 1s:1h\n"

# The first run installs carbon, which takes longer than a test may.
pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def python() -> Path:
    return oracle_python(["carbon==1.1.10", "whisper==1.1.10"])


@contextlib.asynccontextmanager
async def carbon(python: Path, folder: Path, port: int) -> AsyncIterator[Path]:
    """A running carbon-cache; gives the folder of its files."""
    (folder / "conf").mkdir(parents=True, exist_ok=True)
    (folder / "conf" / "carbon.conf").write_text(CONFIG.format(port=port, query=free_port()))
    (folder / "conf" / "storage-schemas.conf").write_text(SCHEMAS)
    environment = {
        "GRAPHITE_ROOT": str(folder),
        "GRAPHITE_CONF_DIR": str(folder / "conf"),
        "GRAPHITE_STORAGE_DIR": str(folder / "storage"),
        "PATH": str(python.parent),
    }
    program = [str(python), str(python.parent / "carbon-cache.py"), "--nodaemon", "start"]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(program, env=environment, stdout=log, stderr=log)  # noqa: ASYNC220 - starting is quick
    try:
        with anyio.fail_after(30):
            while True:
                with contextlib.suppress(OSError):
                    async with await anyio.connect_tcp("127.0.0.1", port):
                        break
                await anyio.sleep(0.1)
        yield folder / "storage" / "whisper"
    finally:
        process.terminate()
        process.wait(20)


async def stored(python: Path, files: Path, wanted: dict[str, float]) -> Any:
    """Wait until carbon has written; the newest value of each path."""
    found: Any = {}
    for _ in range(60):
        found = await ask_oracle(python, SCRIPT, str(files), str(int(time.time()) - 600))
        if set(wanted) <= set(found):
            break
        await anyio.sleep(0.25)
    return found


SAID = {
    "Devices/meter/GridPower": b"-1200.5",
    "Devices/plug/Switch": b"true",
    "Site/Surplus": b"123456.7",
    "Requests/pool-1/Allowance": b"0",
}
WANTED = {
    "heliograph.Devices.meter.GridPower": -1200.5,
    "heliograph.Devices.plug.Switch": 1.0,
    "heliograph.Site.Surplus": 123456.7,
    "heliograph.Requests.pool-1.Allowance": 0.0,
}


def say(them: Link) -> None:
    for address, payload in SAID.items():
        them.connection.send(f"heliograph/{address}", payload)


@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_carbon_stores_what_was_published(
    python: Path, tmp_path: Path, mosquitto: Mosquitto, transport: str
) -> None:
    port = free_port()
    settings = Settings(host="127.0.0.1", port=port, transport=transport, interval=0.2)  # type: ignore[arg-type]
    kind = find_kind("graphite")
    async with running(kind, settings, tmp_path / "state", mosquitto.port) as them:
        await them.until(lambda: last(them, "Actors/dut/Messages/Operational"))
        begun = int(time.time())
        say(them)
        await them.until(lambda: last(them, "Requests/pool-1/Allowance") == "0")
        if transport == "tcp":  # what came before the server is delivered after it
            await them.until(lambda: "wait" in (last(them, "Actors/dut/Health") or ""))
        async with carbon(python, tmp_path / "carbon", port) as files:
            if transport == "udp":
                say(them)
            found = await stored(python, files, WANTED)
    assert {path: found[path][1] for path in WANTED} == WANTED
    assert all(begun <= stamp <= time.time() for stamp, _ in found.values())
