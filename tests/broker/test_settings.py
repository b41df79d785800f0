"""What the owner may say about the embedded broker."""

from __future__ import annotations

import pytest

from bridge.broker import EmbeddedSettings
from bridge.broker.settings import Address
from bridge.config.secret import Secret
from bridge.errors import BrokerError


@pytest.mark.parametrize(
    ("text", "host", "port", "url"),
    [
        ("127.0.0.1:1883", "127.0.0.1", 1883, "mqtt://127.0.0.1:1883"),
        ("127.0.0.1", "127.0.0.1", 1883, "mqtt://127.0.0.1:1883"),
        (" localhost:1884 ", "127.0.0.1", 1884, "mqtt://127.0.0.1:1884"),
        ("0.0.0.0:1885", "0.0.0.0", 1885, "mqtt://127.0.0.1:1885"),
        ("192.168.1.5:0", "192.168.1.5", 0, "mqtt://192.168.1.5:0"),
        ("[::1]:1886", "::1", 1886, "mqtt://[::1]:1886"),
        ("[::]:1886", "::", 1886, "mqtt://[::1]:1886"),
    ],
)
def test_addresses(text: str, host: str, port: int, url: str) -> None:
    address = Address.parse(text)
    assert (address.host, address.port, address.url()) == (host, port, url)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":1883",
        "house:1883",
        "127.0.0.1:",
        "127.0.0.1:x",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1:²",
        "127.0.0.1 :1883",
        "1.2.3:1883",
        "[::1",
        "::1",
        "[::1]1883",
        "mqtt://127.0.0.1",
    ],
)
def test_what_is_no_address_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(BrokerError, match=r"^the listen address .* (must|has)"):
        Address.parse(text)


@pytest.mark.parametrize("listen", ["0.0.0.0:1883", "[::]:1883", "192.168.1.5:1883"])
def test_the_network_needs_users(listen: str) -> None:
    with pytest.raises(BrokerError, match="add users with passwords"):
        EmbeddedSettings(listen=listen).address()
    assert EmbeddedSettings(listen=listen, users={"esp": "x"}).address().port == 1883


@pytest.mark.parametrize("users", [{"a:b": "x"}, {"": "x"}, {"a\nb": "x"}, {"a": ""}])
def test_impossible_logins_are_refused_without_the_password(users: dict[str, str]) -> None:
    with pytest.raises(BrokerError, match=r"needs a (name|password)"):
        EmbeddedSettings(users=users).logins()


def test_secrets_are_revealed_for_the_broker_only() -> None:
    settings = EmbeddedSettings(users={"esp": Secret("right"), "old": "plain"})
    assert settings.logins() == {"esp": "right", "old": "plain"}
    assert "plain" not in repr(settings)
