"""Checkpoints and saved models of TensorFlow, and weights in several files: broken, or pointing elsewhere."""

from __future__ import annotations

import functools
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from attacks.attack import Attack, Place


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


def sharded(*parts: str) -> Callable[[Place], None]:
    """Return what writes weights in several files, whose list names those parts."""

    def write(place: Place) -> None:
        listed = {f"/layers/conv2d_{i}/vars": part for i, part in enumerate(parts)}
        place.path.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": listed}))

    return write


def orbax(place: Place) -> None:
    place.path.mkdir()
    (place.path / "_CHECKPOINT_METADATA").write_text("{}")


BUNDLE = "TensorFlow"
EITHER = ("refused", "weights only")

ATTACKS: tuple[Attack, ...] = (
    Attack("bundle-shard-missing.index", of_bundle(lambda index, data: data.unlink()), ("refused",), f"data|{BUNDLE}"),
    Attack("bundle-data-cut.index", of_bundle(lambda index, data: cut(data, 0.5)), ("refused",), f"data|{BUNDLE}"),
    Attack("bundle-index-cut.index", of_bundle(lambda index, data: cut(index, 0.5)), ("refused",), f"index|{BUNDLE}"),
    Attack("bundle-index-empty.index", of_bundle(lambda index, data: index.write_bytes(b"")), ("refused",), "empty"),
    Attack("bundle-data-flipped.index", of_bundle(lambda index, data: flip(data, 20)), EITHER, f"data|{BUNDLE}"),
    Attack("bundle-index-flipped.index", of_bundle(lambda index, data: flip(index, 20)), EITHER, f"index|{BUNDLE}"),
    Attack(
        "bundle-data-a-link.index",
        of_bundle(lambda i, d: swap_for_link(d, i.parent.parent / "foreign.txt")),
        ("refused",),
        f"link|{BUNDLE}",
    ),
    Attack(
        "bundle-data-a-pipe.index",
        of_bundle(lambda i, d: (d.unlink(), __import__("os").mkfifo(d))),
        ("refused",),
        f"regular|data|{BUNDLE}",
    ),
    Attack("bundle-pointing-outside.index", pointing, EITHER, ""),
    Attack("saved-model-writing", writing_graph, EITHER, ""),
    Attack(
        "saved-model-no-variables",
        saved_model(lambda path: shutil.rmtree(path / "variables")),
        ("refused",),
        "variables|SavedModel",
    ),
    Attack("saved-model-graph-cut", saved_model(lambda path: cut(path / "saved_model.pb", 0.5)), EITHER, ""),
    Attack(
        "saved-model-graph-a-link",
        saved_model(lambda path: swap_for_link(path / "saved_model.pb", path.parent.parent / "foreign.txt")),
        EITHER,
        "",
    ),
    Attack(
        "saved-model-metadata-noise",
        saved_model(lambda path: (path / "keras_metadata.pb").write_bytes(np.random.default_rng(3).bytes(5000))),
        EITHER,
        "",
    ),
    Attack(
        "saved-model-metadata-bomb",
        saved_model(lambda path: (path / "keras_metadata.pb").write_bytes(b"\x0a\xff\xff\xff\xff\x7f" + bytes(100))),
        EITHER,
        "",
    ),
    Attack("orbax-folder", orbax, ("refused",), "Orbax"),
    Attack("sharded-outside.weights.json", sharded("../../foreign.txt", "/etc/passwd"), ("refused", "passed over")),
    Attack("sharded-missing.weights.json", sharded("not-there_00000.weights.h5"), ("refused", "passed over")),
    Attack("sharded-itself.weights.json", sharded("sharded-itself.weights.json"), ("refused", "passed over")),
)
