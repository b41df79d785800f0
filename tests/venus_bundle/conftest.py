"""Bundles that are made once for a file, and GXs to install them on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.venus_bundle.machine import BUSYBOX, Machine, make_bundle

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the archives of one file are."""
    return tmp_path_factory.mktemp("bundles")


@pytest.fixture(scope="module")
def small(out: Path) -> Path:
    """For a 32-bit GX: the injector."""
    return make_bundle(out, "armv7l")


@pytest.fixture(scope="module")
def large(out: Path) -> Path:
    """For a 64-bit GX: the whole bridge."""
    return make_bundle(out, "aarch64")


@pytest.fixture
def gx(small: Path, tmp_path: Path) -> Machine:
    """A GX on which nothing is installed, with the small bundle on a stick."""
    if BUSYBOX is None:
        pytest.skip("busybox is not installed")
    return Machine(tmp_path, small)
