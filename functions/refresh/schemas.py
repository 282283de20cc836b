from typing import Annotated

from pydantic import BaseModel, Field


class RefreshRequest(BaseModel):
    refresh_token: Annotated[str, Field(max_length=512)]
