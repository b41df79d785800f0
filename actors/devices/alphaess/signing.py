"""How the AlphaESS Open API knows who asks: a hash over the account, its secret and the time. Pure.

There is no login and no session. The hash is the lower-case hex of SHA-512 over app id, app secret
and time stamp, one behind the other; the same stamp (Unix time, whole seconds) goes in the header.
"""

from __future__ import annotations

import hashlib

ALLOWED_SKEW = 300.0
"""s that the clocks may differ."""


def sign(app_id: str, app_secret: str, stamp: str) -> str:
    """The `sign` header for a time stamp."""
    return hashlib.sha512(f"{app_id}{app_secret}{stamp}".encode()).hexdigest()


def signed(app_id: str, app_secret: str, unix: float) -> dict[str, str]:
    """The three headers of one request."""
    stamp = str(int(unix))
    return {"appId": app_id, "timeStamp": stamp, "sign": sign(app_id, app_secret, stamp)}
