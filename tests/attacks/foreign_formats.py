"""Checkpoints and saved models of TensorFlow: broken, or pointing elsewhere."""

from __future__ import annotations

import functools
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from attacks.attack import Attack, Place, refused, weights_only


@functools.cache
def bundle() -> Path:
    """Return a TensorFlow checkpoint, written once."""
    import tensorflow as tf

    folder = Path(tempfile.mkdtemp(prefix="reportgen-attacks-"))
    values = {name: tf.Variable(np.ones((3, 4), "f4"), name=f"conv_{name}/kernel") for name in "abc"}
    tf.train.Checkpoint(**values).write(str(folder / "b"))
    return folder / "b"


def of_bundle(edit: Callable[[Path, Path], object]) -> Callable[[Place], None]:
    """Return what writes a checkpoint whose two files, index and data, were tampered with."""

    def write(place: Place) -> None:
        index, data = place.path, place.beside(place.path.name.replace(".index", ".data-00000-of-00001"))
        shutil.copy(f"{bundle()}.index", index)
        shutil.copy(f"{bundle()}.data-00000-of-00001", data)
        edit(index, data)

    return write


def cut(path: Path, part: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])


def flip(path: Path, spot: int) -> None:
    data = bytearray(path.read_bytes())
    data[spot] ^= 0xFF
    path.write_bytes(data)


def swap_for_link(path: Path, target: Path) -> None:
    path.unlink()
    path.symlink_to(target)


def swap_for_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def pointing(place: Place) -> None:
    """Write a checkpoint beside a text file `checkpoint` that names one outside."""
    of_bundle(lambda index, data: None)(place)
    place.beside("checkpoint").write_text(f'model_checkpoint_path: "{place.foreign}"\n')


def writing_graph(place: Place) -> None:
    """Write a SavedModel whose graph writes the marker when it is run, and when it is loaded."""
    import tensorflow as tf

    class Writer(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.kernel = tf.Variable(np.ones((3, 4), "f4"), name="kernel")

        @tf.function(input_signature=[tf.TensorSpec((None, 3), tf.float32)])
        def __call__(self, x: tf.Tensor) -> tf.Tensor:
            tf.io.write_file(str(place.marker), "x")
            return x @ self.kernel

    tf.saved_model.save(Writer(), str(place.path))


def saved_model(edit: Callable[[Path], object]) -> Callable[[Place], None]:
    """Return what writes a SavedModel folder and tampers with it."""

    def write(place: Place) -> None:
        writing_graph(place)
        edit(place.path)

    return write


def orbax(place: Place) -> None:
    place.path.mkdir()
    (place.path / "_CHECKPOINT_METADATA").write_text("{}")


ATTACKS: tuple[Attack, ...] = (
    refused(
        "bundle-shard-missing.index", "data-00000-of-00001 is missing", of_bundle(lambda index, data: data.unlink())
    ),
    refused("bundle-data-cut.index", "lies outside its data file", of_bundle(lambda index, data: cut(data, 0.5))),
    refused("bundle-index-cut.index", "index is cut or damaged", of_bundle(lambda index, data: cut(index, 0.5))),
    refused("bundle-index-empty.index", "empty", of_bundle(lambda index, data: index.write_bytes(b""))),
    refused("bundle-data-flipped.index", "checksum of a/", of_bundle(lambda index, data: flip(data, 20))),
    refused("bundle-index-flipped.index", "checksum in the index", of_bundle(lambda index, data: flip(index, 20))),
    refused(
        "bundle-data-a-link.index",
        "is a link",
        of_bundle(lambda index, data: swap_for_link(data, index.parent.parent / "foreign.txt")),
    ),
    refused("bundle-data-a-pipe.index", "no regular file", of_bundle(lambda index, data: swap_for_pipe(data))),
    weights_only("bundle-pointing-outside.index", "weights alone", pointing),
    weights_only("saved-model-writing", "weights alone", writing_graph),
    refused(
        "saved-model-no-variables",
        r"variables\.index is missing",
        saved_model(lambda path: shutil.rmtree(path / "variables")),
    ),
    refused(
        "saved-model-graph-cut", "description is damaged", saved_model(lambda path: cut(path / "saved_model.pb", 0.5))
    ),
    refused(
        "saved-model-graph-a-link",
        "is a link",
        saved_model(lambda path: swap_for_link(path / "saved_model.pb", path.parent.parent / "foreign.txt")),
    ),
    refused(
        "saved-model-metadata-noise",
        "description is damaged",
        saved_model(lambda path: (path / "keras_metadata.pb").write_bytes(np.random.default_rng(3).bytes(5000))),
    ),
    refused(
        "saved-model-metadata-bomb",
        "byte is cut",
        saved_model(lambda path: (path / "keras_metadata.pb").write_bytes(b"\x0a\xff\xff\xff\xff\x7f" + bytes(100))),
    ),
    refused("orbax-folder", "Orbax", orbax),
)
