from typing import Annotated, Literal

from pydantic import BaseModel, Field

from shared.security.new_passwords import NewPassword
from shared.security.passwords import MAXIMUM_CHARACTERS
from shared.types import Username


class Credentials(BaseModel):
    """`grant_type` is what an OAuth2 client sends along (RFC 6749, 4.3.2)."""

    username: Username
    password: Annotated[str, Field(max_length=MAXIMUM_CHARACTERS, examples=["correct horse battery staple"])]
    grant_type: Literal["password"] = "password"


class PasswordChangeRequest(BaseModel):
    password: Annotated[str, Field(max_length=MAXIMUM_CHARACTERS, examples=["correct horse battery staple"])]
    new_password: NewPassword
