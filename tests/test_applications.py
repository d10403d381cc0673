"""Keras' own networks come back from `.keras` and `.h5` with the predictions Keras gives them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from networks import measure, stored

SIDES = {
    "MobileNetV2": 32, "MobileNetV3Small": 32, "ResNet50": 32, "ResNet50V2": 32, "VGG16": 32, "DenseNet121": 32,
    "EfficientNetB0": 32, "EfficientNetV2B0": 32, "Xception": 71, "InceptionV3": 75, "NASNetMobile": 32,
    "ConvNeXtTiny": 32,
}  # fmt: skip
"""Network → the smallest images it takes."""


def network(name: str, side: int) -> Any:
    """Return an application with random weights, its top for five classes, moving statistics random too."""
    import keras

    keras.utils.clear_session()
    keras.utils.set_random_seed(1)
    # VGG16's three dense layers alone hold 120 M numbers: its own top on the smallest images is still whole.
    model = getattr(keras.applications, name)(input_shape=(side, side, 3), weights=None, classes=5)
    rng = np.random.default_rng(2)
    for weight in model.weights:
        if "moving_" in weight.name or weight.name in {"gamma", "beta", "bias"}:
            low = 0.5 if "variance" in weight.name or weight.name == "gamma" else -0.2
            weight.assign(rng.uniform(low, low + 0.5, weight.shape))
    return model


@pytest.mark.slow
@pytest.mark.parametrize("name", SIDES)
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_an_application_round_trips(name: str, tmp_path: Path) -> None:
    import keras

    side = SIDES[name]
    model = network(name, side)
    images = np.random.default_rng(3).uniform(0, 255, (2, side, side, 3)).astype(np.float32)
    expected = model.predict(images, verbose=0)
    assert np.isfinite(expected).all() and np.ptp(expected) > 0
    model.save(tmp_path / "model.keras")
    model.save(tmp_path / "model.h5")
    del model
    keras.utils.clear_session()
    for suffix in (".keras", ".h5"):
        got = measure(stored(tmp_path / f"model{suffix}"), images).predictions
        assert np.abs(got - expected).max() <= 1e-6 * np.abs(expected).max(), suffix
        (tmp_path / f"model{suffix}").unlink()
