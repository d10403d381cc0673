"""The demo folder: two training runs, their probes, and a configuration to report on each."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from reportgen.config import load
from reportgen.demo.baseline import fit_baseline
from reportgen.demo.camera import Image
from reportgen.demo.dataset import STRONG_TAILS, Dataset, make_dataset
from reportgen.demo.light import BANDS
from reportgen.demo.probes import make_probes, write_probes
from reportgen.demo.train import classify, regress
from reportgen.errors import ConfigError
from reportgen.probes.prepare import prepare
from reportgen.templating import resource_folder

ENCOUNTERS, HELD_OUT = 100, 20
"""Flown, and of these kept from training; 16 pictures each."""
RUNS = ("classification", "regression")
STATISTICS = "a ridge fit on global pixel statistics (mean, standard deviation and percentiles of each band)"


def make_demo(
    folder: Path, seed: int = 7, progress: Callable[[str], Any] | None = None, encounters: int = ENCOUNTERS
) -> tuple[Path, Path]:
    """Simulate, train and write the demo into `folder`; return the configurations of its two runs.

    The folder appears whole or not at all. The same seed gives the same pictures. A fifth of the `encounters` is held
    out. Raises ConfigError where the folder exists and is not empty.
    """
    folder, tell = Path(folder), progress or (lambda line: None)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(
            "the demo needs a folder of its own", where=str(folder), expected="a new or an empty folder",
            received="a folder with files in it" if folder.is_dir() else "a file",
            advice="Choose another folder, or remove this one first.",
        )  # fmt: skip
    unfinished = folder.absolute().with_name(f".{folder.absolute().name}.unfinished")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    try:
        unfinished.mkdir(parents=True)
        _fill(unfinished, seed, tell, encounters)
        unfinished.replace(folder)
    except OSError as error:
        raise ConfigError(
            "the demo cannot be written", where=str(folder), received=error.strerror or str(error),
            advice="Choose a folder you may write to, on a disk with 20 MB to spare.",
        ) from error  # fmt: skip
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder / f"{RUNS[0]}.yaml", folder / f"{RUNS[1]}.yaml"


def _fill(folder: Path, seed: int, tell: Callable[[str], Any], encounters: int) -> None:
    tell("probes: one encounter at four times, twelve other pictures")
    write_probes(make_probes(seed), folder / "probes")
    for run in RUNS:
        (folder / "runs" / run).mkdir(parents=True)
        shutil.copyfile(resource_folder("configs") / f"demo-{run}.yaml", folder / f"{run}.yaml")
    # Trained on what the configuration says the network sees: the two cannot come apart.
    preparation = load(folder / f"{RUNS[0]}.yaml").config.probes.prepare

    def prepared(image: Image) -> Image:
        return np.asarray(prepare(image, BANDS, preparation), np.float32)

    def flown(done: int) -> None:
        if done % 20 == 0:
            tell(f"simulation: {done} of {encounters} encounters")

    dataset = make_dataset(range(encounters), seed, prepared, flown)
    train, held_out = dataset.split(max(1, encounters * HELD_OUT // ENCOUNTERS))
    baseline = fit_baseline(train, held_out)
    tell(f"baseline: a linear fit on pixel statistics gets {baseline.accuracy:.2f} of the held-out pictures right")
    about = _about(train, held_out, seed)
    first, second = (folder / "runs" / run for run in RUNS)
    classify(train, held_out, first, seed, f"{about} {_shapeless(baseline.accuracy)}", tell)
    regress(train, held_out, second, first, seed, f"{about} {_tails(baseline.error, held_out)}", tell)


def _about(train: Dataset, held_out: Dataset, seed: int) -> str:
    return (
        f"Simulated galaxy encounters (restricted three-body method, Toomre & Toomre 1972) against isolated discs and "
        f"chance pairs, seed {seed}. Trained on {len(train)} pictures of {len(set(train.encounter.tolist()))} "
        f"encounters, validated on {len(held_out)} of {len(set(held_out.encounter.tolist()))} others; the probes are "
        f"of neither. Total light, sky noise, colours and foreground stars follow one law for both classes. The "
        f"field of view is set by the extent of the source: mergers with tails are seen in wider fields and coarser "
        f"pixels, so field and pixel scale differ between the classes."
    )


def _shapeless(accuracy: float) -> str:
    return (
        f"Without a look at shapes, {STATISTICS} gets {100 * accuracy:.1f} % of the held-out pictures right: hold the "
        f"accuracy of the network against that, not against one half."
    )


def _tails(error: float, held_out: Dataset) -> str:
    return (
        f"The target is the tail strength: the fraction of disc stars beyond 1.5 times their own disc's old edge from "
        f"both nuclei, divided by {STRONG_TAILS:g} and at most 1; 0 for undisturbed galaxies. The convolutions start "
        f"with the weights of the best classifier. Without a look at shapes, {STATISTICS} has a mean squared error of "
        f"{error:.3f} on the held-out pictures, whose variance is {held_out.target.var():.3f}."
    )
