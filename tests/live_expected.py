"""What Keras computes in the networks of live_networks, step by step and by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

import live_networks as live
from reportgen.extraction.measurement import Measurement

IMAGES = np.random.default_rng(1).normal(size=(5, 20, 20, 2)).astype(np.float32)
SHAPE = IMAGES.shape[1:]
Expected = dict[str, Any]


def squeezed(block: Any, x: Any, name: str) -> Expected:
    """Return what happens inside an SEBlock, by its own layers one after the other."""
    mean = block.mean(x)
    wide = block.wide(mean)
    out = block.out(wide)
    return {f"{name}/mean": mean, f"{name}/wide": wide, f"{name}/out": out,
            name: x * out[:, None, None, :] * block.scale + block.shift}  # fmt: skip


def squeezing(model: Any) -> Expected:
    found = {"conv_a": model.get_layer("conv_a")(IMAGES)}
    found |= squeezed(model.get_layer("se_first"), found["conv_a"], "se_first")
    found["conv2d"] = model.get_layer("conv2d")(found["se_first"])
    found |= squeezed(model.get_layer("se_second"), found["conv2d"], "se_second")
    found["mean"] = model.get_layer("mean")(found["se_second"])
    return found | {"score": model.get_layer("score")(found["mean"])}


def sharing(model: Any) -> Expected:
    conv, block = model.get_layer("conv"), model.get_layer("twice")
    first = {"conv": conv(IMAGES)}
    first |= squeezed(block, first["conv"], "twice")
    second = {"conv": conv(first["twice"])}
    second |= squeezed(block, second["conv"], "twice")
    difference = first["twice"] - second["twice"]
    found = {"difference": difference, "classes": model.get_layer("classes")(ops.reshape(difference, (5, -1)))}
    return found | first | {f"{name} (call 2)": value for name, value in second.items()}


def blocks(block: Any, x: Any, name: str) -> tuple[Any, Expected]:
    conv = block.conv(x)
    norm = block.norm(conv, training=False)
    x, inside = ops.relu(norm), {}
    if block.next is not None:
        x, inside = blocks(block.next, x, f"{name}/next")
    return x, {f"{name}/conv": conv, f"{name}/norm": norm, **inside, name: x}


def own(model: Any) -> Expected:
    found = {"edges": model.first(IMAGES)}
    x, inside = blocks(model.stages[0], found["edges"], "stages/block")
    x, more = blocks(model.stages[1], x, "stages/block_1")
    found |= inside | more
    found["tail/mean"] = model.tail.layers[0](x)
    found["tail/dense"] = model.tail.layers[1](found["tail/mean"])
    return found | {"score": model.score(found["tail/dense"])}


NETWORKS: dict[str, tuple[Callable[[], Any], Callable[[Any], Expected]]] = {
    "squeezing": (live.squeezing, squeezing),
    "sharing": (live.sharing, sharing),
    "own": (lambda: live.built(live.Own()), own),
}


def assert_close(got: np.ndarray, wanted: Any, name: str) -> None:
    wanted = np.asarray(wanted)
    assert got.shape == wanted.shape and got.dtype == np.float32, name
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-6 * max(1, np.abs(wanted).max()), err_msg=name)


def assert_same(measured: Measurement, model: Any, expected: Expected) -> None:
    """Hold every activation against what Keras computed; inner names Keras numbers are told apart by their order."""
    assert len(measured.activations) == len(expected)
    left = dict(measured.activations)
    for name, wanted in expected.items():
        if name in left:
            assert_close(left.pop(name), wanted, name)
    for name, got in left.items():  # the same places under other words: each value once and for all
        same = [n for n, w in expected.items() if n not in measured.activations and np.shape(w) == got.shape
                and np.allclose(got, w, rtol=0, atol=1e-6 * max(1, np.abs(w).max()))]  # fmt: skip
        assert same, name
    assert_close(measured.predictions, model.predict(IMAGES, verbose=0), "prediction")
    table = {layer.name for layer in measured.layers}
    assert len(table) == len(measured.layers)
    assert set(measured.activations) <= table
    assert all(set(layer.inputs) <= table for layer in measured.layers)
