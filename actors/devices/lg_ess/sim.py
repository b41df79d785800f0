"""A simulated LG ESS that speaks HTTPS on loopback: three dialects, sessions, faults."""

from __future__ import annotations

from typing import Final

from actors.devices.lg_ess.simulator.faults import FAULTS
from actors.devices.lg_ess.simulator.plant import MODELS
from actors.devices.lg_ess.simulator.server import PASSWORD, Simulator

SETTINGS: Final = {"password": PASSWORD}

__all__ = ["FAULTS", "MODELS", "PASSWORD", "SETTINGS", "Simulator"]
