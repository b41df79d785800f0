"""Allowances under the es-ESS tree have no age there, so here they are taken back in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.compat.es_ess.actor import EsEss, Settings
from actors.compat.es_ess.core import ROOT, STATUS
from bridge.mqtt import Incoming
from tests.runtime.virtual import VIRTUAL, Wire, alive, context, hear

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, Any]:
    return VIRTUAL


class Tree:
    """The second connection: what goes out on the es-ESS tree, and what comes in there."""

    def __init__(self, actor: EsEss) -> None:
        self.actor = actor
        self.sent: list[tuple[str, bytes]] = []
        actor.tree.send = self._send  # type: ignore[method-assign]
        actor.tree.run = anyio.sleep_forever  # type: ignore[method-assign]

    def _send(self, topic: str, payload: bytes, **_: Any) -> bool:
        self.sent.append((topic, payload))
        return True

    def of(self, topic: str) -> list[bytes]:
        return [payload for where, payload in self.sent if where == topic]

    def allowances(self) -> list[bytes]:
        return self.of(f"{ROOT}/Requests/EV/Allowance")

    def hear(self, topic: str, payload: bytes) -> None:
        self.actor._hear(Incoming(topic, payload, retained=False))


def made(state: Path) -> tuple[Wire, EsEss, Tree]:
    actor = EsEss(context(state, "es_ess", Settings()))
    return Wire(), actor, Tree(actor)


async def granted(actor: EsEss, tree: Tree) -> None:
    await anyio.sleep(0.01)
    tree.hear(f"{ROOT}/Requests/EV/Request", b"2000")
    await anyio.sleep(0.01)
    hear(actor, "Requests/EV/Allowance", b"2000")
    await anyio.sleep(0.01)
    assert tree.allowances() == [b"2000"]


async def test_an_allowance_that_is_not_repeated_ends_after_its_ttl(tmp_path: Path) -> None:
    wire, actor, tree = made(tmp_path)
    async with alive(actor, wire):
        await granted(actor, tree)
        await anyio.sleep(20)
        hear(actor, "Requests/EV/Allowance", b"2000")
        await anyio.sleep(29)
        assert tree.allowances() == [b"2000", b"2000"]
        await anyio.sleep(3)
        assert tree.allowances() == [b"2000", b"2000", b"0"]


async def test_when_the_distributor_goes_it_is_over_at_once(tmp_path: Path) -> None:
    wire, actor, tree = made(tmp_path)
    async with alive(actor, wire):
        await granted(actor, tree)
        hear(actor, "Actors/distributor/Status", b"offline")
        await anyio.sleep(0.01)
        assert tree.allowances() == [b"2000", b"0"]


async def test_who_withdraws_its_request_is_told_0(tmp_path: Path) -> None:
    wire, actor, tree = made(tmp_path)
    async with alive(actor, wire):
        await granted(actor, tree)
        tree.hear(f"{ROOT}/Requests/EV/Request", b"")
        await anyio.sleep(100)
        assert tree.allowances() == [b"2000", b"0"]
        assert wire.json("Requests/EV") == {"Request": None}
        assert len(wire.of("Requests/EV")) == 2


async def test_a_foreign_es_ess_is_not_contradicted(tmp_path: Path) -> None:
    wire, actor, tree = made(tmp_path)
    async with alive(actor, wire):
        await granted(actor, tree)
        for moment in (b"1", b"2"):
            tree.hear(f"{ROOT}/LastUpdateTime", moment)
        await anyio.sleep(0.01)
        assert "es-ESS itself" in (wire.last("Site/Hold") or "")
        for payload in (b"2000", b"0", b"0", b"0"):
            hear(actor, "Requests/EV/Allowance", payload)
            await anyio.sleep(10)
        assert tree.allowances() == [b"2000", b"0"]
        before = len(tree.of(STATUS))
        await anyio.sleep(200)
        assert tree.of(STATUS)[before:] == [b"Online"]
        assert wire.last("Site/Hold") == ""
