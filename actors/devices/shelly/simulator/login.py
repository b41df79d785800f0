"""How a simulated Shelly checks logins: basic, HTTP digest, and the digest inside a frame."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from typing import Any
from urllib.request import parse_http_list, parse_keqv_list

MOST_USES = 30_000


def _hash(*parts: str) -> str:
    return hashlib.sha256(":".join(parts).encode()).hexdigest()


def basic(header: str | None, username: str, password: str) -> bool:
    """True when a Basic header carries the right user and password."""
    scheme, _, rest = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        found = base64.b64decode(rest, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return False
    return found == f"{username}:{password}"


class DigestDoor:
    """Keeps the nonces. `uses`: requests that one nonce serves over HTTP."""

    def __init__(self, realm: str, password: str, uses: int) -> None:
        self.realm = realm
        self.password = password
        self.uses = uses
        self._counts: dict[str, int] = {}
        self._expired: set[str] = set()

    def expire(self) -> None:
        """Let the time of every nonce run out, as after an hour."""
        self._expired.update(self._counts)
        self._counts.clear()

    def http(self, header: str | None, method: str, uri: str) -> tuple[bool, str]:
        """Judge one request; the text is the challenge to send when it is refused."""
        scheme, _, rest = (header or "").partition(" ")
        if scheme.lower() != "digest":
            return False, self.challenge()
        found = parse_keqv_list(parse_http_list(rest))
        nonce = found.get("nonce", "")
        expected = _hash(
            _hash("admin", self.realm, self.password),
            nonce,
            found.get("nc", ""),
            found.get("cnonce", ""),
            found.get("qop", ""),
            _hash(method, uri),
        )
        right = (
            found.get("response") == expected
            and found.get("uri") == uri
            and found.get("username") == "admin"
            and found.get("algorithm") == "SHA-256"
        )
        if right and nonce in self._expired:
            return False, self.challenge(stale=True)
        try:
            count = int(found.get("nc", "0"), 16)
        except ValueError:
            count = 0
        fresh = nonce in self._counts and self._counts[nonce] < count <= self.uses
        if right and fresh:
            self._counts[nonce] = count
            return True, ""
        return False, self.challenge()

    def challenge(self, *, stale: bool = False) -> str:
        """A WWW-Authenticate header with a new nonce."""
        nonce = secrets.token_hex(8)
        self._counts[nonce] = 0
        ending = ", stale=true" if stale else ""
        return (
            f'Digest qop="auth", realm="{self.realm}", nonce="{nonce}", algorithm=SHA-256{ending}'
        )

    def frame_challenge(self) -> dict[str, Any]:
        """The challenge that goes into an error frame; its nonce is a number there."""
        nonce = secrets.randbelow(2**31)
        self._counts[str(nonce)] = 0
        return {
            "auth_type": "digest",
            "nonce": nonce,
            "nc": 1,
            "realm": self.realm,
            "algorithm": "SHA-256",
        }

    def frame(self, auth: object) -> bool:
        """Judge the `auth` object of a frame."""
        if not isinstance(auth, dict):
            return False
        nonce, count = str(auth.get("nonce")), auth.get("nc")
        known = nonce in self._counts and isinstance(count, int) and count > self._counts[nonce]
        expected = _hash(
            _hash("admin", self.realm, self.password),
            nonce,
            str(count),
            str(auth.get("cnonce")),
            "auth",
            _hash("dummy_method", "dummy_uri"),
        )
        if known and auth.get("response") == expected and auth.get("username") == "admin":
            self._counts[nonce] = int(auth["nc"])
            return True
        return False
