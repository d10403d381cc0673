"""The patch a unit sees equals what the gradient of a real network says reaches it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from networks import measure, stored
from reportgen.diagnostics.patches import Patch, centres, patch


def networks():
    import keras
    from keras import layers as kl

    def plain(*stack):
        return keras.Sequential([keras.Input((29, 26, 1)), *stack, kl.Flatten(), kl.Dense(1, name="out")])

    valid = plain(kl.Conv2D(2, 5, strides=2, name="a"), kl.AveragePooling2D(2, name="b"), kl.Conv2D(2, 3, name="c"))
    same = plain(
        kl.Conv2D(2, 4, strides=2, padding="same", name="a"), kl.Conv2D(2, 3, padding="same", name="b"),
        kl.AveragePooling2D(3, strides=2, padding="same", name="p"), kl.Conv2D(2, 3, padding="same", name="c"),
    )  # fmt: skip
    dilated = plain(
        kl.ZeroPadding2D(((2, 1), (0, 3)), name="z"), kl.Conv2D(2, 3, dilation_rate=3, name="a"),
        kl.Cropping2D(((1, 2), (2, 0)), name="k"), kl.DepthwiseConv2D(3, padding="same", name="c"),
    )  # fmt: skip
    upward = plain(
        kl.Conv2D(2, 3, strides=3, name="a"), kl.UpSampling2D(2, name="u"),
        kl.Conv2DTranspose(2, 5, strides=2, padding="same", name="t"), kl.Conv2DTranspose(1, 3, strides=2, name="c"),
    )  # fmt: skip
    entry = keras.Input((29, 26, 1))
    x = kl.Conv2D(2, 3, padding="same", name="a")(entry)
    side = kl.Conv2D(2, 7, padding="same", name="s")(x)
    residual = keras.Model(entry, kl.Dense(1, name="out")(kl.Flatten()(kl.Add(name="c")([x, side]))))
    return {"valid": valid, "same": same, "dilated": dilated, "upward": upward, "residual": residual}


@pytest.mark.parametrize("name", ["valid", "same", "dilated", "upward", "residual"])
def test_patch_equals_what_the_gradient_reaches(name, tmp_path):
    import keras
    import tensorflow as tf

    model = networks()[name]
    # Positive weights cannot cancel: what reaches a unit has a gradient.
    for weight in model.weights:
        weight.assign(np.full(weight.shape, 0.1, "f4"))
    model.save(tmp_path / "m.keras")
    images = np.random.default_rng(0).random((2, 29, 26, 1)).astype("f4")
    measured = measure(stored(tmp_path / "m.keras"), images)
    sizes = {
        layer.name: tuple(layer.output_shape[:2]) if len(layer.output_shape) == 3 else (1, 1)
        for layer in measured.layers
    }
    inner = keras.Model(model.inputs, model.get_layer("c").output)
    height, width = measured.activations["c"].shape[1:3]
    for unit in {(0, 0), (height // 2, width // 2), (height - 1, width - 1), (0, width - 1), (height // 3, 1)}:
        x = tf.constant(images[:1])
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = inner(x, training=False)[0, unit[0], unit[1], 0]
        gradient = tape.gradient(value, x).numpy()[0, ..., 0]
        rows, columns = np.nonzero(gradient)
        found = patch(measured.layers, sizes, "c", unit)
        if not len(rows):  # a unit that sees nothing but padding
            continue
        expected = (rows.min(), columns.min(), np.ptp(rows) + 1, np.ptp(columns) + 1)
        assert (found.top, found.left, found.height, found.width) == expected, unit
    _compare_centres(measured, sizes, (height, width))


def _compare_centres(measured, sizes, shape):
    """Compare start and stride with the patches of units that no edge cuts: those as large as the largest."""
    places = centres(measured.layers, sizes, "c", (29, 26))
    for axis, (n, at) in enumerate(zip(shape, places, strict=True)):
        seen = [patch(measured.layers, sizes, "c", (i, shape[1] // 2) if not axis else (shape[0] // 2, i))
                for i in range(n)]  # fmt: skip
        spans = [(p.top, p.height) if not axis else (p.left, p.width) for p in seen]
        largest = max(length for _, length in spans)
        whole = [i for i, (first, length) in enumerate(spans) if length == largest and first and first + length < 26]
        for i in whole:
            # A transposed convolution reaches an odd number of pixels further on one side than on the other.
            assert at[i] == pytest.approx(spans[i][0] + (largest - 1) / 2, abs=1.5), (axis, i)
        assert np.ptp(np.diff(at)) < 1e-9


def test_centres_of_the_simulated_networks_kind_are_the_closed_formula():
    """start 19.5, stride 8: three convolutions of 5, 5, 3 and three poolings by 2, all valid (Araujo 2019)."""
    rows, sizes, n = [layer("in", "InputLayer", ())], {"in": (64, 64)}, 64
    for i, (kind, size) in enumerate([("Conv2D", 5), ("MaxPooling2D", 2)] * 2 + [("Conv2D", 3), ("MaxPooling2D", 2)]):
        options = {"kernel_size": [size, size]} if kind == "Conv2D" else {"pool_size": [2, 2]}
        rows.append(layer(f"l{i}", kind, (rows[-1].name,), **options))
        n = n - size + 1 if kind == "Conv2D" else n // 2
        sizes[f"l{i}"] = (n, n)
    start, stride = 0.0, 1.0
    for size, step in ((5, 1), (2, 2), (5, 1), (2, 2), (3, 1), (2, 2)):
        start, stride = start + (size - 1) / 2 * stride, stride * step
    y, x = centres(rows, sizes, "l5", (64, 64))
    assert y.tolist() == x.tolist() == [start + stride * i for i in range(n)] and stride == 8


def test_centres_behind_same_padding_a_gate_and_a_reshaped_input_and_none_behind_a_flattened_map():
    rows = [
        layer("flat", "InputLayer", ()), layer("in", "Reshape", ("flat",)),
        layer("a", "Conv2D", ("in",), kernel_size=[3, 3], strides=[2, 2], padding="same"),
        layer("gate", "Dense", ("flat",)), layer("m", "Multiply", ("a", "gate")),
        layer("up", "UpSampling2D", ("m",), size=[2, 2]), layer("f", "Flatten", ("up",)),
        layer("d", "Reshape", ("f",)),
    ]  # fmt: skip
    sizes = {"flat": (1, 1), "in": (9, 9), "a": (5, 5), "gate": (1, 1), "m": (5, 5), "up": (10, 10), "f": (1, 1),
             "d": (3, 3)}  # fmt: skip
    assert centres(rows, sizes, "m", (9, 9))[0].tolist() == [0, 2, 4, 6, 8]
    assert centres(rows, sizes, "up", (9, 9))[0].tolist() == [-0.5, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5]
    assert centres(rows, sizes, "d", (9, 9)) is None and centres(rows, {}, "a", (9, 9)) is None


def layer(name, kind, inputs, **config):
    return SimpleNamespace(name=name, class_name=kind, inputs=inputs, config=config)


def test_a_unit_behind_a_flattened_map_or_a_gate_sees_everything_and_an_unknown_size_is_none():
    rows = [
        layer("in", "InputLayer", ()), layer("a", "Conv2D", ("in",), kernel_size=[3, 3]),
        layer("flat", "Flatten", ("a",)), layer("d", "Dense", ("flat",)),
        layer("pool", "GlobalAveragePooling2D", ("a",)), layer("gate", "Multiply", ("a", "pool")),
    ]  # fmt: skip
    sizes = {"in": (10, 8), "a": (8, 6), "flat": (1, 1), "d": (1, 1), "pool": (1, 1), "gate": (8, 6)}
    assert patch(rows, sizes, "d", (0, 0)) == Patch(0, 0, 10, 8)
    assert patch(rows, sizes, "gate", (3, 3)) == Patch(0, 0, 10, 8)
    assert patch(rows, sizes, "a", (2, 1)) == Patch(2, 1, 3, 3)
    del sizes["in"]
    assert patch(rows, sizes, "a", (2, 1)) is None
