"""The two documents of a simulated ENTSO-E as XML. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from actors.tariffs.entsoe.simulator.faults import Block

_PRICES: Final = "urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3"
_REFUSED: Final = "urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0"
_HEAD: Final = '<?xml version="1.0" encoding="utf-8"?>\n'
ENTITIES: Final = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "9"><!ENTITY b "&a;&a;&a;&a;">]>'
    f'<Publication_MarketDocument xmlns="{_PRICES}"><mRID>&b;</mRID></Publication_MarketDocument>'
)
OTHER: Final = f'{_HEAD}<GL_MarketDocument xmlns="urn:other"><mRID>1</mRID></GL_MarketDocument>'


def acknowledgement(code: str, text: str, now: datetime) -> str:
    """What is sent instead of prices."""
    return (
        f'{_HEAD}<Acknowledgement_MarketDocument xmlns="{_REFUSED}">\n'
        f"  <mRID>simulated</mRID><createdDateTime>{now:%Y-%m-%dT%H:%M:%SZ}</createdDateTime>\n"
        f"  <Reason><code>{code}</code><text>{escape(text)}</text></Reason>\n"
        "</Acknowledgement_MarketDocument>\n"
    )


def publication(blocks: Sequence[Block], zone: str, start: datetime, end: datetime) -> str:
    """Prices."""
    series = "".join(_series(number, each, zone) for number, each in enumerate(blocks, 1))
    return (
        f'{_HEAD}<Publication_MarketDocument xmlns="{_PRICES}">\n'
        "<mRID>simulated</mRID><revisionNumber>1</revisionNumber><type>A44</type>\n"
        f"<period.timeInterval>{_interval(start, end)}</period.timeInterval>\n"
        f"{series}</Publication_MarketDocument>\n"
    )


def _series(number: int, block: Block, zone: str) -> str:
    domain = block.zone or zone
    points = "".join(
        f"<Point><position>{place}</position><price.amount>{escape(price)}</price.amount></Point>\n"
        for place, price in block.points
    )
    return (
        f"<TimeSeries><mRID>{number}</mRID><auction.type>A01</auction.type>"
        "<businessType>A62</businessType>"
        f'<in_Domain.mRID codingScheme="A01">{domain}</in_Domain.mRID>'
        f'<out_Domain.mRID codingScheme="A01">{domain}</out_Domain.mRID>'
        f"<contract_MarketAgreement.type>{block.contract}</contract_MarketAgreement.type>"
        f"<currency_Unit.name>{block.currency}</currency_Unit.name>"
        f"<price_Measure_Unit.name>{block.unit}</price_Measure_Unit.name>"
        "<classificationSequence_AttributeInstanceComponent.position>"
        f"{block.position}</classificationSequence_AttributeInstanceComponent.position>"
        f"<curveType>{block.curve}</curveType>\n"
        f"<Period><timeInterval>{_interval(block.start, block.end)}</timeInterval>"
        f"<resolution>{block.resolution}</resolution>\n{points}</Period></TimeSeries>\n"
    )


def _interval(start: datetime, end: datetime) -> str:
    return f"<start>{start:%Y-%m-%dT%H:%MZ}</start><end>{end:%Y-%m-%dT%H:%MZ}</end>"
