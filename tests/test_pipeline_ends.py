"""What a run survives, and what comes back out of its processes."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import pytest

from reportgen.config import load
from reportgen.extraction import open_run
from reportgen.pipeline import run
from test_pipeline import NOON, network, project, quiet


def test_checkpoints_that_kill_their_process_cost_only_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """One exhausts the memory of the reader, one crashes it, one each does so to the network's process."""
    config = project(tmp_path, epochs=2)
    for epoch, name in ((3, "bomb"), (4, "crash"), (5, "drained"), (6, "broken")):
        model = network(epoch, filters=epoch)
        model.get_layer("conv").name = name
        model.save(tmp_path / "run" / f"epoch-{epoch:03d}.keras")
    network(7).save(tmp_path / "run" / "epoch-007.keras")
    monkeypatch.setenv("REPORTGEN_PLANT", json.dumps({
        "examine:epoch-003": "memory", "read_whole:epoch-004": "segfault",
        "measure:drained": "memory", "measure:broken": "segfault",
    }))  # fmt: skip
    outcome = run(load(config, sets=["limits.memory=0.5"]), quiet, NOON)
    told = {failure.name: failure.problem for failure in outcome.failures}
    assert set(told) == {f"epoch-{n:03d}.keras" for n in (3, 4, 5, 6)}
    assert "memory" in told["epoch-003.keras"] and "segmentation" in told["epoch-004.keras"]
    assert "512 MiB" in told["epoch-005.keras"] and "segmentation" in told["epoch-006.keras"]
    extracted = open_run(outcome.folder / "extraction")
    measured = {e.about.file: e.predictions is not None for e in extracted.extractions}
    assert measured == {
        "epoch-001.keras": True, "epoch-002.keras": True, "epoch-005.keras": False, "epoch-006.keras": False,
        "epoch-007.keras": True,
    }  # fmt: skip
    page = (outcome.folder / "report.html").read_text()
    assert all(name in page for name in told)


def test_code_of_the_users_that_fails_costs_only_the_checkpoints_that_need_it(tmp_path):
    config = project(tmp_path, epochs=1)
    network(2).save_weights(tmp_path / "run" / "epoch-002.weights.h5")
    (tmp_path / "run" / "epoch-002.weights.h5").rename(tmp_path / "run" / "w.weights.h5")
    other = keras.Sequential([keras.layers.Input((24, 24, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
    other.save_weights(tmp_path / "run" / "other.weights.h5")
    (tmp_path / "net.py").write_text("def build():\n    raise RuntimeError('not today')\n")
    config.write_text(config.read_text().replace("run: {path: run}", "run: {path: run, model: 'net.py:build'}"))
    outcome = run(load(config, sets=["report.formats=[html]", "sections=[run, failures]"]), quiet, NOON)
    assert outcome.made["checkpoint"] == (2, 3)  # w borrows the architecture of the first
    (lost,) = outcome.failures
    assert lost.name == "other.weights.h5" and "net.py:2" in lost.problem and "not today" in lost.received
