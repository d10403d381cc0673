"""Extraction folders of runs at the edges, made by code: no network is needed to look at what they come to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from extractions import probe_set
from reportgen.checkpoints.run import Checkpoint, History, Run
from reportgen.checkpoints.stored import StoredLayer, StoredModel, Variable
from reportgen.config import Config
from reportgen.extraction import About, Layer, Measurement, write_extraction, write_probes, write_run
from reportgen.probes.probeset import Probe, ProbeSet

BANDS = ("g", "r", "i", "z", "y")


def write_extreme(
    folder: Path,
    *,
    convolutions: int = 2,
    side: int = 16,
    channels: int = 6,
    probes: int = 6,
    epochs: int = 2,
    bands: int = 3,
    classes: int = 2,
    zero: bool = False,
    labels: bool = True,
    history: bool = True,
    odd: tuple[str, ...] = (),
    config: dict | None = None,
    provenance: dict | None = None,
) -> Path:
    """Write a run of a plain stack of convolutions and a dense output; without convolutions, of that output alone.

    `odd` are names that layers, probes, labels, classes, notes and files are given, one after another.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(5)
    name = _namer(odd)
    classed = [name(f"class-{i}") for i in range(classes)]
    said = _probes(probes, bands, classed if labels else [], name)
    layers, stored = _network(convolutions, side, channels, bands, classes, name, rng)
    checkpoints = []
    for epoch in range(1, epochs + 1):
        maps = {
            layer.name: np.maximum(rng.normal(0.1, 1, (probes, *layer.output_shape)), 0).astype("f4") * (not zero)
            for layer in layers
            if layer.class_name == "Conv2D"
        }
        answers = rng.dirichlet(np.ones(classes), probes).astype("f4") if classes > 2 else rng.random((probes, 1), "f4")
        measured = Measurement(layers, maps | {layers[-1].name: answers}, answers, None, layers[-1].activation)
        key, file = f"epoch-{epoch:03d}", name(f"epoch-{epoch:03d}.keras") if epoch == 1 else f"epoch-{epoch:03d}.keras"
        digest = f"{epoch:064x}"
        about = About(
            key, file, "Keras model (.keras)", epoch, 1000, digest, "3.15.1", "2026-01-01", "Adam", "crossentropy",
            "cd" * 32, said.sha256,
        )  # fmt: skip
        write_extraction(folder, about, stored, measured)
        checkpoints.append(Checkpoint(key, file, Path(f"{key}.keras"), "keras", epoch, 1000, digest))
    numbers = np.arange(1, epochs + 1)
    course = History("history.csv", numbers, {"loss": 1 / numbers, "val_loss": 1.1 / numbers}) if history else None
    run = Run(name("extreme"), folder, tuple(checkpoints), course, {"notes": name("A note.")})
    settings = {"run": {"path": "run"}, "probes": {"images": "images.npy"}, "task": {"classes": classed}}
    made = Config.model_validate(settings | (config or {}))
    known = {"command": name("reportgen run x.yaml"), "versions": {"keras": "3.15.1"}, "commit": "", "dirty": False}
    write_probes(folder, said)
    write_run(folder, run, made.model_dump(mode="json"), known | (provenance or {}), ())
    return folder


def _namer(odd: tuple[str, ...]):
    """Return what gives each thing the next odd name, with a number so that none is given twice."""
    given = 0

    def name(plain: str) -> str:
        nonlocal given
        given += 1
        return f"{odd[given % len(odd)]} {given}" if odd else plain

    return name


def _probes(count: int, bands: int, classes: list[str], name) -> ProbeSet:
    """Return noise with a blob in it, in so many bands."""
    few = probe_set(count)
    images = np.stack([few.inputs[i][..., [b % 3 for b in range(bands)]] for i in range(count)])
    probes = tuple(
        Probe(
            id=name(f"galaxy-{i}"), label=classes[i % len(classes)] if classes else None, group="test",
            source=name(f"images.npy[{i}]"), target=None, sha256=f"{i:064x}",
        )
        for i in range(count)
    )  # fmt: skip
    return replace(
        few, probes=probes, images=tuple(images), inputs=images, channels=BANDS[:bands], bands=BANDS[:bands],
        input_shape=(20, 20, bands),
    )  # fmt: skip


def _network(
    convolutions: int, side: int, channels: int, bands: int, classes: int, name, rng: np.random.Generator
) -> tuple[tuple[Layer, ...], StoredModel]:
    """Return the layers and their arrays: 3 × 3 kernels, all maps of one size."""
    before, shape = name("input"), (20, 20, bands)
    layers = [Layer(before, "", "InputLayer", (), shape, 0, None, "linear")]
    arrays = []
    for i in range(convolutions):
        called, kernel = name(f"conv{i:03d}"), rng.normal(0, 0.3, (3, 3, shape[-1], channels)).astype("f4")
        shape = (side, side, channels)
        layers.append(
            Layer(
                called, called, "Conv2D", (before,), shape, kernel.size + channels, True, "relu",
                {"kernel_size": [3, 3], "strides": [1, 1], "padding": "same", "filters": channels},
            )
        )  # fmt: skip
        bias = Variable("bias", np.zeros(channels, "f4"))
        arrays.append(StoredLayer(called, (Variable("kernel", kernel), bias)))
        before = called
    flat, out, size, units = name("flatten"), name("out"), int(np.prod(shape)), classes if classes > 2 else 1
    layers.append(Layer(flat, "", "Flatten", (before,), (size,), 0, None, "linear"))
    activation = "softmax" if units > 1 else "sigmoid"
    layers.append(Layer(out, out, "Dense", (flat,), (units,), (size + 1) * units, True, activation, {"units": units}))
    kernel = rng.normal(0, 0.1, (size, units)).astype("f4")
    arrays.append(StoredLayer(out, (Variable("kernel", kernel), Variable("bias", np.zeros(units, "f4")))))
    stored = StoredModel(tuple(arrays), {"class_name": "Sequential"}, "3.15.1", "2026-01-01", "Adam", "crossentropy")
    return tuple(layers), stored
