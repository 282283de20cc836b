from typing import Annotated

from fastapi import APIRouter, Depends

from shared.on_startup.tokens import verification_key_ring
from shared.responses import OrjsonResponse
from shared.security.keys import KeyRing

router = APIRouter(tags=["tokens"])

CACHE = {"Cache-Control": "public, max-age=600"}


@router.get("/.well-known/jwks.json")
async def jwks(keys: Annotated[KeyRing, Depends(verification_key_ring)]) -> OrjsonResponse:
    """List the public keys that access tokens are verified with (RFC 7517)."""
    return OrjsonResponse(keys.jwks(), headers=CACHE)
