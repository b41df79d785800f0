"""Password lines in mosquitto's own format, so that `mosquitto_passwd` need not be installed."""

from __future__ import annotations

import base64
import hashlib
import secrets

# One connect costs the broker about a millisecond; the file lives in a folder only it can read.
_ITERATIONS = 1000
_SALT_BYTES = 12


def password_line(user: str, password: str) -> str:
    """`user:$7$iterations$salt$hash`: PBKDF2 with SHA-512, known to mosquitto 2.0 and newer."""
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    parts = (base64.b64encode(part).decode() for part in (salt, digest))
    return f"{user}:$7${_ITERATIONS}${'$'.join(parts)}"
