"""A presigned request as S3 judges it, which moto does not.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"
SIGNATURE = "X-Amz-Signature"


def is_signed(method: str, url: str, headers: Mapping[str, str], secret: str) -> bool:
    """Tell whether the address is signed for this method and these headers, named in lower case."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    given = query.pop(SIGNATURE)
    sent = {"host": parts.netloc, **headers}
    names = query["X-Amz-SignedHeaders"].split(";")
    canonical = "\n".join(
        [
            *(method, parts.path),
            "&".join(f"{quote(name, '')}={quote(value, '')}" for name, value in sorted(query.items())),
            *(f"{name}:{sent.get(name, '')}" for name in names),
            *("", ";".join(names), "UNSIGNED-PAYLOAD"),
        ]
    )
    scope = query["X-Amz-Credential"].partition("/")[2]
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    signed = "\n".join([ALGORITHM, query["X-Amz-Date"], scope, digest])
    return hmac.compare_digest(given, _mac(_key(secret, scope), signed).hex())


def _key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = _mac(key, part)
    return key


def _mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
