"""What every group of options has in common."""

from pydantic import BaseModel, ConfigDict


class Options(BaseModel):
    """A group of options; a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
