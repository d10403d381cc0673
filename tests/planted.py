"""Extraction folders with known channels, answers and numbers in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from reportgen.checkpoints.run import Checkpoint, History, Run
from reportgen.checkpoints.stored import StoredLayer, StoredModel, Variable
from reportgen.config import Config
from reportgen.extraction import About, Layer, Measurement, open_run, write_extraction, write_probes, write_run
from reportgen.probes.probeset import Probe, ProbeSet

SIDE = 20
SECTIONS = ({"id": "selectivity", "options": {"morphology": 0}}, "predictions", "representation")


def probe_set(labels, targets=None, metadata=None, brightness=None, seed=0) -> ProbeSet:
    """Return a round galaxy a probe, as bright as told, on noise."""
    n = len(labels)
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    galaxy = np.exp(-(y**2 + x**2) / 12)[None, ..., None]
    light = np.ones(n) if brightness is None else np.asarray(brightness)
    images = (galaxy * light[:, None, None, None] + rng.normal(0, 0.02, (n, SIDE, SIDE, 1))).astype("f4")
    probes = tuple(
        Probe(
            id=f"galaxy-{i}", label=labels[i], target=None if targets is None else targets[i],
            metadata={} if metadata is None else metadata[i], sha256=f"{i:064x}",
        )
        for i in range(n)
    )  # fmt: skip
    return ProbeSet(probes, tuple(images), images, ("r",), ("r",), (SIDE, SIDE, 1), ("as stored",), "asinh", "ab" * 32)


def open_planted(
    folder: Path,
    probes: ProbeSet,
    maps,
    answers,
    activation="sigmoid",
    history=None,
    task=None,
    loss="",
    sections=SECTIONS,
):
    """Return a run of one 5 x 5 convolution (valid) and an output; `maps` and `answers` are one array a checkpoint."""
    folder.mkdir(parents=True, exist_ok=True)
    checkpoints = []
    for t, (seen, said) in enumerate(zip(maps, answers, strict=True), 1):
        channels, units = seen.shape[-1], said.shape[-1]
        layers = (
            Layer("input", "", "InputLayer", (), (SIDE, SIDE, 1), 0, None, "linear"),
            Layer(
                "conv", "conv", "Conv2D", ("input",), (16, 16, channels), 26 * channels, True, "relu",
                {"kernel_size": [5, 5], "strides": [1, 1], "padding": "valid"},
            ),
            Layer("gap", "", "GlobalAveragePooling2D", ("conv",), (channels,), 0, None, "linear"),
            Layer("out", "out", "Dense", ("gap",), (units,), (channels + 1) * units, True, activation, {}),
        )  # fmt: skip
        stored = StoredModel(
            (
                StoredLayer("conv", (Variable("kernel", np.full((5, 5, 1, channels), 0.1 * t, "f4")),)),
                StoredLayer("out", (Variable("kernel", np.ones((channels, units), "f4")),)),
            ),
            {"class_name": "Sequential"}, "3.15.1", "", "Adam", loss,
        )  # fmt: skip
        seen, said = seen.astype("f4"), said.astype("f4")
        measured = {"conv": seen, "gap": seen.mean(axis=(1, 2)), "out": said}
        name = f"epoch-{t:03d}"
        about = About(
            name, f"{name}.keras", "Keras model (.keras)", t, 1000, f"{t:064x}", "3.15.1", "", "Adam", loss, "cd" * 32,
            probes.sha256,
        )  # fmt: skip
        write_extraction(folder, about, stored, Measurement(layers, measured, said, None, activation))
        checkpoints.append(Checkpoint(name, f"{name}.keras", Path(f"{name}.keras"), "keras", t, 1000, f"{t:064x}"))
    told = None
    if history is not None:
        told = History("history.csv", np.arange(1, len(history) + 1), {"val_loss": np.array(history, float)})
    settings = {
        "run": {"path": "run"},
        "probes": {"images": "images.npy"},
        "task": task or {},
        "sections": list(sections),
    }
    write_probes(folder, probes)
    made = Config.model_validate(settings).model_dump(mode="json")
    write_run(folder, Run("planted", folder, tuple(checkpoints), told, {}), made, {"versions": {}}, ())
    return open_run(folder)


def peaks(values, place=(3, 10)) -> np.ndarray:
    """Return maps `(probe, 16, 16, channel)` whose only excited unit has the given `(probe, channel)` values."""
    values = np.asarray(values, float)
    maps = np.zeros((len(values), 16, 16, values.shape[1]))
    maps[:, place[0], place[1]] = values
    return maps
