"""`.keras` files: a zip of config.json, metadata.json and the weights; Keras 2.12 and later."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

from reportgen.checkpoints import v3_weights
from reportgen.checkpoints.limits import (
    CONFIG_LIMIT,
    FILE_LIMIT,
    METADATA_LIMIT,
    check_directory,
    open_hdf5,
    open_zip,
    parse_json,
    read_member,
)
from reportgen.checkpoints.stored import StoredModel
from reportgen.checkpoints.training import class_of, loss_of
from reportgen.errors import CheckpointError, printable

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"


def recognise(path: Path, head: bytes) -> bool:
    """Return whether a file is a zip that holds an architecture as Keras writes it."""
    if not head.startswith(b"PK\x03\x04"):
        return False
    try:
        check_directory(path)
        with zipfile.ZipFile(path) as archive:
            return CONFIG in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return False  # a zip that breaks off has lost its list of members


def read(path: Path, config: dict[str, Any] | None = None) -> StoredModel:
    """Return architecture and weights; the members are read into memory, nothing is unpacked to disk."""
    with open_zip(path) as archive:
        described = parse_json(read_member(archive, CONFIG, CONFIG_LIMIT), CONFIG, CONFIG_LIMIT)
        metadata = parse_json(read_member(archive, METADATA, METADATA_LIMIT), METADATA, METADATA_LIMIT)
        if not isinstance(described, dict) or not isinstance(described.get("config"), dict | list):
            raise CheckpointError(f"{CONFIG} describes no model", expected="an object of class_name and config")
        if WEIGHTS not in archive.namelist() and "model.weights.npz" in archive.namelist():
            raise CheckpointError(
                "the weights are pickled (model.weights.npz)",
                expected=f"{WEIGHTS} in the zip file",
                advice="Pickled data can run code and is never opened. Save the model again with a current Keras.",
            )
        weights = read_member(archive, WEIGHTS, FILE_LIMIT)
    compiled = described.get("compile_config")
    compiled = compiled if isinstance(compiled, dict) else {}
    metadata = metadata if isinstance(metadata, dict) else {}
    with open_hdf5(io.BytesIO(weights)) as file:
        layers = v3_weights.read_layers(file, described)
        has_state = bool(v3_weights.optimizer_class(file))
    return StoredModel(
        layers,
        described,
        keras_version=printable(metadata.get("keras_version", ""), 100),
        saved=printable(metadata.get("date_saved", ""), 100).replace("@", " "),
        optimizer=class_of(compiled.get("optimizer")) if has_state else "",
        loss=loss_of(compiled.get("loss")),
    )
