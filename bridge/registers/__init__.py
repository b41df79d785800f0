"""What a table of registers means: decoding, planning of reads, quantities, and controls. Pure."""

from bridge.registers.load import check_folder, find_map, load_map, maps_of, strictest_pacing
from bridge.registers.model import Limits, Pacing, Register, RegisterMap

__all__ = [
    "Limits",
    "Pacing",
    "Register",
    "RegisterMap",
    "check_folder",
    "find_map",
    "load_map",
    "maps_of",
    "strictest_pacing",
]
