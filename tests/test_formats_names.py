"""Names, other state and quantised layers, as the files of Keras have them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import networks
from reportgen.network.engine import start_tensorflow
from test_formats import assert_equal, assert_same_outputs, model, read  # noqa: F401

pytestmark = [
    pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize`"),
    pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5"),
]


def test_state_beside_weights_is_counted_and_is_no_layer(model: Any, tmp_path: Path) -> None:
    """Keras 3.15 keeps no state of its random layers; earlier ones did, in these groups and names."""
    for name in ("m.weights.h5", "m.keras", "m.h5"):
        (model.save_weights if "weights" in name else model.save)(tmp_path / name)
    weights = tmp_path / "m.weights.h5"
    with h5py.File(weights, "a") as file:
        for group in (
            "layers/dropout/seed_generator",
            "layers/dropout_1/seed_generator",
            "_metrics/mean",
            "loss_tracker",
        ):
            file[f"{group}/vars/0"] = np.zeros(2, "u4")
    with h5py.File(tmp_path / "m.h5", "a") as file:
        place = file["model_weights/drop"]
        place["seed_generator/seed_generator_state"] = np.zeros(2, "u4")
        place.attrs["weight_names"] = ["seed_generator/seed_generator_state"]
    names = ["conv2d", "conv_a", "hidden", "norm", "score"]
    states = len(model.optimizer.variables)
    expected = {
        "m.weights.h5": {"optimizer": states, "seed generators": 2, "metrics": 2}, "m.keras": {"optimizer": states},
        "m.h5": {"optimizer": states, "seed generators": 1},
    }  # fmt: skip
    for name, other in expected.items():
        stored = read(tmp_path / name)
        assert sorted(layer.name for layer in stored.layers) == names
        assert stored.other == other, name
    assert read(weights, tmp_path / "m.keras").other == expected["m.weights.h5"]


@pytest.mark.parametrize("policy", ["float16", "bfloat16", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_half_precision_is_read_where_the_architecture_says_so(policy: str, suffix: str, tmp_path: Path) -> None:
    start_tensorflow()
    import keras
    from keras import Input, Sequential, layers

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = networks.fill(Sequential([
            Input((20, 20, 2)), layers.Conv2D(4, 3, activation="relu", name="conv"),
            layers.BatchNormalization(name="bn"),
            layers.GlobalAveragePooling2D(name="mean"), layers.Dense(3, name="out"),
        ]))  # fmt: skip
    finally:
        keras.config.set_dtype_policy(before)
    path = tmp_path / f"m{suffix}"
    model.save(path)
    stored = read(path)
    for layer in stored.layers:
        for variable in layer.variables:
            (own,) = [w for w in model.get_layer(layer.name).weights if w.name == variable.name]
            np.testing.assert_array_equal(np.float32(variable.value), np.float32(np.asarray(own)))
    assert_same_outputs(stored, model, networks.inputs(), 5e-3)


def quantized(config: Any) -> Any:
    start_tensorflow()
    from keras import Input, Sequential, layers

    model = networks.fill(Sequential([
        Input((20, 20, 2)), layers.Conv2D(4, 5, strides=3, name="conv"), layers.Flatten(name="flat"),
        layers.Dense(7, activation="relu", name="hidden"),
        layers.EinsumDense("ab,bc->ac", output_shape=5, bias_axes="c", name="einsum"),
        layers.Dense(5, use_bias=False, name="plain"), layers.Dense(3, activation="softmax", name="out"),
    ]))  # fmt: skip
    model.quantize(config=config())
    return model


def _configs() -> dict[str, Callable[[], Any]]:
    def of(name: str, **options: Any) -> Callable[[], Any]:
        def make() -> Any:
            import keras

            return getattr(keras.quantizers, name)(**options)

        return make

    return {
        "int8": of("Int8QuantizationConfig"),
        "int8 of weights alone": of("Int8QuantizationConfig", activation_quantizer=None),
        "int4 in blocks": of("Int4QuantizationConfig"), "int4": of("Int4QuantizationConfig", block_size=None),
        "float8": of("Float8QuantizationConfig"),
    }  # fmt: skip


@pytest.mark.parametrize("mode", _configs())
def test_quantised_layers_hold_what_is_stored_and_compute_what_keras_computes(mode: str, tmp_path: Path) -> None:
    model = quantized(_configs()[mode])
    for suffix in (".keras", ".h5"):
        model.save(tmp_path / f"m{suffix}")
        stored = read(tmp_path / f"m{suffix}")
        assert_equal(stored, model)
        kernel = next(
            v.value for layer in stored.layers if layer.name == "hidden" for v in layer.variables if v.name == "kernel"
        )
        assert kernel.dtype == (np.float32 if mode == "float8" else np.int8)
        assert_same_outputs(stored, model, networks.inputs())
