"""Hostile names of layers, models, optimisers and variables: shown harmless, never in the way of a report."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import h5py
import numpy as np

import checkpoint_files as files
from attacks.attack import Attack, Place, reported, weights_only
from attacks.storage import in_hdf5, in_keras

NAMES: dict[str, str] = {
    "script": "<script>alert(1)</script>",
    "image": '"><img src=x onerror=alert(1)>',
    "template": "{{ 7 * 7 }}{% raw %}${7*7}",
    "path": "../../../../tmp/escaped",
    "absolute": "/etc/passwd",
    "backslash": "..\\..\\escaped",
    "slash": "a/b",
    "long": "n" * 5000,
    "direction": "\u202egnp.exe\u2066\u200f",
    "control": "bell\x07 back\x08 escape\x1b[31mred\x1b[0m\x9b31m",
    "shell": "$(touch /tmp/escaped); `true` | x",
    "device": "CON",
    "dots": "..",
    "space": " ",
    "regex": "(a+)+$[",
    "newlines": "one\ntwo\r\nTraceback (most recent call last):",
    "percent": "%s%n%(x)s{0}",
    "combining": "a" + "\u0301" * 400,
    "surrogate": "half \ud800 pair",
    "formula": "=HYPERLINK(1)",
    "own-group": "vars",
    "container": "layers",
    "markup": "<title></title><!-- ]]> &amp; \u0000",
}
"""Word in the file's name → name of a layer."""


def of_layer(name: str, seed: int, writer: Any = files.write_keras) -> Callable[[Place], None]:
    """Return what writes a model whose dense layer has that name; groups are numbered, so that it is no path."""

    def write(place: Place) -> None:
        config = copy.deepcopy(files.MODEL)
        config["config"]["layers"][4]["config"]["name"] = name
        writer(place.path, seed, config, named=False)

    return write


def of_model(name: str, seed: int) -> Callable[[Place], None]:
    """Return what writes a model with that name, a nested one too."""

    def write(place: Place) -> None:
        config = copy.deepcopy(files.MODEL)
        config["config"]["name"] = name
        inner = {"class_name": "Sequential", "config": {"name": name, "layers": [
            {"class_name": "ReLU", "config": {"name": "r", "trainable": True}}]}}  # fmt: skip
        config["config"]["layers"].insert(4, inner)
        files.write_keras(place.path, seed, config)

    return write


def legacy(name: bytes, seed: int) -> Callable[[Place], None]:
    """Return what writes whole-model HDF5 whose dense layer has that name."""

    def edit(file: h5py.File, place: Place) -> None:
        weights = file["model_weights"]
        weights.move("out", name.decode())
        weights.attrs["layer_names"] = np.array([b"conv_b", b"conv2d", b"flat", name])
        group = weights[name.decode()]
        group.move("out", "dense")
        group.attrs["weight_names"] = np.array([b"dense/kernel:0", b"dense/bias:0"])

    config = copy.deepcopy(files.MODEL)
    config["config"]["layers"][4]["config"]["name"] = name.decode()
    return in_hdf5(edit, seed, config)


def optimiser(file: h5py.File, place: Place) -> None:
    state = file.require_group("optimizer/vars")
    state.attrs["name"] = "<script>alert(2)</script>\u202e" + "o" * 3000
    state["0"] = np.int64(3)


def training(file: h5py.File, place: Place) -> None:
    file.attrs["training_config"] = (
        '{"loss": {"<script>alert(3)</script>": "\\u202eloss"}, "optimizer_config": {"class_name": "<img onerror=x>"}}'
    )
    file["optimizer_weights/x"] = np.zeros(3)
    file.attrs["keras_version"] = "<script>alert(4)</script>\x1b[31m" + "9" * 9000


def variable_name(file: h5py.File, place: Place) -> None:
    """Name an array so that its path is a script."""
    group = file["model_weights/out"]
    group["<script>alert(5)<"] = group["out/kernel:0"]
    group.attrs["weight_names"] = np.array([b"<script>alert(5)<", b"out/bias:0"])


def same_names(place: Place) -> None:
    config = copy.deepcopy(files.MODEL)
    config["config"]["layers"][2]["config"]["name"] = "conv_b"
    files.write_keras(place.path, config=config)


def group_name(file: h5py.File, place: Place) -> None:
    """Give the `name` attribute of a group a hostile value, and a hostile type."""
    file["layers/conv2d/vars"].attrs["name"] = "<script>alert(6)</script>"
    file["layers/conv2d_1/vars"].attrs["name"] = np.arange(4)


def _attacks() -> Iterator[Attack]:
    for number, (word, name) in enumerate(NAMES.items()):
        yield reported(f"layer-name-{word}.keras", of_layer(name, 200 + number))
    yield reported("layer-name-empty.keras", of_layer("", 240))
    for number, word in enumerate(("script", "direction", "path", "long", "control")):
        yield reported(f"model-name-{word}.keras", of_model(NAMES[word], 250 + number))
    yield reported("layer-name-script.h5", legacy(b"<script>alert(7)<", 260))
    yield reported("layer-name-direction.h5", legacy("\u202eevil".encode(), 261))
    yield reported("optimiser-name.keras", in_keras(optimiser, 262))
    yield reported("training-names.h5", in_hdf5(training, 263))
    yield Attack("variable-name.h5", in_hdf5(variable_name, 264), ("reported", "weights only"), "out")
    yield Attack("group-name.keras", in_keras(group_name, 265), ("reported", "weights only"), "conv")
    yield weights_only("two-layers-of-one-name.keras", "called conv_b", same_names)
    for number, name in enumerate(FILE_NAMES):
        yield reported(name, lambda place, seed=270 + number: files.write_hdf5(place.path, seed))


FILE_NAMES = (
    "<script>alert(8)<.h5", "\u202e5h.live.h5", "new\nline.h5", "escape\x1b[31m.h5", "$(touch escaped).h5",
    " .h5", "CON.h5", "-rf.h5", "n" * 240 + ".h5", "'quote\".h5", "&amp;.h5", "half-\udcff.h5",
)  # fmt: skip
"""Names of the files themselves."""

ATTACKS: tuple[Attack, ...] = tuple(_attacks())
