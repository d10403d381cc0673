"""Write the zoo: `python -m zoo.write FOLDER`, under the Keras whose files are wanted.

FOLDER/TOPOLOGY/FORMAT/ holds one checkpoint each, FOLDER/TOPOLOGY/reference.npz what it computes, and
FOLDER/written.json why the others could not be written.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo import cells, older
from zoo.recording import record
from zoo.topologies import KERAS_3, TOPOLOGIES, fill, inputs


def save_keras(model: Any, folder: Path) -> None:
    model.save(folder / "model.keras")


def save_folder(model: Any, folder: Path) -> None:
    model.save(folder / "model", zipped=False)


def save_npz(model: Any, folder: Path) -> None:
    from keras.src.saving import saving_lib

    saving_lib.save_model(model, folder / "model.keras", weights_format="npz")


def save_hdf5(model: Any, folder: Path) -> None:
    model.save(folder / "model.h5")


def save_bare(model: Any, folder: Path) -> None:
    """As `ModelCheckpoint('highest_weight')` kept it for years: HDF5 without a suffix."""
    model.save(folder / "model.h5")
    (folder / "model.h5").rename(folder / "highest_weight")


def save_weights(model: Any, folder: Path) -> None:
    model.save_weights(folder / "model.weights.h5")
    _save_json(model, folder)


def save_sharded(model: Any, folder: Path) -> None:
    sizes = [int(np.prod(weight.shape)) * 4 for weight in model.weights]
    model.save_weights(folder / "model.weights.json", max_shard_size=max(sum(sizes) // 2, 1.2 * max(sizes)) / 1e9)
    _save_json(model, folder)


def save_legacy_weights(model: Any, folder: Path) -> None:
    model.save_weights(folder / "model.h5")
    _save_json(model, folder)


def save_bundle(model: Any, folder: Path) -> None:
    if KERAS_3:
        import tensorflow as tf

        tf.train.Checkpoint(model=model).write(str(folder / "model.ckpt"))
        _whole(model, folder / "model.ckpt")
    else:
        model.save_weights(folder / "model.ckpt")
    _save_json(model, folder)


def _whole(model: Any, path: Path) -> None:
    """Raise NotThere where Keras 3 left arrays out of a checkpoint: it does so with the cells of StackedRNNCells."""
    import tensorflow as tf

    held = {tuple(shape) for _, shape in tf.train.list_variables(str(path))}
    if missing := [weight.path for weight in model.weights if tuple(weight.shape) not in held]:
        raise older.NotThere(f"Keras wrote no array for {', '.join(missing)}")


def save_saved_model(model: Any, folder: Path) -> None:
    # Tracing every layer takes half a second to half a minute, and nothing that is read depends on it.
    model.save(folder / "model", save_traces=folder.parent.name in {"sequential", "subclassed"})


def save_export(model: Any, folder: Path) -> None:
    model.export(str(folder / "model"), **({"verbose": False} if KERAS_3 else {}))


def _save_json(model: Any, folder: Path) -> None:
    """Put the architecture beside the weights, where the model can say it."""
    try:
        text = model.to_json()
    except (NotImplementedError, ValueError, TypeError):
        return  # a class of the user's own: weights alone
    (folder / "architecture.json").write_text(text)


FORMATS_3: dict[str, Callable[[Any, Path], None]] = {
    "keras": save_keras,
    "folder": save_folder,
    "npz": save_npz,
    "hdf5": save_hdf5,
    "bare": save_bare,
    "weights": save_weights,
    "sharded": save_sharded,
    "bundle": save_bundle,
    "export": save_export,
}
FORMATS_2: dict[str, Callable[[Any, Path], None]] = {
    "keras": save_keras,
    "npz": save_npz,
    "hdf5": save_hdf5,
    "bare": save_bare,
    "weights": save_weights,
    "legacy": save_legacy_weights,
    "bundle": save_bundle,
    "saved": save_saved_model,
    "2.3": older.save_as_keras_2_3,
    "2.1": older.save_as_keras_2_1,
    "1.2": older.save_as_keras_1,
}
FORMATS = FORMATS_3 if KERAS_3 else FORMATS_2

SLOW = {"export": ("sequential", "branches", "two_inputs", "subclassed")}
"""Formats that trace every network, and hold no architecture to rebuild: a few topologies say it all."""


def write(folder: Path, topologies: list[str], formats: list[str], *, timed: bool = False) -> None:
    """Write all cells of one era."""
    refused: dict[str, dict[str, str]] = {}
    for topology in topologies:
        (keras.utils.clear_session if KERAS_3 else keras.backend.clear_session)()
        keras.utils.set_random_seed(5)
        own = refused[topology] = {}
        started = time.process_time()
        try:
            model = fill(TOPOLOGIES[topology]())
            if topology == "branches":
                _train(model)
        except (AttributeError, ValueError, TypeError) as error:
            own["*"] = f"{type(error).__name__}: {error}"
            continue
        _reference(topology, model, folder / topology, inputs(topology, model))
        if timed:
            print(topology, "reference", round(time.process_time() - started, 2))
        for name in formats:
            if topology not in SLOW.get(name, (topology,)):
                own[name] = "left out: too slow to write"
                continue
            place = folder / topology / name
            place.mkdir()
            started = time.process_time()
            try:
                FORMATS[name](model, place)
            except Exception as error:
                own[name] = f"{type(error).__name__}: {error}"
                shutil.rmtree(place)
            if timed:
                print(topology, name, round(time.process_time() - started, 2), own.get(name, "")[:200])
    (folder / "written.json").write_text(json.dumps({"keras": keras.__version__, "refused": refused}))


def _train(model: Any) -> None:
    """Give a model an optimiser with state: it is no weight of the network."""
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)


def _reference(topology: str, model: Any, folder: Path, given: dict[str, np.ndarray]) -> None:
    """Write inputs, outputs, activations and weights as the framework has them."""
    folder.mkdir(parents=True)
    values = list(given.values())
    outputs, heard = record(
        model,
        values if len(values) > 1 else values[0],
        traced=topology in cells.HALF,
        compiled=topology == "channels_first",
    )
    arrays = {f"inputs/{name}": value for name, value in given.items()}
    arrays |= {f"outputs/{number}": value for number, value in enumerate(outputs)}
    arrays |= {f"activations/{name}": value for name, value in heard.items()}
    kept = [weight for weight in model.weights if "seed_generator" not in getattr(weight, "path", weight.name)]
    arrays |= {f"weights/{i}": np.asarray(keras.ops.cast(weight, "float32") if KERAS_3 else weight, "float32")
               for i, weight in enumerate(kept)}  # fmt: skip
    np.savez(folder / "reference.npz", **arrays)


def reference_of_files(files: list[Path], folder: Path) -> None:
    """Write what this Keras computes from files of an earlier one: FOLDER/STEM.npz each.

    The inputs are faint: others drive these networks to scores of 10⁻¹⁴, whose logarithm is 30 times as exact as they.
    """
    for path in files:
        keras.backend.clear_session()
        model = keras.models.load_model(path, compile=False)
        _reference(
            "", model, folder / path.stem, {name: np.float32(0.01) * value for name, value in inputs("", model).items()}
        )


def main() -> None:
    """Write the zoo as the command line asks."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", default=list(TOPOLOGIES), help="topologies")
    parser.add_argument("--files", nargs="*", type=Path, default=[], help="files of an earlier Keras")
    parser.add_argument("--timed", action="store_true", help="print the CPU seconds of each")
    options = parser.parse_args()
    write(options.folder, options.only, list(FORMATS), timed=options.timed)
    reference_of_files(options.files, options.folder / "files")


if __name__ == "__main__":
    main()
