"""What the libraries say of a lost or refused connection, in one plain sentence."""

from __future__ import annotations

from typing import Any

from bridge.mqtt.pinned import OTHER


def number(code: Any) -> int:
    """A reason code of MQTT 5, a return code of 3.1.1, or nothing, as a number."""
    return int(getattr(code, "value", code) or 0)


def plain(error: BaseException) -> str:
    """One plain sentence of what a library said."""
    text = str(error) or type(error).__name__
    for found, sentence in (
        ("Connection refused", "nobody listens there"),
        ("timed out", "it does not answer"),
        ("Name or service not known", "its name is not known"),
        ("Temporary failure in name resolution", "its name cannot be looked up"),
        (OTHER, "its TLS certificate is another than before"),
        ("CERTIFICATE_VERIFY_FAILED", "its TLS certificate is not trusted"),
        ("WRONG_VERSION_NUMBER", "it does not speak TLS on this port"),
        ("UNEXPECTED_EOF", "it hung up: does it speak TLS on this port?"),
        ("Connection reset by peer", "it hung up"),
        ("Broken pipe", "it hung up"),
        ("Keep alive timeout", "it does not answer any more"),
        ("Unspecified error", "the connection broke"),
        ("connection was lost", "the connection broke"),
        ("Disconnected during message iteration", "the connection broke"),
    ):
        if found in text:
            detail = text.partition("certificate verify failed: ")[2].partition(" (_ssl")[0]
            return f"{sentence} ({detail})" if detail else sentence
    return text
