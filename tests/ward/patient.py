"""What a patient is, and the folder it is admitted with: a run, probes, a catalogue, a configuration."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from reportgen.config.verdicts import EVIDENCE
from ward import sky
from ward.training import Pair, train

PROBES = 48
EPOCHS = 6
REPORTED = ["epoch-001.keras", "epoch-003.keras", "epoch-006.keras"]
"""Of the epochs that were kept; the history has all."""
SECTIONS = [
    {"id": id, "options": {"morphology": 0} if id == "selectivity" else {}} for id in dict.fromkeys(EVIDENCE.values())
]
"""Those that judge; measuring the shapes of galaxies takes longer than all else, and judges nothing."""
STEPS = [{"asinh": sky.SOFT}, {"scale": sky.SCALE}]


@dataclass(frozen=True)
class Case:
    """A patient's papers, for the proof that it has what it is said to have."""

    model: Any
    """The network of the last checkpoint."""
    counts: np.ndarray
    """The probes as in their file, `(probe, y, x, band)`."""
    truth: np.ndarray
    """Class or target of each probe."""
    see: Callable[[np.ndarray], np.ndarray] = sky.seen
    """From the probes' file to what the network is given."""

    def answers(self, counts: np.ndarray | None = None) -> np.ndarray:
        """Return what the network says: the positive class's probability or the number; of several classes all."""
        said = np.asarray(self.model(self.see(self.counts if counts is None else counts), training=False), float)
        return said if said.shape[1] > 2 else said[:, -1]

    def accuracy(self) -> float:
        """Return the fraction of the probes that is classified as the truth says."""
        said = self.answers()
        return float(np.mean((said.argmax(1) if said.ndim > 1 else said > 0.5) == self.truth))

    def change(self, counts: np.ndarray) -> float:
        """Return how far the answers to other pictures are from those to the probes, on average."""
        return float(np.abs(self.answers(counts) - self.answers()).mean())


@dataclass(frozen=True)
class Patient:
    """One run, and what the report must say of it."""

    name: str
    about: str
    admit: Callable[[Ward, Path], Case]
    """Write the run and all that belongs to it into a folder."""
    own: tuple[str, ...] = ()
    """Verdicts that name the illness: one of them at least must not pass. Empty for the healthy."""
    proof: Callable[[Case], bool] = field(default=lambda case: True)
    """Whether the network has what it is said to have, by numbers that owe nothing to the report."""


@dataclass
class Ward:
    """Where trainings are kept that several patients share."""

    root: Path

    def rng(self, seed: int) -> np.random.Generator:
        """Return the generator of one data set."""
        return np.random.default_rng([2020, seed])

    def stamps(self, n: int, seed: int, shapes: Sequence[str] = ("single", "pair")) -> Pair:
        """Return counts of as many stamps of each shape, and the number of the shape."""
        names = [shapes[i % len(shapes)] for i in range(n)]
        return sky.draw(names, self.rng(seed)), np.arange(n) % len(shapes)

    def lesson(self, n: int, seed: int, shapes: Sequence[str] = ("single", "pair")) -> tuple[Pair, Pair]:
        """Return what a network that is to be healthy learns from, and is checked with: inputs and answers."""
        counts, classes = sky.spread(*self.stamps(n, seed, shapes), self.rng(seed + 1000))
        check, truth = self.stamps(160, seed + 2000, shapes)
        return (sky.seen(counts), classes), (sky.seen(check), truth)

    @cached_property
    def pairs(self) -> tuple[Pair, Pair]:
        """The lesson that most networks learn: one galaxy or two."""
        return self.lesson(200, 1)

    @cached_property
    def base(self) -> Path:
        """Run folder of a small convolutional network that learnt well."""
        from ward.networks import convolutional

        train(convolutional(), *self.pairs, self.root / "base", EPOCHS)
        return self.root / "base"


def copy_run(source: Path, folder: Path, change: Callable[[Any, int], None] | None = None) -> Any:
    """Copy a run, each network changed by `change(model, epoch)`; return the last network."""
    import keras

    shutil.copytree(source, folder / "run", ignore=shutil.ignore_patterns("highest_weight*"))
    files = sorted((folder / "run").glob("epoch-*.keras"))
    for epoch, path in enumerate(files, 1) if change else ():
        model = keras.saving.load_model(path, compile=False)
        change(model, epoch)
        model.save(path)
    return keras.saving.load_model(files[-1], compile=False)


def write_papers(
    folder: Path, counts: np.ndarray, columns: dict[str, Sequence[Any]], classes: Sequence[str] = ("single", "pair"),
    prepare: dict[str, Any] | None = None, run: dict[str, Any] | None = None, task: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """Write probes, catalogue and configuration; `columns` is what the catalogue says of each probe."""
    np.save(folder / "probes.npy", counts)
    with (folder / "probes.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", *columns])
        writer.writerows([f"g{i:02d}", *row] for i, row in enumerate(zip(*columns.values(), strict=True)))
    if not columns:
        (folder / "probes.csv").write_text("id\n" + "".join(f"g{i:02d}\n" for i in range(len(counts))))
    config = {
        "version": 1,
        "run": {"path": "run", "checkpoints": REPORTED} if run is None else run,
        "probes": {
            "images": "probes.npy", "catalogue": "probes.csv", "bands": list(sky.BANDS),
            "prepare": {"steps": STEPS} if prepare is None else prepare,
        },
        "task": {"classes": list(classes)} if task is None else task,
        "sections": SECTIONS,
        "report": {"formats": ["json"]},
    }  # fmt: skip
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
