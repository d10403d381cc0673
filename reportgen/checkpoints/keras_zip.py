"""`.keras` files: a zip of config.json, metadata.json and the weights; Keras 2.12 and later."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from reportgen.checkpoints.keras_members import CONFIG, read_model
from reportgen.checkpoints.members import ZipMembers
from reportgen.checkpoints.stored import StoredModel
from reportgen.checkpoints.zip_files import check_directory, open_zip
from reportgen.errors import CheckpointError


def recognise(path: Path, head: bytes) -> bool:
    """Return whether a file is a zip that holds an architecture as Keras writes it."""
    if not head.startswith(b"PK\x03\x04"):
        return False
    try:
        check_directory(path)
        with zipfile.ZipFile(path) as archive:
            return CONFIG in archive.namelist()
    except (CheckpointError, zipfile.BadZipFile, OSError, ValueError):
        return False  # a zip that breaks off has lost its list of members; an archive of a million images is none


def read(path: Path, config: dict[str, Any] | None = None) -> StoredModel:
    """Return architecture and weights; the members are read into memory, nothing is unpacked to disk."""
    with open_zip(path) as archive:
        return read_model(ZipMembers(archive))
