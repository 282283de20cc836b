"""Access tokens that nobody issued, against every route that demands one (RFC 8725)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from uuid import UUID

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)
from jose import jwk

from infra.gateway.asgi import load_app
from shared.config import SigningSettings
from shared.security.keys import signing_key
from tests.accounts import SignedIn, sign_in
from tests.integration.problems import assert_problem

ROUTES = [
    ("GET", "/auth/sessions"),
    ("DELETE", f"/auth/sessions/{UUID(int=0)}"),
    ("POST", "/auth/password"),
    ("POST", "/file/resize?width=20"),
    ("POST", "/file/upload"),
    ("GET", "/file/jobs"),
    ("GET", f"/file/jobs/{UUID(int=0)}"),
]
BEARER = 'Bearer error="invalid_token"'


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def part(value: object) -> str:
    return base64url(value if isinstance(value, bytes) else json.dumps(value).encode())


class Forger:
    """Has the issuer's own key, and so makes tokens that are wrong in one thing alone."""

    def __init__(self, caller: SignedIn) -> None:
        key = signing_key(SigningSettings.from_environment())
        self.signer = jwk.construct(key.material, key.algorithm)
        self.public = load_pem_public_key(self.signer.public_key().to_pem())
        header, claims, self.signature = caller.access_token.split(".")
        self.header: dict[str, Any] = self._read(header)
        self.claims: dict[str, Any] = self._read(claims)

    @staticmethod
    def _read(text: str) -> Any:
        return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))

    def sign(self, header: object, claims: object) -> str:
        content = f"{part(header)}.{part(claims)}"
        return f"{content}.{base64url(self.signer.sign(content.encode()))}"

    def with_header(self, **members: object) -> str:
        return self.sign(self.header | members, self.claims)

    def with_claims(self, **members: object) -> str:
        return self.sign(self.header, self.claims | members)

    def without_claim(self, name: str) -> str:
        return self.sign(self.header, {key: value for key, value in self.claims.items() if key != name})

    def unsigned(self, alg: object, signature: str = "") -> str:
        return f"{part(self.header | {'alg': alg})}.{part(self.claims)}.{signature}"

    def by_hmac(self, secret: bytes) -> str:
        content = f"{part(self.header | {'alg': 'HS256'})}.{part(self.claims)}"
        return f"{content}.{base64url(hmac.digest(secret, content.encode(), hashlib.sha256))}"

    def by_a_stranger(self, **members: object) -> str:
        stranger = ec.generate_private_key(ec.SECP256R1())
        pem = stranger.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        own, self.signer = self.signer, jwk.construct(pem, "ES256")
        try:
            return self.with_header(**members)
        finally:
            self.signer = own

    def public_jwk(self) -> dict[str, Any]:
        keys: list[dict[str, Any]] = load_app("login").state.verification_keys.jwks()["keys"]
        return keys[0]


@pytest.fixture(scope="module")
async def caller(client: httpx.AsyncClient) -> SignedIn:
    return await sign_in(client)


@pytest.fixture(scope="module")
def forger(caller: SignedIn) -> Forger:
    return Forger(caller)


async def assert_refused(client: httpx.AsyncClient, *tokens: str | bytes) -> None:
    """Assert that no route takes any of these, and that each says what it would take."""
    assert tokens
    for token in tokens:
        value = b"Bearer " + (token if isinstance(token, bytes) else token.encode())
        for method, path in ROUTES:
            answer = await client.request(method, path, headers=[(b"Authorization", value)])
            assert_problem(answer, 401, "invalid_token")
            assert answer.headers["www-authenticate"] == BEARER


async def test_every_route_that_wants_a_token_is_here(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    demanding = {
        (method.upper(), path.partition("{")[0])
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if operation.get("security")
    }
    here = {(method, path.partition("?")[0].replace(str(UUID(int=0)), "")) for method, path in ROUTES}
    assert here == demanding


async def test_token_made_in_this_way_is_taken_where_nothing_is_wrong(
    client: httpx.AsyncClient, forger: Forger
) -> None:
    authorization = {"Authorization": f"Bearer {forger.with_claims(jti='another')}"}
    assert (await client.get("/auth/sessions", headers=authorization)).status_code == 200


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "none ", "", "ES256"])
async def test_unsigned(client: httpx.AsyncClient, forger: Forger, alg: str) -> None:
    borrowed = [forger.unsigned(alg, forger.signature)] if alg != "ES256" else []
    await assert_refused(client, forger.unsigned(alg), forger.unsigned(alg, "AA"), *borrowed)


async def test_public_key_as_an_hmac_secret(client: httpx.AsyncClient, forger: Forger) -> None:
    spki = PublicFormat.SubjectPublicKeyInfo
    pem, der = (forger.public.public_bytes(encoding, spki) for encoding in (Encoding.PEM, Encoding.DER))
    jwks = [json.dumps(forger.public_jwk(), separators=each).encode() for each in ((",", ":"), (", ", ": "))]
    await assert_refused(client, *map(forger.by_hmac, [pem, pem.strip(), der, *jwks, b""]))


@pytest.mark.parametrize(
    "alg", [["ES256"], {"ES256": 1}, 256, 0, None, True, "HS256", "ES384", "EdDSA", "es256"]
)
async def test_algorithm_that_is_not_the_keys(client: httpx.AsyncClient, forger: Forger, alg: object) -> None:
    await assert_refused(client, forger.with_header(alg=alg))


NESTED = b'{"alg":"ES256","typ":"at+jwt","x":' + b"[" * 1500 + b"]" * 1500 + b"}"
HEADERS = [
    b"[" * 1500,
    NESTED,
    b"",
    b"{",
    b"[]",
    b"null",
    b'"x"',
    b"1",
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b"NaN",
]


@pytest.mark.parametrize("header", HEADERS)
async def test_header_that_is_none(client: httpx.AsyncClient, forger: Forger, header: bytes) -> None:
    await assert_refused(client, forger.sign(header, forger.claims), forger.sign(forger.header, header))


async def test_other_numbers_of_parts(client: httpx.AsyncClient, forger: Forger, caller: SignedIn) -> None:
    header, claims, signature = caller.access_token.split(".")
    shapes = [header, f"{header}.{claims}", f"{header}.{claims}.{signature}.AA", f".{caller.access_token}"]
    await assert_refused(client, *shapes, "", ".", "..", "...", f"{caller.access_token}.")


RAW = [b"\0", b"\xff", b"\xed\xa0\x80", b"a.\0.b", "é.é.é".encode(), b"x" * 8193, b"[" * 1500]


@pytest.mark.parametrize("token", RAW)
async def test_bytes_that_are_no_token(client: httpx.AsyncClient, caller: SignedIn, token: bytes) -> None:
    await assert_refused(client, token, caller.access_token.encode() + token)


@pytest.mark.parametrize("crit", [["exp"], ["b64"], [], None])
async def test_critical_extensions(client: httpx.AsyncClient, forger: Forger, crit: object) -> None:
    await assert_refused(client, forger.with_header(crit=crit))


KIDS: list[object] = [
    "../../../etc/passwd",
    "/dev/null",
    "' OR '1'='1",
    "'; DROP TABLE identity.users; --",
    "",
    None,
    1,
    [],
    "\ud800",
]


@pytest.mark.parametrize("kid", [*KIDS, "a\0b"])
async def test_unknown_kid(client: httpx.AsyncClient, forger: Forger, kid: object) -> None:
    await assert_refused(client, forger.with_header(kid=kid))


async def test_strangers_key(client: httpx.AsyncClient, forger: Forger) -> None:
    jwk_ = forger.public_jwk()
    jku = {"jku": "https://evil.test/jwks", "x5u": "https://evil.test/x5u"}
    await assert_refused(
        client,
        forger.by_a_stranger(),
        forger.by_a_stranger(kid="theirs"),
        forger.by_a_stranger(jwk=jwk_),
        forger.by_a_stranger(**jku),
    )


TIMES: list[object] = [None, [], {}, float("inf"), float("nan"), "soon", True, 1.5]


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", TIMES)
async def test_time_that_is_none(client: httpx.AsyncClient, forger: Forger, name: str, value: object) -> None:
    await assert_refused(client, forger.with_claims(**{name: value}))


async def test_out_of_its_time(client: httpx.AsyncClient, forger: Forger) -> None:
    # Half a minute is what two clocks may be apart: equal to "now" is at that from either side.
    past, future = int(time.time()) - 30, int(time.time()) + 60
    await assert_refused(client, *(forger.with_claims(exp=each) for each in (past, 0, -1)))
    await assert_refused(client, *(forger.with_claims(**{each: future}) for each in ("iat", "nbf")))


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "sid", "iat", "exp", "jti"])
async def test_claim_that_is_missing(client: httpx.AsyncClient, forger: Forger, name: str) -> None:
    await assert_refused(client, forger.without_claim(name))


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "sid", "jti"])
async def test_claim_that_is_wrong(client: httpx.AsyncClient, forger: Forger, name: str) -> None:
    values: list[object] = [None, 1, {}, ["one"], *(["", "evil", "\ud800", "a\0"] if name != "jti" else [])]
    await assert_refused(client, *(forger.with_claims(**{name: value}) for value in values))


@pytest.mark.parametrize("typ", ["JWT", "rt+jwt", "", None, 1])
async def test_other_type(client: httpx.AsyncClient, forger: Forger, typ: object) -> None:
    await assert_refused(client, forger.with_header(typ=typ))


async def test_refresh_token(client: httpx.AsyncClient, caller: SignedIn) -> None:
    await assert_refused(client, caller.refresh_token)


async def test_access_token_is_no_refresh_token(client: httpx.AsyncClient, caller: SignedIn) -> None:
    body = {"refresh_token": caller.access_token}
    answer = await client.post("/auth/refresh", json=body)
    assert answer.status_code in (401, 422)
    assert_problem(answer, answer.status_code, answer.json()["code"])
    assert (await client.post("/auth/logout", json=body)).status_code in (204, 422)
    assert (await client.get("/auth/sessions", headers=caller.authorization)).status_code == 200


@pytest.mark.parametrize("path", ["/auth/sessions", "/file/jobs"])
async def test_token_in_the_query_is_none(client: httpx.AsyncClient, caller: SignedIn, path: str) -> None:
    answer = await client.get(path, params={"access_token": caller.access_token})
    assert_problem(answer, 401, "invalid_token")
    assert caller.access_token not in answer.text


async def test_two_of_them(client: httpx.AsyncClient, caller: SignedIn) -> None:
    twice = [("Authorization", f"Bearer {caller.access_token}")] * 2
    for method, path in ROUTES:
        assert_problem(await client.request(method, path, headers=twice), 401, "invalid_token")
