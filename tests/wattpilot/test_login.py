"""The login against vectors that an independent client (wattpilot-api 1.6.0) has computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actors.chargers.wattpilot.login import answer, bcrypt_salt, make_key, method_of, sign

if TYPE_CHECKING:
    from actors.chargers.wattpilot.login import Method

SERIAL, PASSWORD = "32154321", "secret"
TOKENS = ("a" * 32, "b" * 32, "c" * 32)
COMMAND = '{"type": "setValue", "requestId": 1, "key": "frc", "value": 1}'


@pytest.mark.parametrize(
    ("method", "key", "proof", "hmac"),
    [
        (
            "pbkdf2",
            "Z6TS6IMk/FVA6eevV4vcq2Px5kX5Swgr",
            "31bea696f3c78de1d595c6f695d0771a824481db8e721e32c2d9d846d02df57e",
            "3aea9b8c1844b42e7bed647948410628b1eb5fba94ea32ce454a3d1d183871d2",
        ),
        (
            "bcrypt",
            "/Ql993k0JELp00dtFaU0V7KPdRcvwCC",
            "5bcc023213aa77d2c3ffb24708737b70b74fd656dfcf6fda31603d31308a443b",
            "ee89137eff95f06a9a163b8799617b5799162e2ed2dbcc4e1ff269b6b2c3a2e8",
        ),
    ],
)
def test_key_answer_and_signature(method: Method, key: str, proof: str, hmac: str) -> None:
    assert make_key(method, PASSWORD, SERIAL) == key
    assert answer(key, *TOKENS) == proof
    assert sign(key, COMMAND) == hmac


def test_the_salt_of_a_serial_number() -> None:
    assert bcrypt_salt("32154321") == "...........B.eCD/.KA.O"
    assert len(bcrypt_salt("")) == 22
    # Not digits alone: codes of characters, and the last sixteen of a long one.
    assert bcrypt_salt("A") == bcrypt_salt("\0A") != bcrypt_salt("1")
    assert bcrypt_salt("99" + "1234567890123456") == bcrypt_salt("1234567890123456")


def test_other_passwords_and_serials_give_other_keys() -> None:
    methods: tuple[Method, ...] = ("pbkdf2", "bcrypt")
    keys = {
        make_key(method, password, serial)
        for method in methods
        for password in ("secret", "Secret", "gehëim")
        for serial in ("32154321", "32154322")
    }
    assert len(keys) == 12


@pytest.mark.parametrize(
    ("hello", "required", "method"),
    [
        ({"devicetype": "wattpilot"}, {}, "pbkdf2"),
        ({}, {}, "pbkdf2"),
        ({"devicetype": "wattpilot_flex"}, {}, "bcrypt"),
        ({"devicetype": "wattpilot"}, {"hash": "bcrypt"}, "bcrypt"),
        ({"devicetype": "wattpilot_flex"}, {"hash": "pbkdf2"}, "pbkdf2"),
        ({"devicetype": None}, {"hash": "PBKDF2"}, "pbkdf2"),
        ({}, {"hash": "argon2"}, None),
        ({}, {"hash": 7}, None),
    ],
)
def test_which_login_is_asked_for(hello: dict, required: dict, method: str | None) -> None:
    assert method_of(hello, required) == method
