"""Names that Keras gives by itself: it numbers them through a session, so that they say nothing about a network."""

from __future__ import annotations

import re

from reportgen.checkpoints.json_text import Json
from reportgen.checkpoints.variables import snake

MODEL_NAMES = frozenset({"sequential", "functional", "model"})
"""Names Keras gives to models, without their numbers."""


def unnumbered(name: str) -> str:
    """Return a name without the number Keras puts behind it: conv2d_71 → conv2d."""
    return re.sub(r"_\d+$", "", name)


def lasting(name: str, class_name: str) -> str:
    """Return what of a display name is the user's: backbone/conv2d_71 → backbone/, sequential_3/edges → /edges."""
    *models, own = name.split("/")
    words = ["" if unnumbered(model) in MODEL_NAMES else model for model in models]
    return "/".join([*words, "" if unnumbered(own) == snake(class_name) else own])


def lasting_options(value: Json) -> Json:
    """Return a layer's options with the names of layers inside it unnumbered."""
    if isinstance(value, dict):
        return {
            key: unnumbered(item) if key == "name" and isinstance(item, str) else lasting_options(item)
            for key, item in value.items()
        }
    return [lasting_options(item) for item in value] if isinstance(value, list) else value
