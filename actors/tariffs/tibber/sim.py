"""A simulated Tibber over real HTTP and GraphQL: homes, prices, and its faults."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from actors.tariffs.tibber.simulator.account import NAMES, Account
from actors.tariffs.tibber.simulator.faults import FAULTS, QUIRKS, spoilt
from actors.tariffs.tibber.simulator.graphql import VALIDATION, GraphError, execute
from bridge.config.secret import Secret
from bridge.curve import zone_of
from bridge.simulators.market import Market
from bridge.simulators.web import WebService

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.clock import Clock

TOKEN: Final = "heliograph-0000000000000000000000-simulated"  # noqa: S105 - of the simulator
SETTINGS: Final = {"token": Secret(TOKEN)}
_PATHS: Final = ("/", "/v1-beta/gql")


class Simulator(WebService):
    """`async with Simulator() as sim:` serves one account on `sim.port`, at `/` and `/v1-beta/gql`.

    zone: of all homes; prices, missing, published, late: as of `bridge/simulators/market.py`;
    homes, contracts: how many there are; quirks: keys of QUIRKS, which a good client does not
    notice; token: the one that is taken. `fault` is None or a key of FAULTS.
    """

    faults = FAULTS

    def __init__(  # noqa: PLR0913 - all of them can be typed as options
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        zone: str = "Europe/Berlin",
        prices: str = "usual",
        missing: Iterable[date] | date = (),
        published: float = 13.0,
        late: float = 0.0,
        homes: int = 1,
        contracts: int | None = None,
        currency: str = "EUR",
        quirks: Iterable[str] = (),
        token: str = TOKEN,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(host, port, clock=clock)
        self.quirks = {quirks} if isinstance(quirks, str) else set(quirks)
        if not self.quirks <= set(QUIRKS):
            raise ValueError(f"{', '.join(sorted(self.quirks))} is not of {', '.join(QUIRKS)}")
        if not 1 <= homes <= len(NAMES):
            raise ValueError(f"homes is from 1 to {len(NAMES)}")
        days = (missing,) if isinstance(missing, date) else missing
        self.token = token
        self.queries: list[str] = []
        self.account = Account(
            Market(zone_of(zone), 15, published, late, prices, frozenset(days)),
            homes=homes,
            contracts=homes if contracts is None else contracts,
            currency=currency,
            now=self.clock.utc,
            spoil=lambda found, name: spoilt(self.fault, self.quirks, found, name),
        )

    def settings(self) -> dict[str, Any]:
        """What a configuration needs besides the address."""
        return {"token": self.token}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One question to the one address of the service, or to the bare host."""
        if request.method != "POST" or request.path not in _PATHS:
            return web.json_response({"message": "not found"}, status=404)
        if request.headers.get("Authorization") != f"Bearer {self.token}" or self.fault == "login":
            return _refused(GraphError("invalid token", "UNAUTHENTICATED", ["viewer"]))
        if self.fault == "inside":
            return _refused(GraphError("something broke", "INTERNAL_SERVER_ERROR", ["viewer"]))
        if self.fault == "other":
            return _refused(GraphError(f"not today, {self.token}.", "CLOSED", ["viewer"]))
        try:
            query, variables = await _question(request)
            self.queries.append(query)
            return web.json_response({"data": execute(query, variables, self._root())})
        except GraphError as error:
            return _refused(error, status=400 if error.code.startswith("GRAPHQL_") else 200)

    def _root(self) -> dict[str, Any]:
        if self.fault == "question":
            raise GraphError('Cannot query field "priceInfo"', VALIDATION)
        root = self.account.root()
        if self.fault == "no_contract":
            for home in root["viewer"]["homes"]:
                home["currentSubscription"] = None
        return root


def _refused(error: GraphError, status: int = 200) -> web.Response:
    return web.json_response({"errors": [error.shown()], "data": None}, status=status)


async def _question(request: web.Request) -> tuple[str, dict[str, Any]]:
    """The query and its variables, as JSON or as a form, both of which the service takes."""
    if request.content_type == "application/json":
        try:
            raw = await request.json()
        except json.JSONDecodeError:
            raise GraphError("the body is no JSON", "GRAPHQL_PARSE_FAILED") from None
    else:
        raw = dict(await request.post())
    query = raw.get("query") if isinstance(raw, dict) else None
    if not isinstance(query, str):
        raise GraphError("there is no query", "GRAPHQL_PARSE_FAILED")
    variables = raw.get("variables")
    return query, variables if isinstance(variables, dict) else {}


__all__ = ["FAULTS", "QUIRKS", "SETTINGS", "TOKEN", "Simulator"]
