from typing import Annotated

from pydantic import BaseModel, Field, StrictBool


class LogoutRequest(BaseModel):
    refresh_token: Annotated[str, Field(max_length=512)]
    everywhere: StrictBool = False
