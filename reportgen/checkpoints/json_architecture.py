"""An architecture as JSON, as Keras' `to_json` writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reportgen.checkpoints.json_text import parse_json
from reportgen.checkpoints.keras_1 import modern
from reportgen.checkpoints.limits import CONFIG_LIMIT
from reportgen.checkpoints.members import read_regular
from reportgen.errors import CheckpointError


def read_json_architecture(path: Path) -> dict[str, Any] | None:
    """Return the description in a JSON file, or None where it describes no model."""
    try:
        described = parse_json(read_regular(path, CONFIG_LIMIT), path.name, CONFIG_LIMIT)
        if isinstance(described, str):  # to_json written once more through json.dump
            described = parse_json(described, path.name, CONFIG_LIMIT)
    except CheckpointError:
        return None
    if not isinstance(described, dict) or not isinstance(described.get("class_name"), str):
        return None
    if not isinstance(described.get("config"), dict | list):
        return None
    return modern(described) if str(described.get("keras_version", "")).startswith(("0.", "1.")) else described
