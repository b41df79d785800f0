"""The broker section: urls, listening addresses, and what does not go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.config import BrokerAddress
from bridge.config.address import parse_listen, parse_url

if TYPE_CHECKING:
    from tests.config.helpers import Judge


@pytest.mark.parametrize(
    ("url", "address", "tls", "websocket"),
    [
        ("mqtt://host", ("mqtt", "host", 1883, ""), False, False),
        ("mqtt://192.168.1.2:1884/", ("mqtt", "192.168.1.2", 1884, ""), False, False),
        ("MQTTS://Host.lan", ("mqtts", "host.lan", 8883, ""), True, False),
        ("ws://host", ("ws", "host", 80, "/mqtt"), False, True),
        ("ws://host:9001/", ("ws", "host", 9001, "/"), False, True),
        ("wss://host/a/b", ("wss", "host", 443, "/a/b"), True, True),
        ("mqtt://[fe80::1]:1883", ("mqtt", "fe80::1", 1883, ""), False, False),
    ],
)
def test_urls(url: str, address: tuple[str, str, int, str], tls: bool, websocket: bool) -> None:
    found = parse_url(url)
    assert found == BrokerAddress(*address)
    assert (found.tls, found.websocket) == (tls, websocket)
    assert parse_url(str(found)) == found


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "must be 'embedded' or begin with mqtt://"),
        ("Embedded", "must be 'embedded' or begin with mqtt://"),
        ("host:1883", "must be 'embedded' or begin with mqtt://"),
        ("http://host", "unknown scheme"),
        ("mqtt://", "names no host"),
        ("mqtt://:1883", "names no host"),
        ("mqtt://host:0", "port 0"),
        ("mqtt://host:99999", "cannot be read"),
        ("mqtt://host:abc", "cannot be read"),
        ("mqtt://[::1", "cannot be read"),
        ("mqtt://[::g]", "cannot be read"),
        ("mqtt://host/path", "has a path"),
        ("ws://host/a?b", "without '?' and '#'"),
        ("ws://host/a#", "without '?' and '#'"),
        ("mqtt://me:pass@host", "must not contain a login"),
        ("mqtt://ho st", "blanks"),
        ("mqtt://host\n", "blanks"),
        ("mqtt://höst", "characters that hosts do not have"),
        ("mqtt://-host", "characters that hosts do not have"),
    ],
)
def test_bad_urls(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("?", "\\?")):
        parse_url(url)


@pytest.mark.parametrize(
    ("listen", "found"),
    [
        ("0.0.0.0:1883", ("0.0.0.0", 1883)),
        ("127.0.0.1", ("127.0.0.1", 1883)),
        ("localhost:0", ("127.0.0.1", 0)),
        ("[::1]:1884", ("::1", 1884)),
        ("[::]", ("::", 1883)),
    ],
)
def test_listen(listen: str, found: tuple[str, int]) -> None:
    assert parse_listen(listen) == found


@pytest.mark.parametrize(
    "listen",
    ["", "::1", "host.lan:1883", "1.2.3:1883", "[1.2.3.4]", "a b", "0.0.0.0:99999", "0.0.0.0:x",
     ":1883", "0.0.0.0:1883/"],
)  # fmt: skip
def test_bad_listen(listen: str) -> None:
    with pytest.raises(ValueError):
        parse_listen(listen)


@pytest.mark.parametrize(
    ("broker", "sentence"),
    [
        ("{username: me}", ("'username' belongs to a broker elsewhere: the embedded broker has "
         "'users'")),
        ("{password: me}", ("'password' belongs to a broker elsewhere: the embedded broker has "
         "'users'")),
        ("{listen: 0.0.0.0:1883}", ("'listen' opens the broker to the network: it needs 'users' "
         "with a password each")),
        ("{listen: host}", "'listen' must be an IP address and a port, such as 0.0.0.0:1883"),
        ("{users: {a: ''}}", "user 'a' needs a password that is not empty"),
        ("{users: {'a:b': x}}", ("'users.a:b' must be a name of 1 to 64 characters without blanks, "
         "':', '#', '/' and '+', but is 'a:b'")),
        ("{users: {heliograph-bridge: x}}", ("the user name 'heliograph-bridge' is kept for the "
         "bridge itself")),
        ("{url: mqtt://h, listen: 127.0.0.1}", ("'listen' works only with the embedded broker "
         "('url: embedded')")),
        ("{url: mqtt://h, users: {a: b}}", ("'users' works only with the embedded broker "
         "('url: embedded')")),
        ("{url: mqtt://h, ca: house.yaml}", ("'ca' needs an encrypted 'url': one that begins with "
         "mqtts:// or wss://")),
        ("{url: mqtts://h, ca: none.pem}", "'ca' names a file that does not exist"),
        ("{url: mqtt://h, password: x}", "'password' needs a 'username' beside it"),
        ("{url: mqtt://me:x@h}", ("'url' must not contain a login: write 'username' and 'password' "
         "as keys of their own")),
    ],
)  # fmt: skip
def test_what_does_not_go_together(judge: Judge, broker: str, sentence: str) -> None:
    judge.path.write_text("")
    found = judge.problem(f"actors: {{a: {{kind: external}}}}\nbroker: {broker}")
    assert found == f"2: broker: {sentence}"


def test_open_to_the_network_with_users(judge: Judge) -> None:
    config = judge.load("broker:\n  listen: 0.0.0.0:1884\n  users: {esp: 12345}\n")
    assert config.broker.listen_address == ("0.0.0.0", 1884)
    assert config.broker.users["esp"].reveal() == "12345"


def test_ca_counts_from_the_file(judge: Judge) -> None:
    (judge.path.parent / "ca.pem").write_text("x")
    config = judge.load("broker: {url: mqtts://h, ca: ca.pem}")
    assert config.broker.ca == judge.path.parent / "ca.pem"
