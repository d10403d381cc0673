"""The model in a `.keras` checkpoint: config.json, metadata.json and the weights, whatever holds them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from reportgen.checkpoints.groups import ArrayGroups, Groups, Hdf5Groups
from reportgen.checkpoints.hdf5 import open_hdf5
from reportgen.checkpoints.json_text import parse_json
from reportgen.checkpoints.limits import CONFIG_LIMIT, FILE_LIMIT, METADATA_LIMIT
from reportgen.checkpoints.members import Members
from reportgen.checkpoints.npz import read_npz
from reportgen.checkpoints.outline import count_layers, is_model
from reportgen.checkpoints.stored import StoredModel
from reportgen.checkpoints.training import class_of, loss_of
from reportgen.checkpoints.v3_weights import read_weights
from reportgen.errors import CheckpointError, printable

CONFIG, METADATA, WEIGHTS, NPZ = "config.json", "metadata.json", "model.weights.h5", "model.weights.npz"


def read_model(members: Members) -> StoredModel:
    """Return architecture and weights; nothing is unpacked to disk."""
    described = parse_json(members.read(CONFIG, CONFIG_LIMIT), CONFIG, CONFIG_LIMIT)
    metadata = parse_json(members.read(METADATA, METADATA_LIMIT), METADATA, METADATA_LIMIT)
    if not isinstance(described, dict) or not isinstance(described.get("config"), dict | list):
        raise CheckpointError(f"{CONFIG} describes no model", expected="an object of class_name and config")
    if is_model(described):
        count_layers(described)
    compiled = described.get("compile_config")
    compiled = compiled if isinstance(compiled, dict) else {}
    metadata = metadata if isinstance(metadata, dict) else {}
    with open_weights(members) as groups:
        weights = read_weights(groups, described)
    return replace(
        weights,
        config=described,
        keras_version=printable(metadata.get("keras_version", ""), 100),
        saved=printable(metadata.get("date_saved", ""), 100).replace("@", " "),
        optimizer=class_of(compiled.get("optimizer")) if weights.optimizer else "",
        loss=loss_of(compiled.get("loss")),
    )


@contextmanager
def open_weights(members: Members) -> Iterator[Groups]:
    """Open the weights for reading, HDF5 or npz."""
    names = members.names()
    if WEIGHTS not in names and NPZ in names:
        yield ArrayGroups(read_npz(members.read(NPZ, FILE_LIMIT)))
        return
    with open_hdf5(io.BytesIO(members.read(WEIGHTS, FILE_LIMIT))) as file:
        yield Hdf5Groups(file)
