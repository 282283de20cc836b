"""base64url without padding, in its one spelling (RFC 7515, appendix C)."""

import base64


def encode_base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def decode_base64url(text: str) -> bytes:
    """Return the bytes. Raises ValueError unless the text is just what encode_base64url makes of them."""
    content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode_base64url(content) != text:
        raise ValueError("not base64url in its one spelling")
    return content
