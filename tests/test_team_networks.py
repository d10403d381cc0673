"""The student team's real networks of 2020 against plain numpy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

from networks import measure, stored


def convolve(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Return relu of a valid convolution of `(y, x, channel)`, straight from its definition."""
    windows = sliding_window_view(x, kernel.shape[:2], axis=(0, 1))  # (y, x, channel, ky, kx)
    return np.maximum(np.einsum("yxcij,ijco->yxo", windows, kernel, optimize=True) + bias, 0)


def test_the_teams_cnn_equals_plain_numpy(team_data: Path) -> None:
    folder = team_data / "s20team2"
    checkpoint = stored(folder / "checkpoints/2020-04-07_atm4wCurModel_conv12-12-12.h5")
    arrays = {layer.name: [v.value.astype(np.float64) for v in layer.variables] for layer in checkpoint.layers}
    names = ["0000_model.png", "0300_model.png", "0600_model.png"]
    images = []
    for name in names:
        with Image.open(folder / "images" / name) as image:
            small = image.convert("L").resize((100, 100), Image.Resampling.NEAREST)
        images.append((np.asarray(small, np.float32) / 127.5 - 1) / 255)
    inputs = np.stack(images)[..., None].astype(np.float32)
    measured = measure(checkpoint, inputs)
    for i, image in enumerate(inputs.astype(np.float64)):
        one = convolve(image, *arrays["conv2d_71"])
        two = convolve(one, *arrays["conv2d_72"])
        pooled = two[:76, :76].reshape(19, 4, 19, 4, 16).max((1, 3))
        three = convolve(pooled, *arrays["conv2d_73"])
        kernel, bias = arrays["dense_28"]
        score = three.ravel() @ kernel + bias
        for name, values in (("conv2d_71", one), ("max_pooling2d_23", pooled), ("conv2d_73", three)):
            np.testing.assert_allclose(measured.activations[name][i], values, rtol=0, atol=1e-5 * values.max())
        assert measured.scores is not None
        np.testing.assert_allclose(measured.scores[i], score, rtol=0, atol=1e-5)
        np.testing.assert_allclose(measured.predictions[i], 1 / (1 + np.exp(-score)), rtol=0, atol=1e-5)


def test_the_teams_single_layer_without_suffix_equals_plain_numpy(team_data: Path, tmp_path: Path) -> None:
    source = team_data / "s20team2/checkpoints/2020-04-23_atm4wCurSingleModel_SingleModelPaper.h5"
    path = tmp_path / "SingleModelPaper"
    path.write_bytes(source.read_bytes())
    checkpoint = stored(path)
    kernel, bias = (v.value.astype(np.float64) for v in checkpoint.layers[0].variables)
    inputs = np.random.default_rng(3).uniform(-0.0039, 0.0039, (4, 10000)).astype(np.float32)
    measured = measure(checkpoint, inputs)
    np.testing.assert_allclose(measured.scores, inputs @ kernel + bias, rtol=0, atol=1e-5)
    np.testing.assert_allclose(measured.predictions, 1 / (1 + np.exp(-(inputs @ kernel + bias))), rtol=0, atol=1e-5)
