"""What every group of options has in common."""

from pydantic import BaseModel, ConfigDict


class Options(BaseModel):
    """A group of options; a key it does not know is an error.

    The docstrings under the options go into the schema (`schema.py`); having pydantic read them here would cost
    every command a tenth of its time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
