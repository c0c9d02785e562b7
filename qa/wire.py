"""Types that the bodies of all QA endpoints share."""

from typing import Annotated

from pydantic import Field, StringConstraints

# PostgreSQL text cannot hold NUL, so it is refused at the border instead of failing inside.
NO_NUL = r"^[^\x00]*$"

Id = Annotated[str, StringConstraints(max_length=64, pattern=r"^\w+$")]
ItemId = Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z][a-z0-9_]*$")]
Line = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=NO_NUL)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=4000, strip_whitespace=True, pattern=NO_NUL)]
Note = Annotated[str, StringConstraints(max_length=4000, strip_whitespace=True, pattern=NO_NUL)]
Version = Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)]
Share = Annotated[float, Field(ge=0, le=1, strict=True, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
