from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from shared.security.passwords import MAXIMUM_CHARACTERS, MINIMUM_CHARACTERS
from shared.types import Username


class NewUser(BaseModel):
    username: Username
    password: Annotated[
        str,
        Field(
            min_length=MINIMUM_CHARACTERS,
            max_length=MAXIMUM_CHARACTERS,
            examples=["correct horse battery staple"],
        ),
    ]


class RegisteredUser(BaseModel):
    id: UUID
    username: str
