from uuid import UUID

from pydantic import BaseModel

from shared.security.new_passwords import NewPassword
from shared.types import Username


class NewUser(BaseModel):
    username: Username
    password: NewPassword


class RegisteredUser(BaseModel):
    id: UUID
    username: str
