from __future__ import annotations

import pytest

from bridge.cloud import check_url


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.org",
        "https://api.example.org:8443/v1/",
        "https://api.forecast.example/KEY-1/estimate",
        "http://127.0.0.1:8080",
        "http://localhost:8080/api",
        "http://[::1]:8080",
        "http://192.168.1.20",
        "http://10.0.0.3:81",
        "http://172.31.0.1",
        "http://[fd00::1]:80/x",
    ],
)
def test_taken(url: str) -> None:
    assert check_url(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.org",
        "http://8.8.8.8",
        "http://172.32.0.1",
        "http://[2001:db8::1]",
        "http://localhost.example.org",
        "http://127.0.0.1.example.org",
        "http://0.0.0.0:80",
        "http://2130706433",  # 127.0.0.1 as one number
    ],
)
def test_plain_http_stays_in_the_house(url: str) -> None:
    assert "must begin with https://" in (check_url(url) or "")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example.org",
        "ftp://api.example.org",
        "https://",
        "https://user:hunter2@api.example.org",
        "https://api.example.org?key=hunter2",
        "https://api.example.org#hunter2",
        "https://api.example.org /hunter2",
        "https://api.example.org/hunter2\n",
        "https://api.example.org:99999/hunter2",
        "https://api.example.org:0/hunter2",
        "https://[::1/hunter2",
        "https://[1:2:3]hunter2",
    ],
)
def test_refused_without_being_shown(url: str) -> None:
    sentence = check_url(url)
    assert sentence is not None
    assert sentence.startswith("'url' ")
    assert "hunter2" not in sentence
