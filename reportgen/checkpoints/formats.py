"""Every checkpoint format there is, and the door of this room: what leaves it is a StoredModel or a CheckpointError."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reportgen.checkpoints import bundle, keras_folder, keras_hdf5, keras_zip, saved_model, shards, v3_weights
from reportgen.checkpoints.json_architecture import read_json_architecture
from reportgen.checkpoints.limits import FILE_LIMIT, size
from reportgen.checkpoints.run import Checkpoint
from reportgen.checkpoints.stored import StoredModel
from reportgen.checkpoints.wording import in_words
from reportgen.errors import CheckpointError

HEAD = 4096
"""How much of a file is read to recognise it [byte]; HDF5 may begin behind a block of the user's, at 512 ·2ⁿ."""

FOREIGN = (
    OSError, KeyError, IndexError, ValueError, TypeError, AttributeError, RuntimeError, RecursionError, MemoryError,
    ArithmeticError, zipfile.BadZipFile, zlib.error, struct.error,
)  # fmt: skip
"""What h5py, zipfile and json raise on damaged files."""


@dataclass(frozen=True)
class Format:
    """One kind of checkpoint: a file, the index of several, or a folder, for which the first bytes are none."""

    title: str
    """As it stands in a report."""
    recognise: Callable[[Path, bytes], bool]
    """Whether a file is of this kind, from its content: path and first bytes."""
    read: Callable[[Path, dict[str, Any] | None], StoredModel]
    """What it holds; the second argument is a borrowed architecture for files of weights alone."""
    whole: bool
    """Whether the architecture is inside."""
    parts: Callable[[Path], Sequence[Path]] = lambda path: (path,)
    """The files it consists of, itself included; for a folder those inside."""
    unsaid: str = ""
    """End of the path that users leave away."""


FORMATS: dict[str, Format] = {
    "keras": Format("Keras model (.keras)", keras_zip.recognise, keras_zip.read, True),
    "keras-folder": Format("Keras model (folder)", keras_folder.recognise, keras_folder.read, True, keras_folder.parts),
    "hdf5": Format("Keras model (HDF5)", keras_hdf5.recognise_model, keras_hdf5.read_model, True),
    "hdf5-weights": Format("Keras 2 weights (HDF5)", keras_hdf5.recognise_weights, keras_hdf5.read_weights, False),
    "weights": Format("Keras weights (.weights.h5)", v3_weights.recognise, v3_weights.read, False),
    "weights-shards": Format(
        "Keras weights in parts (.weights.json)", shards.recognise, shards.read, False, shards.parts
    ),
    "tf-checkpoint": Format("TensorFlow checkpoint", bundle.recognise, bundle.read, False, bundle.parts_of, ".index"),
    "saved-model": Format(
        "SavedModel of Keras 2", saved_model.recognise, saved_model.read, True, saved_model.parts_of_folder
    ),
    "exported": Format(
        "SavedModel (weights alone)",
        saved_model.recognise_exported,
        saved_model.read_exported,
        False,
        saved_model.parts_of_folder,
    ),
}


def recognise(path: Path, head: bytes) -> str | None:
    """Return the key of FORMATS that a file's content belongs to, or None.

    Raises CheckpointError where the file begins like one of them and breaks off.
    """
    for key, kind in FORMATS.items():
        try:
            if kind.recognise(path, head):
                return key
        except FOREIGN as error:
            raise CheckpointError(f"damaged {kind.title}", where=path.name, received=in_words(error)) from error
    return None


def parts_of(path: Path, key: str) -> tuple[Path, ...]:
    """Return the files that a checkpoint of the format `key` consists of."""
    return tuple(FORMATS[key].parts(path))


def read_checkpoint(checkpoint: Checkpoint) -> StoredModel:
    """Return what a checkpoint holds: its arrays, and the architecture where there is one.

    Raises CheckpointError, with the file and what to do, where it cannot be read.
    """
    kind = FORMATS[checkpoint.format]
    try:
        found = sum(part.stat().st_size for part in parts_of(checkpoint.path, checkpoint.format))
        if found > FILE_LIMIT:
            raise CheckpointError(f"the file has {size(found)}", expected=f"at most {size(FILE_LIMIT)}")
        borrowed = None if checkpoint.architecture is None else architecture_in(checkpoint.architecture)
        stored = kind.read(checkpoint.path, borrowed)
        if not kind.whole and not stored.layers:
            raise CheckpointError(
                "the file holds no weights", expected="the arrays of at least one layer",
                advice="Was the model built, or called once, before save_weights?",
            )  # fmt: skip
        return stored
    except CheckpointError as error:
        raise CheckpointError(
            error.problem,
            where=checkpoint.file,
            expected=error.expected,
            received=error.received,
            advice=error.advice or "Save it again, or leave it out with run.checkpoints.",
        ) from error
    except FOREIGN as error:
        raise CheckpointError(
            f"cannot be read as {kind.title}",
            where=checkpoint.file,
            received=in_words(error),
            advice="It is damaged, or was written by something else. Save it again, or leave it out.",
        ) from error


def head_of(path: Path) -> bytes:
    """Return the first bytes of a file, none of a folder."""
    if path.is_dir():
        return b""
    with path.open("rb") as file:
        return file.read(HEAD)


def architecture_in(path: Path) -> dict[str, Any] | None:
    """Return the architecture a file describes: a whole model, or JSON as Keras' to_json writes it."""
    key = recognise(path, head_of(path))
    if not key:
        return read_json_architecture(path)
    stored = FORMATS[key].read(path, None)
    return stored.config and {"keras_version": stored.keras_version, **stored.config}
