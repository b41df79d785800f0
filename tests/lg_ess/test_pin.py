"""The certificate is taken on trust once, and never a second time."""

from __future__ import annotations

import hashlib
import json
import ssl
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import anyio
import msgspec
import pytest

from actors.devices.lg_ess.sim import Simulator
from actors.devices.lg_ess.simulator.server import SAMPLES
from bridge.clock import Clock
from bridge.errors import DeviceGarbled, DeviceRefused, DeviceTimeout
from bridge.http.pin import Fingerprint, Pin, shown
from tests.lg_ess.rig import build, running, wait

if TYPE_CHECKING:
    from pathlib import Path


def digest(name: str) -> str:
    text = (SAMPLES / name).read_text(encoding="ascii")
    head, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    inner = text[text.index(head) : text.index(end) + len(end)] + "\n"
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(inner)).hexdigest()


OWN, OTHER = digest("device.pem"), digest("other.pem")


def kept(tmp_path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((tmp_path / "ess" / "certificate.json").read_bytes())
    return found


async def read(tmp_path: Path, sim: Simulator, **given: Any) -> Any:
    actor = build(tmp_path, sim, **given)
    async with actor.direct():
        return await actor.read_once()


async def test_the_first_one_is_kept_and_counts_from_then_on(tmp_path: Path) -> None:
    async with Simulator() as sim:
        assert await read(tmp_path, sim)
        assert kept(tmp_path)["sha256"] == OWN
        sim.fault, asked = "certificate", len(sim.requests)
        with pytest.raises(DeviceRefused) as caught:
            await read(tmp_path, sim)
        assert len(sim.requests) == asked  # neither the password nor anything else was sent
        for words in ("another certificate", "ess/certificate.json", "`fingerprint:`", OTHER):
            assert words in str(caught.value)
        assert kept(tmp_path)["sha256"] == OWN
        sim.fault = None
        assert await read(tmp_path, sim)


async def test_removing_the_file_accepts_the_new_one(tmp_path: Path) -> None:
    async with Simulator() as sim:
        await read(tmp_path, sim)
        sim.fault = "certificate"
        (tmp_path / "ess" / "certificate.json").unlink()
        assert await read(tmp_path, sim)
        assert kept(tmp_path)["sha256"] == OTHER


async def test_a_fingerprint_of_the_owner_comes_before_everything(tmp_path: Path) -> None:
    colons = ":".join(OTHER[at : at + 2].upper() for at in range(0, 64, 2))
    async with Simulator() as sim:
        await read(tmp_path, sim)
        with pytest.raises(DeviceRefused, match="another certificate"):
            await read(tmp_path, sim, fingerprint=colons)
        sim.fault = "certificate"
        assert await read(tmp_path, sim, fingerprint=colons)
        assert kept(tmp_path)["sha256"] == OWN


async def test_a_change_while_it_runs_is_noticed_and_got_over(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        await rig.until("Status", "online")
        sim.fault = "certificate"
        await rig.until("Status", "offline")
        assert "another certificate" in (rig.last("Actors/ess/Health") or "")
        sim.fault = None
        await rig.until("Status", "online")


async def test_removing_the_file_is_enough_while_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = MagicMock()
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        await rig.until("Status", "online")
        monkeypatch.setattr(rig.actor, "log", log)
        sim.fault = "certificate"
        await rig.until("Status", "offline")
        (tmp_path / "ess" / "certificate.json").unlink()
        await rig.until("Status", "online")
        assert kept(tmp_path)["sha256"] == OTHER
        await wait(lambda: f"its certificate counts now: {OTHER}" in str(log.info.mock_calls))


async def test_what_could_not_be_kept_is_still_not_taken_anew(tmp_path: Path) -> None:
    (tmp_path / "ess").write_text("no folder")
    async with Simulator() as sim:
        actor = build(tmp_path, sim)
        async with actor.direct():
            await actor.read_once()
            sim.fault = "certificate"
            for _ in range(3):
                with pytest.raises(DeviceRefused, match="another certificate"):
                    await actor.read_once()


@pytest.mark.parametrize("text", ['{"sha256": "abc"}', '{"sha256": "9', "", "[]", "{}", "null"])
async def test_a_damaged_note_is_not_taken_for_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "ess" / "certificate.json"
    async with Simulator() as sim:
        await read(tmp_path, sim)
        file.write_text(text)
        for _ in range(2):
            with pytest.raises(
                DeviceRefused, match=r"`fingerprint:`, or delete ess/certificate\.json"
            ):
                await read(tmp_path, sim)
        assert file.read_text() == text
        file.unlink()
        assert await read(tmp_path, sim)


async def test_deleting_a_file_is_no_advice_to_who_has_set_a_fingerprint(tmp_path: Path) -> None:
    async with Simulator() as sim:
        with pytest.raises(DeviceRefused, match="another certificate") as caught:
            await read(tmp_path, sim, fingerprint=OTHER)
        assert "certificate.json" not in str(caught.value)
        assert f"set `fingerprint:` to that (SHA-256 {OWN})" in str(caught.value)


async def test_what_cannot_be_kept_is_said(tmp_path: Path) -> None:
    (tmp_path / "ess").write_text("no folder")
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        await rig.until("Status", "online")
        await wait(lambda: "could not be kept" in (rig.last("Actors/ess/Messages/Warning") or ""))


async def test_without_a_state_folder_it_counts_for_this_object(tmp_path: Path) -> None:
    async with Simulator() as sim:
        pin = Pin(sim.host, sim.port, name="it", clock=Clock())
        await pin.tls()
        assert (pin.new, pin.fingerprint) == (True, OWN)
        assert "certificate.json" not in str(pin.refusal(bytes.fromhex(OTHER)))


async def test_nobody_there_and_no_tls_there() -> None:
    async with Simulator() as sim:
        port = sim.port
        await sim.stop()
        with pytest.raises(DeviceTimeout, match="refuses the connection"):
            await shown("127.0.0.1", port, name="it", timeout=1)

    async def babble(stream: Any) -> None:
        async with stream:
            await stream.send(b"220 mail.example ESMTP\r\n")

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, babble)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        with pytest.raises(DeviceGarbled, match="does not speak TLS"):
            await shown("127.0.0.1", port, name="it", timeout=1)
        tasks.cancel_scope.cancel()


async def test_whoever_says_nothing_is_not_waited_for() -> None:
    async def silent(stream: Any) -> None:
        async with stream:
            await anyio.sleep_forever()

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, silent)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        with pytest.raises(DeviceTimeout, match=r"within 0\.2 s"):
            await shown("127.0.0.1", port, name="it", timeout=0.2)
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (OWN, True),
        (OWN.upper(), True),
        (":".join(OWN[at : at + 2] for at in range(0, 64, 2)), True),
        (OWN[:-2], False),
        (OWN + "00", False),
        ("g" * 64, False),
        ("", False),
    ],
)
def test_what_a_fingerprint_looks_like(text: str, good: bool) -> None:
    if good:
        assert msgspec.convert(text, Fingerprint) == text
    else:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(text, Fingerprint)
