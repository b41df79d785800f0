"""The kind that a parametrised test is about."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from bridge.config.kinds import Kind, find_kind
from tests.actors.kinds import COPY, INVERTER, copy_template

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kind]:
    """The skeleton, copied as a newcomer does it."""
    folder = tmp_path_factory.mktemp("newcomer")
    before = list(sys.path)
    yield copy_template(folder, COPY)
    sys.path[:] = before


@pytest.fixture(scope="session")
def inverter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kind]:
    """The skeleton of an inverter made of registers, copied likewise."""
    folder = tmp_path_factory.mktemp("newcomer")
    before = list(sys.path)
    yield copy_template(folder, INVERTER)
    sys.path[:] = before


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> Kind:
    """The kind named by the parameter."""
    copies = {COPY: "copied", INVERTER: "inverter"}
    if request.param in copies:
        found: Kind = request.getfixturevalue(copies[request.param])
        return found
    return find_kind(request.param)
