"""What a file says about how it was trained: names only, nothing is looked up or made from them."""

from __future__ import annotations

from reportgen.checkpoints.json_text import Json
from reportgen.errors import printable


def class_of(described: Json) -> str:
    """Return the class of a described object: Adam."""
    if isinstance(described, dict):
        described = described.get("class_name", "unknown")
    return printable(described or "unknown").rsplit(">", 1)[-1]


def loss_of(described: Json) -> str:
    """Return the loss in a word, or a list of words where the network has several outputs."""
    if isinstance(described, str):
        return printable(described)
    if isinstance(described, list):
        return ", ".join(filter(None, map(loss_of, described)))
    if isinstance(described, dict):
        config = described.get("config")
        if "class_name" not in described:
            return ", ".join(f"{key}: {loss_of(value)}" for key, value in described.items())
        if isinstance(config, str):  # a function of the user's
            return printable(config)
        name = config.get("name") if isinstance(config, dict) else None
        return printable(name or described["class_name"])
    return ""
