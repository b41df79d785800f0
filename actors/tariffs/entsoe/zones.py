"""Bidding zones by their usual names. Pure.

An EIC code has 16 characters, the last of which is computed from the others, so that a mistyped
one is noticed. Names are taken with `-`, `_`, blanks or nothing between their parts.
"""

from __future__ import annotations

import re
from typing import Final

MARKET: Final = "Europe/Brussels"
"""The delivery day of the coupled market is one of Central European Time in every zone."""
ZONES: Final = {
    "AT": "10YAT-APG------L",
    "BE": "10YBE----------2",
    "BG": "10YCA-BULGARIA-R",
    "CH": "10YCH-SWISSGRIDZ",
    "CZ": "10YCZ-CEPS-----N",
    "DE-LU": "10Y1001A1001A82H",
    "DK1": "10YDK-1--------W",
    "DK2": "10YDK-2--------M",
    "EE": "10Y1001A1001A39I",
    "ES": "10YES-REE------0",
    "FI": "10YFI-1--------U",
    "FR": "10YFR-RTE------C",
    "GR": "10YGR-HTSO-----Y",
    "HR": "10YHR-HEP------M",
    "HU": "10YHU-MAVIR----U",
    "IT-Centre-North": "10Y1001A1001A70O",
    "IT-Centre-South": "10Y1001A1001A71M",
    "IT-North": "10Y1001A1001A73I",
    "IT-Sardinia": "10Y1001A1001A74G",
    "IT-Sicily": "10Y1001A1001A75E",
    "IT-South": "10Y1001A1001A788",
    "LT": "10YLT-1001A0008Q",
    "LV": "10YLV-1001A00074",
    "NL": "10YNL----------L",
    "NO1": "10YNO-1--------2",
    "NO2": "10YNO-2--------T",
    "NO3": "10YNO-3--------J",
    "NO4": "10YNO-4--------9",
    "NO5": "10Y1001A1001A48H",
    "PL": "10YPL-AREA-----S",
    "PT": "10YPT-REN------W",
    "RO": "10YRO-TEL------P",
    "SE1": "10Y1001A1001A44P",
    "SE2": "10Y1001A1001A45N",
    "SE3": "10Y1001A1001A46L",
    "SE4": "10Y1001A1001A47J",
    "SI": "10YSI-ELES-----O",
    "SK": "10YSK-SEPS-----K",
}
_ALIASES: Final = {"DE": "DE-LU", "LU": "DE-LU", "IT-NORD": "IT-North"}
_EIC: Final = re.compile(r"[0-9A-Z]{2}Y[0-9A-Z-]{12}[0-9A-Z]\Z")
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"


def checked(code: str) -> bool:
    """True for 16 characters that are an EIC code of an area, by its last one."""
    if not _EIC.match(code):
        return False
    total = sum(
        _DIGITS.index(each) * weight
        for each, weight in zip(code[:15], range(16, 1, -1), strict=True)
    )
    return _DIGITS[36 - (total - 1) % 37] == code[15]


def code_of(zone: str) -> str | None:
    """The EIC code of a name, or of itself; None for what is neither."""
    text = zone.strip().upper()
    if checked(text):
        return text
    return _BY_NAME.get(_bare(text))


def name_of(code: str) -> str:
    """The usual name of a code, or the code itself."""
    return next((name for name, each in ZONES.items() if each == code), code)


def _bare(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", text.upper())


_BY_NAME: Final = {_bare(name): code for name, code in ZONES.items()} | {
    _bare(name): ZONES[meant] for name, meant in _ALIASES.items()
}
