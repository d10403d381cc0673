"""Two small networks trained on the simulated pictures, through the callback anybody would use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reportgen.demo.dataset import Dataset

if TYPE_CHECKING:
    import keras

EPOCHS, PASSES = 8, 1
"""Of the classifier; in an epoch it sees each picture so many times, turned or mirrored by chance."""
REGRESSION_EPOCHS = 4
BATCH = 16
LEARNING_RATE = 0.003
"""At the beginning; it falls to a twentieth along a cosine."""


Progress = Callable[[str], Any]


def classify(train: Dataset, held_out: Dataset, folder: Path, seed: int, notes: str, progress: Progress) -> None:
    """Train the classifier, merger or not, and keep every epoch in `folder`."""
    import keras

    keras.utils.set_random_seed(seed)
    model = _network("classifier", train, dropout=0.3, hidden=("dense", 32), output="merger")
    _fit(model, train, "merger", held_out, (EPOCHS, PASSES), folder, seed, notes, progress)


def regress(
    train: Dataset, held_out: Dataset, folder: Path, classifier: Path, seed: int, notes: str, progress: Progress
) -> None:
    """Train the regression, tail strength in [0, 1], and keep every epoch in `folder`.

    It starts with the convolutions of the best epoch in the folder `classifier`: they know tails already.
    """
    import keras

    from reportgen.callbacks import restore_best

    keras.utils.set_random_seed(seed)
    model = _network("regression", train, dropout=0.1, hidden=("hidden", 16), output="tail_strength")
    restored = restore_best(model, classifier)
    progress(f"regression: {', '.join(restored.taken)} begin as the best classifier's")
    _fit(model, train, "target", held_out, (REGRESSION_EPOCHS, 1), folder, seed, notes, progress)


def _network(name: str, train: Dataset, dropout: float, hidden: tuple[str, int], output: str) -> keras.Model:
    """Return four blocks of convolution, normalisation, ReLU and pooling, and two dense layers."""
    import keras

    layers = keras.layers
    stack = [layers.Input(train.inputs.shape[1:], name="image")]
    for block, (filters, size) in enumerate(((12, 5), (24, 5), (32, 3), (48, 3)), start=1):
        stack += [
            layers.Conv2D(
                filters, size, padding="same" if block == 1 else "valid", use_bias=False, name=f"conv{block}"
            ),
            layers.BatchNormalization(momentum=0.9, name=f"norm{block}"),
            layers.ReLU(name=f"relu{block}"),
            layers.MaxPooling2D(name=f"pool{block}"),
        ]
    stack += [
        layers.Dropout(dropout, name="dropout"),
        layers.Flatten(name="flatten"),
        layers.Dense(hidden[1], activation="relu", name=hidden[0]),
        layers.Dense(1, activation="sigmoid", name=output),
    ]
    return keras.Sequential(stack, name=name)


def _fit(
    model: keras.Model, train: Dataset, answer: str, held_out: Dataset, length: tuple[int, int], folder: Path,
    seed: int, notes: str, progress: Progress,
) -> None:  # fmt: skip
    import keras

    from reportgen.callbacks import GetWeights

    (epochs, passes), classes = length, answer == "merger"
    batches = turned_batches(train, answer, passes, seed)
    model.compile(
        optimizer=keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(LEARNING_RATE, epochs * len(batches), alpha=0.05)
        ),
        loss="binary_crossentropy" if classes else "mean_squared_error",
        metrics=["accuracy"] if classes else ["mean_absolute_error"],
    )
    said = "val_accuracy" if classes else "val_loss"
    told = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: progress(
            f"{model.name}: epoch {epoch + 1} of {epochs}, held-out {said.removeprefix('val_')} {logs[said]:.3f}"
        )
    )
    model.fit(
        batches, validation_data=(held_out.inputs, getattr(held_out, answer)), epochs=epochs, verbose=0, shuffle=False,
        callbacks=[GetWeights(folder, monitor="val_loss", notes=notes), told],
    )  # fmt: skip


def turned_batches(train: Dataset, answer: str, passes: int, seed: int) -> Any:
    """Return a Keras dataset that shuffles anew each epoch and turns or mirrors each batch: the sky has no up."""
    import keras

    class Turned(keras.utils.PyDataset):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.rng = np.random.default_rng([seed, 1])
            self.on_epoch_end()

        def on_epoch_end(self) -> None:
            self.order = np.concatenate([self.rng.permutation(len(train)) for _ in range(passes)])
            self.turns = self.rng.integers(0, 8, len(self))

        def __len__(self) -> int:
            return -(-len(train) * passes // BATCH)

        def __getitem__(self, index: int) -> tuple[Any, Any]:
            rows = self.order[index * BATCH : (index + 1) * BATCH]
            images = np.rot90(train.inputs[rows], self.turns[index] % 4, axes=(1, 2))
            images = images[:, ::-1] if self.turns[index] >= 4 else images
            return np.ascontiguousarray(images), getattr(train, answer)[rows]

    return Turned()
