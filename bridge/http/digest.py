"""HTTP digest login with SHA-256 (RFC 7616), as for example newer Shelly devices ask it.

Pure: the header of a 401 in, the header of the next request out.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Any

_PAIR = re.compile(r'([A-Za-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a 401 asks for. `stale`: the login was right, only its nonce has run out."""

    realm: str
    nonce: str
    opaque: str | None = None
    stale: bool = False


def parse_challenge(headers: list[str]) -> Challenge | None:
    """Find the digest challenge that we can answer: SHA-256 with qop auth. None when there is none.

    The older MD5 is left alone on purpose: whoever knows only that gets no password from us.
    """
    for header in headers:
        scheme, _, rest = header.strip().partition(" ")
        if scheme.lower() != "digest":
            continue
        found = {
            name.lower(): quoted.replace('\\"', '"') or bare
            for name, quoted, bare in _PAIR.findall(rest)
        }
        qops = {each.strip().lower() for each in found.get("qop", "").split(",")}
        if found.get("algorithm", "").upper() != "SHA-256" or "auth" not in qops:
            continue
        if "realm" in found and found.get("nonce"):
            stale = found.get("stale", "").lower() == "true"
            return Challenge(found["realm"], found["nonce"], found.get("opaque"), stale)
    return None


def sha256(text: str) -> str:
    """Give the SHA-256 of a text as hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(slots=True)
class Digest:
    """One login. A nonce serves `reuse` requests, each with the next count; then ask anew."""

    username: str
    password: str = field(repr=False)
    reuse: int = 1
    _challenge: Challenge | None = None
    _count: int = 0

    @property
    def ready(self) -> bool:
        """True while the nonce at hand may serve one more request."""
        return self._challenge is not None and self._count < self.reuse

    def challenged(self, challenge: Challenge) -> None:
        """Take the nonce of a new challenge."""
        self._challenge, self._count = challenge, 0

    def forget(self) -> None:
        """Drop the nonce, so that the next request asks for a new one."""
        self._challenge = None

    def header(self, method: str, uri: str, cnonce: str | None = None) -> str:
        """Give the Authorization header for one request; `uri` is its path with the query."""
        challenge = self._challenge
        if challenge is None:
            raise RuntimeError("no challenge to answer")
        self._count += 1
        count = f"{self._count:08x}"
        cnonce = cnonce or secrets.token_hex(8)
        secret = sha256(f"{self.username}:{challenge.realm}:{self.password}")
        request = sha256(f"{method}:{uri}")
        response = sha256(f"{secret}:{challenge.nonce}:{count}:{cnonce}:auth:{request}")
        fields = [
            f'username="{_quote(self.username)}"',
            f'realm="{_quote(challenge.realm)}"',
            f'nonce="{_quote(challenge.nonce)}"',
            f'uri="{_quote(uri)}"',
            f'response="{response}"',
            f'cnonce="{cnonce}"',
            f"nc={count}",
            "qop=auth",
            "algorithm=SHA-256",
        ]
        if challenge.opaque is not None:
            fields.append(f'opaque="{_quote(challenge.opaque)}"')
        return "Digest " + ", ".join(fields)


def frame_login(
    challenge: dict[str, Any], username: str, password: str, cnonce: str | None = None
) -> dict[str, Any]:
    """The `auth` object of a frame, for the challenge in the error frame that refused one.

    As over HTTP, but with words in place of method and address, and the count written plainly.
    """
    realm, nonce = str(challenge.get("realm")), challenge["nonce"]
    count, cnonce = 1, cnonce or secrets.token_hex(8)
    secret, request = sha256(f"{username}:{realm}:{password}"), sha256("dummy_method:dummy_uri")
    return {
        "realm": realm,
        "username": username,
        "nonce": nonce,
        "nc": count,
        "cnonce": cnonce,
        "response": sha256(f"{secret}:{nonce}:{count}:{cnonce}:auth:{request}"),
        "algorithm": "SHA-256",
    }


def _quote(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
