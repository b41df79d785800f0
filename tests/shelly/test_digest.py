"""The digest login, against values computed apart from this code."""

from __future__ import annotations

import re

import pytest

from bridge.http.digest import Challenge, Digest, parse_challenge, sha256

REALM = "shellypro3em-aabbccddeeff"


def test_the_secret_hash_is_the_published_one() -> None:
    assert sha256(f"admin:{REALM}:shpw") == (
        "374abb67cbc1a54d79780e03d471469282254ba7025d38a5181596f9261f1b46"
    )


def test_the_response_is_the_published_one() -> None:
    digest = Digest("admin", "shpw")
    digest.challenged(Challenge(REALM, "65a1b2c3"))
    header = digest.header("GET", "/rpc/EM.GetStatus?id=0", cnonce="Y25vbmNl")
    expected = "7c67c1cf8f0750c6a2d1f9636d4956184a29eab64aa566428756b4e40af3589d"
    assert f'response="{expected}"' in header
    assert "nc=00000001" in header
    assert 'uri="/rpc/EM.GetStatus?id=0"' in header


def test_rfc_7616_example() -> None:
    """Section 3.9.1 of the RFC, its SHA-256 half."""
    digest = Digest("Mufasa", "Circle of Life")
    nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
    opaque = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
    digest.challenged(Challenge("http-auth@example.org", nonce, opaque))
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    header = digest.header("GET", "/dir/index.html", cnonce=cnonce)
    expected = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
    assert f'response="{expected}"' in header
    assert f'opaque="{opaque}"' in header


def test_a_nonce_counts_up_and_is_spent() -> None:
    digest = Digest("admin", "shpw", reuse=2)
    assert not digest.ready
    digest.challenged(Challenge(REALM, "n"))
    counts: list[str] = []
    while digest.ready:
        found = re.search(r"nc=([0-9a-f]{8})", digest.header("GET", "/"))
        assert found is not None
        counts.append(found[1])
    assert counts == ["00000001", "00000002"]
    digest.challenged(Challenge(REALM, "m"))
    assert digest.ready
    digest.forget()
    assert not digest.ready
    with pytest.raises(RuntimeError):
        digest.header("GET", "/")


def test_no_password_in_the_repr() -> None:
    assert "shpw" not in repr(Digest("admin", "shpw"))


@pytest.mark.parametrize(
    ("header", "stale"),
    [
        (f'Digest qop="auth", realm="{REALM}", nonce="65a1", algorithm=SHA-256', False),
        (f'digest realm="{REALM}",nonce=65a1,qop="auth,auth-int",algorithm="SHA-256"', False),
        (
            f'Digest qop="auth", realm="{REALM}", nonce="65a1", algorithm=SHA-256, stale=true',
            True,
        ),
    ],
)
def test_challenges_are_read(header: str, stale: bool) -> None:
    assert parse_challenge([header]) == Challenge(REALM, "65a1", None, stale)


@pytest.mark.parametrize(
    "header",
    [
        'Basic realm="x"',
        'Digest realm="x", nonce="1", qop="auth"',
        'Digest realm="x", nonce="1", qop="auth", algorithm=MD5',
        'Digest realm="x", nonce="1", qop="auth-int", algorithm=SHA-256',
        'Digest realm="x", nonce="", qop="auth", algorithm=SHA-256',
        "Digest",
        "",
    ],
)
def test_other_logins_are_left_alone(header: str) -> None:
    assert parse_challenge([header]) is None
    good = 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256'
    assert parse_challenge([header, good]) == Challenge("r", "n")
