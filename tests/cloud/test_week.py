"""A week of a day-ahead service: how often it is asked, and that it is the same each time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web

from bridge.cloud import HttpRefused, Limits, Service
from bridge.cloud.plan import backoff, day_ahead
from bridge.curve.days import day_of, local_day
from tests.cloud.server import Asked, Server
from tests.support.days import week

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.clock import Clock

BERLIN = ZoneInfo("Europe/Berlin")
LIMITS = Limits(gap=1, windows=((10, 3600.0),), per_day=60, day_zone="Europe/Berlin")


class Exchange(Server):
    """Knows tomorrow from 13:02 local; on the days in `late` only from 17:00 on."""

    def __init__(
        self, clock: Clock, late: tuple[int, ...] = (), broken: tuple[int, ...] = ()
    ) -> None:
        super().__init__(self.known_until, clock.now)
        self.clock, self.late, self.broken = clock, late, broken

    def known_until(self, _: Asked) -> web.Response:
        now = self.clock.utc().astimezone(BERLIN)
        if now.day in self.broken:
            return web.Response(status=503, text="<html>maintenance</html>")
        opens = (17, 0) if now.day in self.late else (13, 2)
        ahead = 1 if (now.hour, now.minute) >= opens else 0
        end = local_day(day_of(now, BERLIN) + timedelta(days=ahead), BERLIN)[1]
        return web.json_response(end.isoformat(), headers={"ETag": f'"{end.isoformat()}"'})


async def asking(server: Server, clock: Clock, folder: Path) -> None:
    """As a tariff asks, without a share of its own: the folder's number is random."""
    known, failures = None, 0
    service = Service(
        server.base, name="it", account="a", limits=LIMITS, folder=folder, clock=clock, retries=0
    )
    async with service:
        while True:
            try:
                known = datetime.fromisoformat(await service.get("/prices"))
            except HttpRefused as error:
                failures += 1
                wait = backoff(failures, share=0.5, error=error)
            else:
                failures = 0
                wait = day_ahead(known, clock.utc(), zone=BERLIN, share=0.5)
            await clock.sleep(wait)


@pytest.mark.parametrize(
    ("begin", "late", "broken", "most"),
    [
        (datetime(2026, 11, 16, 8, tzinfo=UTC), (), (), 25),
        (datetime(2026, 3, 25, 8, tzinfo=UTC), (), (), 25),  # a day of 92 quarter hours
        (datetime(2026, 10, 22, 8, tzinfo=UTC), (), (), 25),  # and one of 100
        (datetime(2026, 11, 16, 8, tzinfo=UTC), (18, 20), (), 65),
        (datetime(2026, 11, 16, 8, tzinfo=UTC), (), (18,), 55),
    ],
)
def test_a_week_stays_small(
    begin: datetime, late: tuple[int, ...], broken: tuple[int, ...], most: int, tmp_path: Path
) -> None:
    def run(name: str) -> int:
        return week(
            lambda clock: Exchange(clock, late, broken),
            lambda server, clock: asking(server, clock, tmp_path / name),
            begin=begin,
        )

    counts = [run("first"), run("second")]
    assert counts[0] == counts[1]
    assert 14 <= counts[0] <= most
