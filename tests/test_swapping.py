"""Checkpoints of one architecture: the weights are swapped, at an eighth of what loading each would cost."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reportgen.checkpoints import find_run, read_checkpoint
from reportgen.config.model import RunConfig
from reportgen.network import open_network

SWAPS = int(os.environ.get("SWAPS", "12"))
LEAST = float(os.environ.get("LEAST", "6"))
"""Beside other tests on the same two cores; `make swaps` measures 20 alone, and asks for 8."""


def small_cnn() -> Any:
    """0.9 M parameters on 75 × 75 × 3."""
    from keras import Input, Sequential, layers

    return Sequential([
        Input((75, 75, 3)), layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(2), layers.Conv2D(96, 3, activation="relu"),
        layers.MaxPooling2D(2), layers.Flatten(), layers.Dense(176, activation="relu"),
        layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip


def resnet50() -> Any:
    from keras import applications

    return applications.ResNet50(input_shape=(96, 96, 3), weights=None, classes=2)


def resident() -> float:
    """Memory of this process [MiB]."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS in /proc/self/status")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize(
    ("make", "files"),
    # Twenty files of ResNet50 take 1.9 GB: four of them go round. `make swaps` writes all twenty.
    [
        pytest.param(small_cnn, SWAPS, id="small CNN"),
        pytest.param(resnet50, int(os.environ.get("FILES", "4")), id="ResNet50"),
    ],
)
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_swapping_costs_an_eighth_of_loading(
    make: Callable[[], Any], files: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both ways by turns; of each the least, as timeit advises: what else the machine does only adds to it."""
    import keras

    keras.utils.set_random_seed(1)
    model = make()
    for number in range(files):
        bias = model.layers[-1].weights[-1]
        bias.assign(np.full(bias.shape, number / 10))  # each file another network
        model.save(tmp_path / f"epoch-{number + 1:03d}.h5")
    shape = model.input_shape[1:]
    del model
    keras.utils.clear_session()
    images = np.random.default_rng(2).uniform(0, 1, (16, *shape)).astype(np.float32)

    run = find_run(RunConfig(path=tmp_path), tmp_path)
    ours, memory, theirs = [], [], []
    network = None
    for number in range(SWAPS):
        checkpoint = run.checkpoints[number % files]
        started = time.process_time()
        stored = read_checkpoint(checkpoint)
        network = network or open_network(stored, shape)
        predictions = network.measure(stored, images).predictions
        ours.append(time.process_time() - started)
        del stored
        gc.collect()
        memory.append(resident())
        if number % 4 == 1:
            started = time.process_time()
            loaded = keras.saving.load_model(tmp_path / checkpoint.file, compile=False)
            every = keras.Model(loaded.inputs, [layer.output for layer in loaded.layers])
            expected = every.predict(images, verbose=0)[-1]
            theirs.append(time.process_time() - started)
            np.testing.assert_allclose(predictions, expected, rtol=0, atol=1e-6)
            del loaded, every
            gc.collect()
    ratio = min(theirs) / min(ours[1:])
    growth = memory[-1] - memory[2]
    with capsys.disabled():
        print(
            f"\n{make.__name__}: load {min(theirs):.2f} to {max(theirs):.2f} s, swap {min(ours[1:]):.3f} to "
            f"{max(ours[1:]):.3f} s CPU: {ratio:.1f} times (of means {np.mean(theirs) / np.mean(ours[1:]):.1f}); "
            f"{growth:+.0f} MiB from the 3rd to the {SWAPS}th"
        )
    assert ratio >= LEAST
    assert growth < 50
