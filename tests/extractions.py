"""Small extraction folders made by code, for the half of the house that needs no network."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from reportgen.checkpoints.run import Checkpoint, History, Run
from reportgen.checkpoints.stored import StoredLayer, StoredModel, Variable
from reportgen.config import Config
from reportgen.errors import Failure
from reportgen.extraction import (
    About,
    Attribution,
    Layer,
    Measurement,
    Stress,
    write_extraction,
    write_probes,
    write_run,
)
from reportgen.probes.probeset import Probe, ProbeSet

SHAPE = (20, 20, 3)


def probe_set(n: int = 6, targets: bool = False, seed: int = 1) -> ProbeSet:
    """Return noise with a blob in it, three bands, half of it labelled merger."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:20, :20]
    blob = np.exp(-((y - 9.5) ** 2 + (x - 9.5) ** 2) / 18)
    images = (blob[None, ..., None] * rng.uniform(0.5, 1, (n, 1, 1, 3)) + rng.normal(0, 0.05, (n, *SHAPE))).astype("f4")
    probes = tuple(
        Probe(
            id=f"galaxy-{i}", label="merger" if i % 2 else "isolated", group="test", source=f"images.npy[{i}]",
            target=(i + 1) / (n + 1) if targets else None, sha256=f"{i:064x}",
        )
        for i in range(n)
    )  # fmt: skip
    return ProbeSet(
        probes,
        tuple(images),
        images,
        ("g", "r", "i"),
        ("g", "r", "i"),
        SHAPE,
        ("as stored",),
        "asinh, 0.5–99.5 %",
        "ab" * 32,
    )


def attribution(answers: np.ndarray, rng: np.random.Generator) -> Attribution:
    """Return noise inside a square galaxy for three probes; the last has no positive evidence."""
    regions = np.zeros((3, 20, 20), np.uint8)
    regions[:, 6:14, 6:14] = 1
    pixels = np.abs(rng.normal(size=(3, 20, 20))).astype("f4") * (regions == 1)
    cam = rng.uniform(size=(3, 8, 8)).astype("f4")
    cam[2] = 0
    return Attribution(
        probes=np.arange(3), of=len(answers), fixed=3, explained="signed", weighting=np.ones((3, 1), "f4"),
        score=np.array([2, -1, 0.1], "f4"), baseline=np.zeros(3, "f4"), layer="conv",
        maps={"gradient": pixels, "grad_cam": cam, "integrated": pixels - pixels.mean(), "smooth_grad": pixels,
              "occlusion": rng.normal(size=(3, 5, 5)).astype("f4")},
        bands=np.ones((3, 3), "f4"), completeness=np.full(3, 0.01, "f4"), regions=regions,
        settings={"smooth_n": 8, "smooth_sd": 0.1, "steps": 8, "patch": 4, "stride": 4, "seed": 1},
        stages=(1, 2), weighted=2, checked=np.arange(2),
        spearman={"gradient": np.full((2, 2), 0.9, "f4"), "grad_cam": np.full((2, 2), 0.1, "f4")},
        ssim={"gradient": np.full((2, 2), 0.8, "f4"), "grad_cam": np.full((2, 2), 0.2, "f4")},
    )  # fmt: skip


def stress(answers: np.ndarray, rng: np.random.Generator) -> Stress:
    """Return answers to four orientations and noise, each a little off."""
    kinds = ("orientation",) * 4 + ("noise",)
    moved = answers[None] + rng.normal(0, 0.05, (5, *answers.shape)) * (np.arange(5) > 0)[:, None, None]
    return Stress(
        probes=np.arange(len(answers)), of=len(answers), kinds=kinds,
        amounts=("as it is", "rot180", "mirrored", "mirrored, rot180", "1"),
        predictions=np.clip(moved, 0, 1).astype("f4"), found=np.ones(len(answers), bool), settings={"quiet": 0},
    )  # fmt: skip


def write_folder(
    folder: Path,
    *,
    epochs: int = 3,
    probes: ProbeSet | None = None,
    config: dict | None = None,
    failures: tuple[Failure, ...] = (),
    history: bool = True,
    dead: tuple[int, ...] = (2,),
    explained: bool = True,
    provenance: dict | None = None,
) -> Path:
    """Write the extraction of a run: one convolution of five channels, one pooling, one sigmoid unit."""
    folder.mkdir(parents=True, exist_ok=True)
    probes = probes or probe_set()
    rng = np.random.default_rng(0)
    checkpoints = []
    for epoch in range(1, epochs + 1):
        kernel = rng.normal(0, 0.3, (5, 5, 3, 5)).astype("f4")
        maps = np.maximum(rng.normal(0.2, 1, (len(probes), 16, 16, 5)), 0).astype("f4")
        maps[..., list(dead)] = 0
        pooled = maps.reshape(len(probes), 8, 2, 8, 2, 5).max(axis=(2, 4))
        answers = rng.uniform(0.05, 0.95, (len(probes), 1)).astype("f4")
        weights = rng.normal(size=(320, 1)).astype("f4")
        layers = (
            Layer("input", "", "InputLayer", (), SHAPE, 0, None, "linear"),
            Layer(
                "conv", "conv", "Conv2D", ("input",), (16, 16, 5), 380, True, "relu",
                {"kernel_size": [5, 5], "strides": [1, 1], "padding": "valid", "filters": 5},
            ),
            Layer("pool", "", "MaxPooling2D", ("conv",), (8, 8, 5), 0, None, "linear", {"pool_size": [2, 2]}),
            Layer("flatten", "", "Flatten", ("pool",), (320,), 0, None, "linear"),
            Layer("out", "out", "Dense", ("flatten",), (1,), 321, True, "sigmoid", {"units": 1}),
        )  # fmt: skip
        stored = StoredModel(
            (
                StoredLayer("conv", (Variable("kernel", kernel), Variable("bias", np.zeros(5, "f4")))),
                StoredLayer("out", (Variable("kernel", weights), Variable("bias", np.zeros(1, "f4")))),
            ),
            {"class_name": "Sequential"}, "3.15.1", "2026-01-01", "Adam", "binary_crossentropy",
        )  # fmt: skip
        measurement = Measurement(
            layers, {"conv": maps, "pool": pooled, "out": answers}, answers, None, "sigmoid",
            attribution=attribution(answers, rng) if explained else None,
            stress=stress(answers, rng) if explained else None,
        )  # fmt: skip
        name = f"epoch-{epoch:03d}"
        about = About(
            name, f"{name}.keras", "Keras model (.keras)", epoch, 1000, f"{epoch:064x}", "3.15.1", "2026-01-01", "Adam",
            "binary_crossentropy", "cd" * 32, probes.sha256,
        )  # fmt: skip
        write_extraction(folder, about, stored, measurement)
        checkpoints.append(
            Checkpoint(name, f"{name}.keras", Path(f"{name}.keras"), "keras", epoch, 1000, f"{epoch:064x}")
        )
    numbers = np.arange(1, epochs + 1)
    columns = {"loss": 1 / numbers, "val_loss": 1 / numbers + 0.1 * (numbers > 2) * numbers}
    run = Run(
        "small",
        folder,
        tuple(checkpoints),
        History("history.csv", numbers, columns) if history else None,
        {"notes": "A note."},
    )
    settings = {"run": {"path": "run"}, "probes": {"images": "images.npy"}, "task": {"classes": ["isolated", "merger"]}}
    made = Config.model_validate(settings | (config or {}))
    known = {"command": "reportgen run small.yaml", "versions": {"keras": "3.15.1"}, "commit": "", "dirty": False}
    write_probes(folder, probes)
    write_run(folder, run, made.model_dump(mode="json"), known | (provenance or {}), failures)
    return folder
