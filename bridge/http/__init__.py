"""How we talk HTTP: one habit for every device and service."""

from bridge.http.client import Answer, HttpClient, HttpRefused

__all__ = ["Answer", "HttpClient", "HttpRefused"]
