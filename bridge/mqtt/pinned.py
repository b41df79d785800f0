"""TLS to a broker that signs its own certificate: only the one with the known fingerprint is taken.

Neither its host name nor who signed it is looked at: the SHA-256 of the whole certificate decides,
before anything of ours is sent.
"""

from __future__ import annotations

import hashlib
import ssl

OTHER = "another certificate than before is shown"
"""What the error says when the fingerprint is not the one that is expected."""


class Closing(ssl.SSLSocket):
    """Closes itself when its handshake fails; paho, who made it, forgets it then."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT002 - as in ssl
        """As every TLS socket."""
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


def pinned_context(digest: bytes) -> ssl.SSLContext:
    """A context whose handshakes end with SSLError unless the certificate has this SHA-256."""

    class Pinned(Closing):
        def do_handshake(self, block: bool = False) -> None:  # noqa: FBT002 - as in ssl
            super().do_handshake(block)
            shown = self.getpeercert(binary_form=True)
            if shown is None or hashlib.sha256(shown).digest() != digest:
                self.close()
                raise ssl.SSLError(OTHER)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the fingerprint is what is verified: see above
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = Pinned
    return context
