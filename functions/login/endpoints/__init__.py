from fastapi import APIRouter

from functions.login.endpoints import jwks, login, password

# Not by `include_router`, which hides from `create_app` the routes whose series start at zero.
router = APIRouter(routes=[*login.router.routes, *jwks.router.routes, *password.router.routes])
