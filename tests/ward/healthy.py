"""Networks of many shapes and tasks that learnt what they should: the report must not cry wolf."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ward import networks, sky
from ward.patient import EPOCHS, PROBES, Case, Patient, Ward, copy_run, write_papers
from ward.training import Pair, train

FIVE = ("compact", "edge-on", "ring", "pair", "extended")
ABOVE, BYTE = 100.0, 60.0
"""A picture of 8 bits: ABOVE of the sky, BYTE levels a unit of what the networks usually see."""


def well(case: Case) -> bool:
    """Return whether a classifier is right, and right for the right reasons."""
    turned = np.mean([case.change(np.ascontiguousarray(o)) for o in sky.orientations(case.counts)])
    return bool(case.accuracy() >= 0.9 and turned < 0.1)


def follows(case: Case) -> bool:
    """Return whether a regression's answers go with the truth."""
    return bool(np.corrcoef(case.answers(), case.truth)[0, 1] > 0.9)


def learner(build: Callable[[Ward], Any], epochs: int = EPOCHS, rate: float = 0.004) -> Callable[[Ward, Path], Case]:
    """Return the admission of a network that learns to tell one galaxy from two."""

    def admit(ward: Ward, folder: Path) -> Case:
        model = train(build(ward), *ward.pairs, folder / "run", epochs, rate)
        return with_pairs(ward, folder, model)

    return admit


def with_pairs(ward: Ward, folder: Path, model: Any, n: int = PROBES, **more: Any) -> Case:
    """Write the usual probes beside a run."""
    counts, truth = ward.stamps(n, 9)
    write_papers(folder, counts, {"label": [("single", "pair")[t] for t in truth]}, **more)
    return Case(model, counts, truth)


def base(ward: Ward, folder: Path) -> Case:
    return with_pairs(ward, folder, copy_run(ward.base, folder))


def nested(ward: Ward) -> Any:
    import keras

    return networks.nested(keras.saving.load_model(ward.base / f"epoch-{EPOCHS:03d}.keras", compile=False))


def flat(ward: Ward, folder: Path) -> Case:
    shapes = ("compact", "extended")
    learn, check = ward.lesson(200, 20, shapes)
    model = train(networks.dense(), *((x.reshape(len(x), -1), y) for x, y in (learn, check)), folder / "run", EPOCHS)
    counts, truth = ward.stamps(PROBES, 29, shapes)
    prepare = {"steps": [{"asinh": sky.SOFT}, {"scale": sky.SCALE}], "flatten": True}
    write_papers(folder, counts, {"label": [shapes[t] for t in truth]}, shapes, prepare)
    return Case(model, counts, truth, lambda x: sky.seen(x).reshape(len(x), -1))


def sizes(ward: Ward, folder: Path) -> Case:
    def discs(n: int, seed: int) -> Pair:
        length = ward.rng(seed + 500).uniform(1, 4, n)
        return sky.draw(["extended"] * n, ward.rng(seed), length=length), (length - 1) / 3

    counts, size = sky.spread(*discs(200, 30), ward.rng(31))
    check, known = discs(160, 32)
    model = train(networks.regression(), (sky.seen(counts), size), (sky.seen(check), known), folder / "run", EPOCHS)
    counts, truth = discs(PROBES, 39)
    write_papers(folder, counts, {"target": truth}, task={"kind": "regression", "output": "size"})
    return Case(model, counts, truth)


def five(ward: Ward, folder: Path) -> Case:
    model = train(networks.classes(5), *ward.lesson(300, 40, FIVE), folder / "run", EPOCHS, 0.006)
    counts, truth = ward.stamps(50, 49, FIVE)
    write_papers(folder, counts, {"label": [FIVE[t] for t in truth]}, FIVE)
    return Case(model, counts, truth)


def as_bytes(inputs: np.ndarray) -> np.ndarray:
    """Return the 8-bit pictures of what the networks usually see."""
    return np.clip(ABOVE + BYTE * inputs, 0, 255).astype(np.uint8)


def bytes_lesson(ward: Ward, scale: float) -> tuple[Pair, Pair]:
    """Return the usual lesson in pictures of 8 bits, times a scale."""
    return tuple((as_bytes(x).astype("f4") * np.float32(scale), y) for x, y in ward.pairs)  # type: ignore[return-value]


def with_bytes(ward: Ward, folder: Path, model: Any, scale: float) -> Case:
    """Write the usual probes in 8 bits, with a configuration that multiplies them by `scale`."""
    counts, truth = ward.stamps(PROBES, 9)
    pictures = as_bytes(sky.seen(counts))
    steps = [] if scale == 1 else [{"scale": scale}]
    write_papers(folder, pictures, {"label": [("single", "pair")[t] for t in truth]}, prepare={"steps": steps})
    return Case(model, pictures, truth, lambda x: x.astype("f4") * np.float32(scale))


def rescaling(ward: Ward, folder: Path) -> Case:
    import keras

    model = networks.convolutional(seed=11, first=(keras.layers.Rescaling(1 / 127.5, -1, name="rescale"),))
    train(model, *bytes_lesson(ward, 1), folder / "run", EPOCHS, 0.003)
    return with_bytes(ward, folder, model, 1)


def single(ward: Ward, folder: Path) -> Case:
    model = copy_run(ward.base, folder)
    shutil.copyfile(folder / "run" / f"epoch-{EPOCHS:03d}.keras", folder / "final.keras")
    shutil.rmtree(folder / "run")
    return with_pairs(ward, folder, model, run={"path": "final.keras"})


def unlabelled(ward: Ward, folder: Path) -> Case:
    model = copy_run(ward.base, folder)
    counts, truth = ward.stamps(PROBES, 9)
    write_papers(folder, counts, {})
    return Case(model, counts, truth)


HEALTHY = (
    Patient("sequential", "two convolutions, one sigmoid unit", base, proof=well),
    Patient("branches", "functional, two softmax units", learner(lambda w: networks.branches()), proof=well),
    Patient("nested", "new head on a frozen backbone", learner(nested), proof=well),
    Patient("batchnorm", "global pooling", learner(lambda w: networks.normalised(), rate=0.01), proof=well),
    Patient("tanh", "tanh throughout", learner(lambda w: networks.convolutional("tanh", seed=12)), proof=well),
    Patient("dense", "dense layers on a flattened image", flat, proof=well),
    Patient("regression", "one linear unit", sizes, proof=follows),
    Patient("five classes", "softmax as a layer of its own", five, proof=well),
    Patient("leaky", "LeakyReLU and GELU", learner(lambda w: networks.leaky()), proof=well),
    Patient("separable", "depthwise, residual", learner(lambda w: networks.separable(), rate=0.006), proof=well),
    Patient("8 bits", "Rescaling inside, pictures 0 to 255", rescaling, proof=well),
    Patient("one checkpoint", "a file alone, no history", single, proof=well),
    Patient("no labels", "nothing is known of the probes", unlabelled, proof=well),
)  # fmt: skip
