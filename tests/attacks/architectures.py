"""Attacks by the description of a network: sizes, numbers of layers, nesting, circles, connections that multiply."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import checkpoint_files as files
from attacks.attack import Attack, Place, refused, reported, weights_only

Layer = dict[str, Any]


def layer(class_name: str, name: str, **config: Any) -> Layer:
    """Return the entry of a layer."""
    return {"class_name": class_name, "config": {"name": name, "trainable": True, **config}}


def changed(edit: Callable[[list[Layer]], object], seed: int = 0) -> Callable[[Place], None]:
    """Return what writes a `.keras` file whose list of layers was edited; its weights are healthy."""

    def write(place: Place) -> None:
        config = copy.deepcopy(files.MODEL)
        edit(config["config"]["layers"])
        files.write_keras(place.path, seed, config)

    return write


def described(config: Any, **options: Any) -> Callable[[Place], None]:
    """Return what writes a `.keras` file of that description."""
    return lambda place: files.write_keras(place.path, config=config, **options)


def set_in(index: int, **options: Any) -> Callable[[list[Layer]], object]:
    """Return the edit of one layer's options."""
    return lambda layers: layers[index]["config"].update(options)


def added(*entries: Layer, at: int = -1) -> Callable[[list[Layer]], object]:
    """Return the edit that puts layers before the last one."""
    return lambda layers: layers.__setitem__(slice(at, at), entries)


def ending(*entries: Layer) -> Callable[[list[Layer]], object]:
    """Return the edit that puts layers in the place of the last two."""
    return lambda layers: layers.__setitem__(slice(-2, None), entries)


def inside(kind: str, inner: Layer, **options: Any) -> Callable[[list[Layer]], object]:
    """Return the edit that puts a layer inside the last one, under its name, so that it has its arrays."""
    return lambda layers: layers.__setitem__(
        slice(-2, None), [layer("Reshape", "flat", target_shape=[4, 16]), layer(kind, "out", layer=inner, **options)]
    )


def functional(layers: list[Layer], starts: Any, ends: Any) -> Layer:
    return {
        "class_name": "Functional",
        "config": {"name": "m", "layers": layers, "input_layers": starts, "output_layers": ends},
    }


def node(*sources: Any) -> list[Any]:
    """Return one use of a layer, of tensors [layer, use]."""
    return [[source, 0, 0, {}] if isinstance(source, str) else [*source, 0, {}] for source in sources]


def used(entry: Layer, *nodes: list[Any]) -> Layer:
    return {**entry, "name": entry["config"]["name"], "inbound_nodes": list(nodes)}


IMAGE = used({"class_name": "InputLayer", "config": {"name": "image", "batch_shape": [None, 8, 8, 1]}})


def circle() -> Layer:
    return functional(
        [IMAGE, used(layer("Add", "a"), node("b", "image")), used(layer("Add", "b"), node("a", "image"))],
        [["image", 0, 0]], [["a", 0, 0]],
    )  # fmt: skip


def backwards(count: int) -> Layer:
    """Return a chain listed from its end."""
    chain = [used(layer("ReLU", f"r{i}"), node(f"r{i - 1}" if i else "image")) for i in range(count)]
    return functional([*reversed(chain), IMAGE], [["image", 0, 0]], [[f"r{count - 1}", 0, 0]])


def doubled(levels: int, uses: int = 2, leaf: bool = True) -> Layer:
    """Return models nested `levels` deep, each using the one inside it several times: usesˡᵉᵛᵉˡˢ uses in all."""
    model = functional(
        [IMAGE, *([used(layer("ReLU", "r"), node("image"))] if leaf else [])],
        [["image", 0, 0]], [["r" if leaf else "image", 0, 0]],
    )  # fmt: skip
    for level in range(levels):
        name = f"m{level}"
        model = {**model, "config": {**model["config"], "name": name}}
        chain = [node("image"), *(node((name, use)) for use in range(uses - 1))]
        model = functional([IMAGE, used(model, *chain)], [["image", 0, 0]], [[name, uses - 1, 0]])
    return model


def nested(count: int) -> Layer:
    model = copy.deepcopy(files.MODEL)
    for number in range(count):
        model = {"class_name": "Sequential", "config": {"name": f"m{number}", "layers": [model]}}
    return model


def many_uses(count: int) -> Layer:
    """Return a network one layer of which is used very often, each time on the input."""
    relu = used(layer("ReLU", "r"), *[node("image")] * count)
    return functional([IMAGE, relu], [["image", 0, 0]], [["r", count - 1, 0]])


def many_ends(count: int) -> Layer:
    return functional([IMAGE, used(layer("ReLU", "r"), node("image"))], [["image", 0, 0]], [["r", 0, 0]] * count)


def wide_add(count: int) -> Layer:
    """Return a network with one layer of very many inputs, which is the last to be ready."""
    return functional([IMAGE, used(layer("Add", "a"), node(*["image"] * count))], [["image", 0, 0]], [["a", 0, 0]])


def attention(times: int) -> Layer:
    """Return a network that compares 64 × `times` places with each other."""
    return functional(
        [
            IMAGE,
            used(layer("Reshape", "flat", target_shape=[64, 1]), node("image")),
            used(layer("UpSampling1D", "long", size=times), node("flat")),
            used(layer("Attention", "look"), node("long", "long")),
        ],
        [["image", 0, 0]],
        [["look", 0, 0]],
    )


def lopsided(place: Place) -> None:
    """Write a network whose options fit its arrays one by one, and whose kernel would have 10¹⁰ numbers."""
    import io
    import json

    import h5py
    import numpy as np

    inner = layer("Dense", "inner", units=100_000)
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": [
        {"class_name": "InputLayer", "config": {"name": "image", "batch_shape": [None, 8, 8, 1]}},
        layer("Reshape", "shape", target_shape=[1, 64]), layer("ZeroPadding1D", "wide", padding=[0, 0]),
        layer("UpSampling1D", "up", size=1), layer("Permute", "turn", dims=[2, 1]),
        layer("ZeroPadding1D", "pad", padding=[0, 99_936]), layer("Permute", "back", dims=[2, 1]),
        layer("TimeDistributed", "bomb", layer=inner),
    ]}}  # fmt: skip
    data = io.BytesIO()
    with h5py.File(data, "w") as file:
        file["layers/time_distributed/layer/vars/0"] = np.ones((1, 100_000), "f4")
        file["layers/time_distributed/layer/vars/1"] = np.ones(100_000, "f4")
    files.write_zip(place.path, {
        "metadata.json": b"{}", "config.json": json.dumps(config).encode(), "model.weights.h5": data.getvalue()
    })  # fmt: skip


BOMB, HUGE = 2_000_000, 10**12
UP = [layer("UpSampling2D", f"up{i}", size=[8, 8]) for i in range(6)]
FILL = [layer("UpSampling2D", f"up{i}", size=[2, 2]) for i in range(10)]

ATTACKS: tuple[Attack, ...] = (
    weights_only("units-two-million.keras", "out has arrays.*2000000", changed(set_in(4, units=BOMB))),
    weights_only("units-trillion.keras", "out", changed(set_in(4, units=HUGE))),
    weights_only("units-a-float.keras", "out", changed(set_in(4, units=1e12))),
    weights_only("units-hundred-digits.keras", "out", changed(set_in(4, units=10**100))),
    weights_only("units-in-time-distributed.keras", "out.*2000000",
                 changed(inside("TimeDistributed", layer("Dense", "d", units=BOMB)))),
    weights_only("units-in-bidirectional.keras", "out.*1000000000000",
                 changed(inside("Bidirectional", layer("LSTM", "l", units=HUGE)))),
    weights_only("kernel-in-time-distributed.keras", "out", changed(inside(
        "TimeDistributed", layer("Conv1D", "c", filters=1, kernel_size=[HUGE], padding="same")))),
    weights_only("embedding-in-time-distributed.keras", "out", changed(inside(
        "TimeDistributed", layer("Embedding", "e", input_dim=HUGE, output_dim=1)))),
    weights_only("keys-in-attention.keras", "out", changed(ending(
        layer("Reshape", "flat", target_shape=[16, 4]),
        layer("MultiHeadAttention", "out", num_heads=64, key_dim=64, value_dim=HUGE)))),
    weights_only("embedding-trillion.keras", "out", changed(ending(
        layer("Flatten", "flat"), layer("Embedding", "out", input_dim=HUGE, output_dim=64)))),
    weights_only("kernel-size-trillion.keras", "conv_b", changed(set_in(1, kernel_size=[HUGE, HUGE], padding="same"))),
    weights_only("lopsided-layer.keras", "bomb", lopsided),
    weights_only("upsampling-six-times.keras", "up", changed(added(*UP, at=3))),
    weights_only("upsampling-just-below.keras", "numbers", changed(ending(
        *FILL, *[layer("ReLU", f"r{i}") for i in range(24)], layer("GlobalMaxPooling2D", "out")))),
    weights_only("upsampling-trillion.keras", "up", changed(added(layer("UpSampling2D", "up", size=[HUGE, 1]), at=3))),
    weights_only("padding-trillion.keras", "pad", changed(added(layer("ZeroPadding2D", "pad", padding=HUGE), at=3))),
    weights_only("repeat-trillion.keras", "rep", changed(added(layer("RepeatVector", "rep", n=HUGE)))),
    weights_only("reshape-trillion.keras", "re", changed(added(layer("Reshape", "re", target_shape=[HUGE, -1])))),
    weights_only("resizing-million.keras", "big", changed(added(
        layer("Resizing", "big", height=10**6, width=10**6), at=3))),
    weights_only("input-sixty-thousand.keras", "60000|60,000", changed(
        lambda ls: ls[0]["config"].update(batch_shape=[None, 60000, 60000, 3]))),
    reported("input-negative.keras", changed(lambda ls: ls[0]["config"].update(batch_shape=[None, -8, 8, 1]))),
    weights_only("attention-sixty-thousand.keras", "memory", described(attention(1000)), isolated=True),
    weights_only("pooling-without-end.keras", "out", changed(added(
        layer("MaxPooling2D", "pool", pool_size=[10**9, 10**9], padding="same"), at=3))),
    refused("layers-twenty-thousand.keras", "layers", changed(
        lambda ls: ls.extend(layer("ReLU", f"r{i}") for i in range(20_000)))),
    refused("models-nested-deep.keras", "nested", described(nested(150))),
    refused("models-nested-thirty.keras", "nested", described(nested(30))),
    weights_only("graph-circle.keras", "never comes", described(circle())),
    reported("graph-backwards.keras", described(backwards(30))),
    reported("graph-backwards-long.keras", described(backwards(600))),
    refused("graph-doubled.keras", "nested", described(doubled(20))),
    weights_only("graph-doubled-empty.keras", "too many|nested", described(doubled(11, 900, leaf=False))),
    weights_only("graph-many-uses.keras", "too many", described(many_uses(40_000))),
    weights_only("graph-many-ends.keras", "too many|ends|outputs", described(many_ends(60_000))),
    weights_only("graph-wide-add.keras", "too many|connections", described(wide_add(200_000))),
    weights_only("filters-negative.keras", "conv_b", changed(set_in(1, filters=-4))),
    weights_only("filters-text.keras", "conv_b", changed(set_in(1, filters="4"))),
    weights_only("dtype-unknown.keras", "conv_b", changed(set_in(1, dtype="float9000"))),
    weights_only("strides-zero.keras", "conv_b", changed(set_in(1, strides=[0, 0]))),
    weights_only("dilation-trillion.keras", "conv_b", changed(set_in(1, dilation_rate=[HUGE, HUGE]))),
    weights_only("groups-trillion.keras", "conv_b", changed(set_in(1, groups=HUGE))),
    weights_only("option-unknown.keras", "unknown", changed(set_in(1, payload="x"))),
    weights_only("option-overlong.keras", "overlong", changed(set_in(1, padding="v" * 10_000))),
    refused("layer-a-number.keras", "no layer", changed(lambda ls: ls.append(7))),
    weights_only("layers-a-text.keras", "subclass", described(
        {"class_name": "Sequential", "config": {"name": "x", "layers": "abc"}})),
    weights_only("model-a-subclass.keras", "subclass", described({"class_name": "MyNet", "config": {"depth": 3}})),
)  # fmt: skip
