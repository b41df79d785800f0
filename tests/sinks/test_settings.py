"""What an owner may set, and what is refused with a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.config import load_config
from bridge.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def load(folder: Path, actor: str) -> object:
    path = folder / "house.yaml"
    path.write_text(f"actors:\n  history: {{{actor}}}\n")
    return load_config(path).actors["history"].settings


@pytest.mark.parametrize(
    "actor",
    [
        'kind: influx, url: "http://nas:8086", org: o, bucket: b, token: secret1',
        'kind: influx, url: "https://[::1]:8086/x/", database: d, username: u, password: secret1',
        'kind: influx, url: "http://nas", tags: {house: my house}, precision: s, topics: "Site/+"',
        "kind: graphite, host: nas",
        "kind: graphite, host: nas, words: {online: 1, offline: 0}, topics: [Devices/#, Site/+]",
        'kind: graphite, host: nas, transport: udp, template: "home.{device}.{quantity}"',
    ],
)
def test_what_is_right(tmp_path: Path, actor: str) -> None:
    assert load(tmp_path, actor)


@pytest.mark.parametrize(
    ("actor", "words"),
    [
        ('kind: influx, url: "http://me:secret1@nas:8086"', "without a login"),
        ('kind: influx, url: "http://nas/?db=x&p=secret1"', "without a login and a query"),
        ('kind: influx, url: "nas:8086"', "an address such as"),
        ('kind: influx, url: "http://nas", bucket: b, org: o, database: d', "give one of them"),
        ('kind: influx, url: "http://nas", bucket: b', "needs the 'org'"),
        ('kind: influx, url: "http://nas", org: b', "needs a 'bucket'"),
        ('kind: influx, url: "http://nas", retention: b', "needs a 'database'"),
        ('kind: influx, url: "http://nas", token: secret1, username: u', "either 'token' or"),
        ('kind: influx, url: "http://nas", password: secret1', "needs a 'username'"),
        ('kind: influx, url: "http://nas", ca: /etc/ca.pem', "begins with https://"),
        ('kind: influx, url: "https://nas", ca: /no/such/ca.pem', "does not exist"),
        ('kind: influx, url: "http://nas", token: "secret1\\nX: y"', "one line"),
        ('kind: influx, url: "http://nas", topics: []', "topics"),
        ('kind: influx, url: "http://nas", topics: "/Devices"', "a topic filter below the base"),
        ('kind: influx, url: "http://nas", spool: 20000', "spool"),
        ("kind: graphite, host: nas, template: x", "{device}"),
        ("kind: graphite, host: nas, words: {online: yes}", "words"),
        ("kind: graphite, host: nas, words: {online: .nan}", "'words.online' must be a number"),
        ("kind: graphite, host: nas, words: {a: 1, b: 1e400}", "'words.b' must be a finite number"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, actor: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, actor)
    assert words in str(caught.value)
    assert "secret1" not in str(caught.value)


def test_a_file_that_holds_no_certificate_is_told(tmp_path: Path) -> None:
    for content in ("not a certificate", ""):
        pem = tmp_path / "ca.pem"
        pem.write_text(content)
        with pytest.raises(ConfigError, match="'ca' names a file without a certificate in it"):
            load(tmp_path, f'kind: influx, url: "https://nas", ca: {pem}')
