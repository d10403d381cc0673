"""Two workers of a real cluster against one: `make dask` measures 40 checkpoints and asks for 1.7."""

from __future__ import annotations

import os
import time
from pathlib import Path

import keras
import pytest

from clusters import cluster
from reportgen.config import load
from reportgen.pipeline import run
from test_pipeline import project

FILES = int(os.environ.get("FILES", "40"))
LEAST = float(os.environ.get("LEAST", "0"))
LIGHT = "report: {formats: [json]}\nsections: [run, failures]\n"


def heavy(seed: int) -> keras.Model:
    """Return a network that computes for long and hands over little."""
    keras.utils.set_random_seed(seed)
    layers = [keras.layers.Conv2D(n, 5, strides=2, activation="relu", name=f"conv_{n}") for n in (32, 192, 384)]
    return keras.Sequential(
        [keras.layers.Input((96, 96, 3)), *layers, keras.layers.GlobalAveragePooling2D(name="pool"),
         keras.layers.Dense(1, activation="sigmoid", name="out")]
    )  # fmt: skip


def seconds(config: Path, engine: list[str]) -> float:
    """Return how long measuring all checkpoints takes, with starting TensorFlow [s]."""
    marks = {}

    def progress(what: str, done: int, total: int) -> None:
        if what == "checkpoints":
            marks.setdefault(done, time.monotonic())

    outcome = run(load(config, sets=engine), progress, force=True)
    assert outcome.failures == () and outcome.made["checkpoint"] == (FILES, FILES)
    return marks[FILES] - marks[0]


@pytest.mark.slow
@pytest.mark.skipif(not LEAST, reason="a measurement, which needs the machine for itself: make dask")
def test_two_workers_take_little_more_than_half_the_time_of_one(tmp_path):
    config = project(tmp_path / "p", epochs=0)
    (config.parent / "run" / "history.csv").unlink()
    model = heavy(0)
    for epoch in range(1, FILES + 1):
        keras.utils.set_random_seed(epoch)
        model.get_layer("conv_32").set_weights(heavy(epoch).get_layer("conv_32").get_weights())
        model.save(config.parent / "run" / f"epoch-{epoch:03d}.keras")
    config.write_text(config.read_text().replace("prepare: {", "prepare: {resize: 96, ") + LIGHT)
    took = []
    for workers in (1, 2):
        with cluster(tmp_path / f"cluster-{workers}", workers) as made:
            deadline = time.monotonic() + 120
            while made.said().count("Registered to") < workers and time.monotonic() < deadline:
                time.sleep(0.2)
            took.append(seconds(config, made.engine))
    ratio = took[0] / took[1]
    print(f"{FILES} checkpoints: {took[0]:.1f} s on one worker, {took[1]:.1f} s on two: {ratio:.2f} times")
    assert ratio >= LEAST
