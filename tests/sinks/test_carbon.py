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
    from collections.abc import AsyncIterator, Callable

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
pytestmark = [
    pytest.mark.oracle,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.usefixtures("quick"),
]


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


async def stored(
    python: Path, files: Path, wanted: dict[str, float], before: Callable[[], None] = lambda: None
) -> Any:
    """Wait until carbon has written, `before` each look; the newest value of each path."""
    found: Any = {}
    for _ in range(60):
        before()
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
    "Devices.meter.GridPower": -1200.5,
    "Devices.plug.Switch": 1.0,
    "Site.Surplus": 123456.7,
    "Requests.pool-1.Allowance": 0.0,
}


def under(first: str) -> dict[str, float]:
    return {f"{first}.{path}": value for path, value in WANTED.items()}


def say(them: Link) -> None:
    for address, payload in SAID.items():
        them.connection.send(f"heliograph/{address}", payload)


async def test_carbon_stores_what_was_published(
    python: Path, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    """Over TCP also what came before carbon ran; over UDP what came while it did."""
    port = free_port()
    common = {"host": "127.0.0.1", "port": port, "interval": 0.2}
    rest = "{group}.{device}.{quantity}"
    tcp = Settings(**common, template=f"tcp.{rest}")  # type: ignore[arg-type]
    udp = Settings(**common, template=f"udp.{rest}", transport="udp")  # type: ignore[arg-type]
    kind = find_kind("graphite")
    begun = int(time.time())
    async with contextlib.AsyncExitStack() as stack:
        async with running(kind, tcp, tmp_path / "tcp", mosquitto.port) as them:
            await them.until(lambda: last(them, "Actors/dut/Messages/Operational"))
            say(them)
            await them.until(lambda: "wait" in (last(them, "Actors/dut/Health") or ""))
            files = await stack.enter_async_context(carbon(python, tmp_path / "carbon", port))
            check(await stored(python, files, under("tcp")), under("tcp"), begun)
        begun = int(time.time())
        async with running(kind, udp, tmp_path / "udp", mosquitto.port) as them:
            found = await stored(python, files, under("udp"), before=lambda: say(them))
        check(found, under("udp"), begun)


def check(found: Any, wanted: dict[str, float], begun: int) -> None:
    assert {path: found[path][1] for path in wanted} == wanted
    assert all(begun <= found[path][0] <= time.time() for path in wanted)
