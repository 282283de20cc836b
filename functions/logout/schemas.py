from typing import Annotated

from pydantic import BaseModel, Field


class LogoutRequest(BaseModel):
    refresh_token: Annotated[str, Field(max_length=512)]
    everywhere: bool = False
