"""After a crash: what begins again with an old allowance is not in the meter's last value yet."""

from __future__ import annotations

from actors.distributor.core import Balance, CoreSettings, Distributor

SUN = 2000.0


def test_what_resumes_as_the_bridge_returns_is_not_given_away_again() -> None:
    core = Distributor(CoreSettings(strategy="surplus"))
    wishes = {"pool": 900.0, "car": 700.0, "far": 800.0}
    core.inherit("pool", 900, 1000.0)
    core.inherit("car", 700, 1000.0)

    def balance(now: float, drawn: float) -> None:
        core.balance(
            Balance(grid=drawn - SUN, pv=None, battery=None, soc=None, pv_metered=False), now
        )

    # Nobody drew while the bridge was away; on `online` both begin, and say so before the meter.
    balance(1000.1, 0.0)
    for name, request in wishes.items():
        drawn = {"pool": 900.0, "car": 700.0}.get(name, 0.0)
        fields = {"IsAutomatic": True, "Request": request, "Consumption": drawn}
        core.request(name, fields, 1000.15)
    for now in (1000.2, 1000.3, 1000.5):
        given = {name: each.allowance for name, each in core.decide(now).allowances.items()}
        assert sum(given.values()) <= SUN, (now, given)
        assert given["pool"] == 900
        assert given["car"] == 700
    for tick in range(8):
        now = 1000.6 + tick
        balance(now, 1600.0)
        given = {name: each.allowance for name, each in core.decide(now).allowances.items()}
        assert given == {"pool": 900, "car": 700, "far": 0}
