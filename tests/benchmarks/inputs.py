"""The runs that are measured, made by code: always the same networks on the same galaxies."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

TEAM = Path(__file__).resolve().parents[3] / "shared" / "data" / "s20team2"
TEAM_CNN = "2020-04-07_atm4wCurModel_conv12-12-12.h5"
QUIET = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
CONFIG = """
run: {{path: run}}
probes:
  images: probes.npy
  catalogue: probes.csv
  prepare: {{resize: null, steps: []}}
task: {{classes: [isolated, merger]}}
report: {{title: {title}}}
"""


@dataclass(frozen=True)
class Input:
    """One run on the disk."""

    name: str
    config: Path
    """What reportgen is given."""
    files: tuple[Path, ...]
    """Checkpoints in training order."""
    images: Path
    """`.npy` of the probes as the network gets them, `(probe, y, x, channel)`."""


def galaxies(count: int, size: int, bands: int, seed: int = 5) -> np.ndarray:
    """Return two noisy discs each, `(image, y, x, band)` in 0 … 1."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size - 0.5
    images = np.zeros((count, size, size, bands), np.float32)
    for image in images:
        for _ in range(2):
            cx, cy = rng.uniform(-0.25, 0.25, 2)
            turn, flat, length = rng.uniform(0, np.pi), rng.uniform(0.3, 1), rng.uniform(0.03, 0.09)
            a = (x - cx) * np.cos(turn) + (y - cy) * np.sin(turn)
            b = ((y - cy) * np.cos(turn) - (x - cx) * np.sin(turn)) / flat
            image += (np.exp(-np.hypot(a, b) / length)[..., None] * rng.uniform(0.4, 0.9, bands)).astype(np.float32)
        image += rng.normal(0, 0.02, image.shape).astype(np.float32)
    return np.clip(images, 0, 1)


def paper_cnn() -> Any:
    """The network of the student team's paper."""
    from keras import Input, Sequential, layers

    return Sequential([
        Input((100, 100, 1)), layers.Conv2D(16, 12, activation="relu"), layers.Conv2D(32, 8, activation="relu"),
        layers.MaxPooling2D(2), layers.Dropout(0.25), layers.Flatten(), layers.Dense(32, activation="relu"),
        layers.Dropout(0.5), layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip


def small_cnn() -> Any:
    """A network for a quick look at whether the scripts work."""
    from keras import Input, Sequential, layers

    return Sequential([
        Input((24, 24, 1)), layers.Conv2D(4, 5, activation="relu"), layers.MaxPooling2D(2), layers.Flatten(),
        layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip


def application(name: str, size: int) -> Any:
    """A network of Keras Applications with two classes, not trained."""
    import keras

    return getattr(keras.applications, name)(input_shape=(size, size, 3), weights=None, classes=2)


def make(folder: Path, title: str, model: Any, epochs: int, probes: int) -> Input:
    """Save a network as so many checkpoints, each a little further on a random walk, and draw its probes."""
    shape = model.input_shape[1:]
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "run").mkdir(parents=True)
    rng = np.random.default_rng(1)
    files = []
    for epoch in range(1, epochs + 1):
        for variable in model.trainable_variables:
            value = np.asarray(variable)
            step = rng.standard_normal(value.shape, np.float32) * (0.05 * value.std() + 1e-4)
            variable.assign(value + step)
        files.append(folder / "run" / f"epoch-{epoch:03d}.keras")
        model.save(files[-1])
    rows = [f"{e},{1 / (e + 1):.4f},{1 / (e + 1) + 0.01 * e:.4f}" for e in range(1, epochs + 1)]
    (folder / "run" / "history.csv").write_text("epoch,loss,val_loss\n" + "\n".join(rows) + "\n")
    np.save(folder / "probes.npy", galaxies(probes, shape[0], shape[-1]))
    labels = [f"probes.npy[{i}],{i},{'merger' if i % 2 else 'isolated'}" for i in range(probes)]
    (folder / "probes.csv").write_text("file,id,label\n" + "\n".join(labels) + "\n")
    (folder / "mine.yaml").write_text(CONFIG.format(title=title))
    return Input(title, folder / "mine.yaml", tuple(files), folder / "probes.npy")


def paper(folder: Path, epochs: int = 12, probes: int = 16) -> Input:
    """A run of the paper's architecture."""
    import keras

    keras.utils.set_random_seed(1)
    return make(folder, "paper", paper_cnn(), epochs, probes)


def applications(folder: Path, name: str, size: int, probes: int, epochs: int = 4) -> Input:
    """A run of a network of Keras Applications."""
    import keras

    keras.utils.set_random_seed(1)
    return make(folder, f"{name} {size}", application(name, size), epochs, probes)


def demo(folder: Path) -> Input:
    """The demo's run, as `reportgen demo` makes it."""
    if not folder.is_dir():
        subprocess.run([sys.executable, "-m", "reportgen", "demo", folder], check=True, env=QUIET)
    config = folder / "classification.yaml"
    return Input("demo", config, tuple(sorted((folder / "runs" / "classification").glob("epoch-*.keras"))),
                 _prepared(config, folder / "prepared.npy"))  # fmt: skip


def team(folder: Path) -> Input | None:
    """The student team's own CNN on 16 of the team's images; None where they are not there."""
    if not (TEAM / "checkpoints" / TEAM_CNN).is_file():
        return None
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "run").mkdir(parents=True)
    file = folder / "run" / TEAM_CNN
    file.symlink_to(TEAM / "checkpoints" / TEAM_CNN)
    (folder / "images").symlink_to(TEAM / "images")
    scores = (TEAM / "scores" / "humanScores.txt").read_text().split()
    rows = [f"{i:04d},{i:04d}_model.png,{scores[i]}" for i in range(0, 931, 60)]
    (folder / "probes.csv").write_text("id,file,target\n" + "\n".join(rows) + "\n")
    (folder / "mine.yaml").write_text(
        "run: {path: run, name: team}\n"
        "probes:\n  images: images/*_model.png\n  catalogue: probes.csv\n"
        "  prepare:\n    resize: 100\n    method: nearest\n"
        "    steps: [{keras: xception}, {scale: 0.00392156862745098}]\n"
        "task: {kind: regression, output: human score}\n"
    )
    return Input("team", folder / "mine.yaml", (file,), _prepared(folder / "mine.yaml", folder / "prepared.npy"))


def _prepared(config: Path, target: Path) -> Path:
    """Keep the probes as the network gets them: the peers are given the same numbers."""
    from reportgen.config import load
    from reportgen.probes import load_probes

    loaded = load(config)
    np.save(target, load_probes(loaded.config.probes, loaded.base).inputs)
    return target
