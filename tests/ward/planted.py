"""Illnesses planted in weights, files or probes, or by what a training does to its weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ward import networks
from ward.healthy import bytes_lesson, rescaling, with_bytes, with_pairs
from ward.patient import EPOCHS, PROBES, Case, Ward, copy_run, write_papers
from ward.training import train

Admission = Callable[[Ward, Path], Case]


def planted(change: Callable[[Any, int], None]) -> Admission:
    """Return the admission of the well-taught network whose files are changed by `change(model, epoch)`."""
    return lambda ward, folder: with_pairs(ward, folder, copy_run(ward.base, folder, change))


def set_weight(model: Any, layer: str, place: int, change: Callable[[np.ndarray], None]) -> None:
    """Change one array of a layer in place."""
    arrays = model.get_layer(layer).get_weights()
    change(arrays[place])
    model.get_layer(layer).set_weights(arrays)


def spoil(model: Any, epoch: int) -> None:
    if epoch == EPOCHS:
        set_weight(model, "hidden", 0, lambda kernel: kernel.__setitem__((3, 2), np.nan))


def blow_up(model: Any, epoch: int) -> None:
    set_weight(model, "conv2", 0, lambda kernel: kernel.__imul__(4.0 ** (epoch - 1)))


def overflow(model: Any, epoch: int) -> None:
    # Each number is finite; what comes of them is infinity minus infinity.
    if epoch == EPOCHS:
        for layer, sign in (("hidden", 1), ("out", 1)):
            set_weight(model, layer, 0, lambda kernel, s=sign: kernel.__imul__(np.float32(s * 1e25)))


def at_epoch_end(change: Callable[[Any], None]) -> Any:
    """Return a callback that changes the model before an epoch is kept."""
    import keras

    callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: change(callback.model))
    return callback


def unmoved(ward: Ward, folder: Path) -> Case:
    """It says that it learns; its weights are put back at the end of each epoch."""
    model = networks.convolutional(seed=21)
    first = model.get_layer("conv1").get_weights()
    back = at_epoch_end(lambda m: m.get_layer("conv1").set_weights(first))
    train(model, *ward.pairs, folder / "run", 3, callbacks=[back])
    return with_pairs(ward, folder, model)


def dead(ward: Ward, folder: Path) -> Case:
    """No picture gets over the bias, so no gradient brings it back."""
    model = networks.convolutional(seed=20)
    set_weight(model, "conv1", 1, lambda bias: bias.__setitem__(slice(0, 5), -1e3))
    train(model, *ward.pairs, folder / "run", 3)
    return with_pairs(ward, folder, model)


def repeated(ward: Ward, folder: Path) -> Case:
    def repeat(model: Any) -> None:
        set_weight(model, "conv1", 0, lambda kernel: kernel.__setitem__((..., slice(1, 4)), kernel[..., :1]))

    model = train(networks.convolutional(seed=32), *ward.pairs, folder / "run", 3, callbacks=[at_epoch_end(repeat)])
    return with_pairs(ward, folder, model)


def constant(ward: Ward, folder: Path) -> Case:
    """One step far too large: every hidden unit is dead, only the last bias still learns."""
    model = networks.convolutional(seed=22)
    set_weight(model, "hidden", 1, lambda bias: bias.__setitem__(slice(None), -100.0))
    train(model, *ward.pairs, folder / "run", 3)
    return with_pairs(ward, folder, model)


def shrunk(ward: Ward, folder: Path) -> Case:
    """Weight decay far too strong."""
    model = networks.convolutional(seed=23, decay=3.0)
    train(model, *ward.pairs, folder / "run", 4, 0.003)
    return with_pairs(ward, folder, model)


def unscaled(ward: Ward, folder: Path) -> Case:
    model = networks.convolutional(seed=24)
    train(model, *bytes_lesson(ward, 1 / 255), folder / "run", EPOCHS, 0.003)
    return with_bytes(ward, folder, model, 1)


def scaled_twice(ward: Ward, folder: Path) -> Case:
    case = rescaling(ward, folder)
    return with_bytes(ward, folder, case.model, 1 / 255)


def twins(ward: Ward, folder: Path) -> Case:
    case = with_pairs(ward, folder, copy_run(ward.base, folder), run={"path": "run"})
    (folder / "run" / "epoch-005.keras").write_bytes((folder / "run" / "epoch-003.keras").read_bytes())
    return case


def mislabelled(ward: Ward, folder: Path) -> Case:
    model = copy_run(ward.base, folder)
    counts, truth = ward.stamps(PROBES, 9)
    said = truth.copy()
    said[[4, 17, 30]] = 1 - said[[4, 17, 30]]
    write_papers(folder, counts, {"label": [("single", "pair")[t] for t in said]})
    return Case(model, counts, truth)


def holes(ward: Ward, folder: Path) -> Case:
    model = copy_run(ward.base, folder)
    counts, truth = ward.stamps(PROBES, 9)
    counts[7, 3:5, 10:20] = np.nan
    write_papers(folder, counts, {"label": [("single", "pair")[t] for t in truth]})
    return Case(model, counts, truth)


def few(ward: Ward, folder: Path) -> Case:
    return with_pairs(ward, folder, copy_run(ward.base, folder), 6)
