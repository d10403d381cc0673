"""Reports beside a training: complete checkpoints only, the last one soon, and nothing that holds training up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from reportgen.archive import read_manifest
from reportgen.callbacks import GetWeights
from reportgen.config import load
from reportgen.watching import watch
from test_pipeline import network, project, quiet

TRAINING = """
import os, sys
sys.path.insert(0, os.environ["TESTS"])
import numpy as np
from reportgen.callbacks import GetWeights
from test_pipeline import network
model = network(1)
model.compile("sgd", "binary_crossentropy")
x, y = np.random.default_rng(0).random((64, 24, 24, 3)), np.arange(64) % 2
model.fit(x, y, epochs=4, verbose=0, callbacks=[GetWeights(sys.argv[1], report=sys.argv[2])])
"""


@pytest.fixture
def config(tmp_path) -> Path:
    path = project(tmp_path / "p", epochs=0)
    path.write_text(path.read_text() + "report: {formats: [json]}\nsections: [run, failures]\n")
    (path.parent / "run" / "history.csv").unlink()
    return path


def reported(config: Path) -> list[list[str]]:
    """Return the files of the checkpoints in each report, the oldest first."""
    folders = sorted(path.parent for path in (config.parent / "reports").glob("run/*/manifest.json"))
    return [sorted(read_manifest(folder)["inputs"]) for folder in folders]


@pytest.mark.slow
def test_the_callback_has_the_last_checkpoint_reported_within_half_a_minute(config):
    tests = str(Path(__file__).parent)
    environment = {**os.environ, "TESTS": tests, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": os.pathsep.join(sys.path)}
    words = [sys.executable, "-c", TRAINING, str(config.parent / "run"), str(config)]
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    record = config.parent / "run" / "run.json"
    assert json.loads(record.read_text())["status"] == "finished"
    ended = time.monotonic()
    while (reported(config) or [[]])[-1] != [f"epoch-{n:03d}.keras" for n in (1, 2, 3, 4)]:
        assert time.monotonic() - ended < 90, (config.parent / "run" / "report.log").read_text()
        time.sleep(0.5)
    log = config.parent / "run" / "report.log"
    while "the training has ended" not in log.read_text():  # and it goes
        assert time.monotonic() - ended < 120, log.read_text()
        time.sleep(0.5)


def test_what_is_still_being_written_is_never_opened(config, monkeypatch):
    """One file grows slowly beside the watch; it is in no report before it is whole."""
    folder = config.parent / "run"
    network(1).save(folder / "epoch-001.keras")
    network(2).save(config.parent / "whole.keras")
    data = (config.parent / "whole.keras").read_bytes()
    monkeypatch.setattr("reportgen.watching.PAUSE", 0.5)
    opened: list[int] = []

    def write() -> None:
        with (folder / "epoch-002.keras").open("wb") as file:
            for start in range(0, len(data), len(data) // 12 + 1):
                file.write(data[start : start + len(data) // 12 + 1])
                file.flush()
                time.sleep(0.2)
        time.sleep(1.5)
        (folder / "run.json").write_text(json.dumps({"status": "finished"}))

    from reportgen.pipeline import run

    loaded = load(config)

    def report(complete) -> None:
        opened.extend(path.stat().st_size for path in complete if path.name == "epoch-002.keras")
        run(loaded, quiet, complete=complete)

    writer = threading.Thread(target=write)
    writer.start()
    count = watch(loaded, report, every=0)
    writer.join()
    assert set(opened) == {len(data)} and count == len(reported(config))
    assert reported(config)[0] == ["epoch-001.keras"]
    assert reported(config)[-1] == ["epoch-001.keras", "epoch-002.keras"]


def test_it_reports_at_most_every_so_often_and_ends_with_the_training_process(config, monkeypatch):
    folder = config.parent / "run"
    monkeypatch.setattr("reportgen.watching.PAUSE", 0.1)
    training = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(2)"])
    times: list[float] = []

    def grow() -> None:
        for n in range(10):
            (folder / f"epoch-{n:03d}.keras").write_bytes(b"not read here")
            time.sleep(0.15)
        training.wait()

    thread = threading.Thread(target=grow)
    thread.start()
    files: list[int] = []

    def report(complete) -> None:
        times.append(time.monotonic())
        files.append(len(complete))

    watch(load(config), report, every=1.0, beside=training.pid)
    thread.join()
    assert files[-1] == 10  # the last report has them all
    assert all(b - a >= 0.99 for a, b in pairwise(times[:-1])) and len(times) <= 5  # the last is due at once


def test_a_report_that_cannot_be_started_is_a_warning(tmp_path, monkeypatch, caplog):
    def no(*_, **__):
        raise OSError("no more processes")

    monkeypatch.setattr("os.posix_spawn", no)
    model = network(1)
    model.compile("sgd", "binary_crossentropy")
    callback = GetWeights(tmp_path / "run", report=tmp_path / "none.yaml")
    model.fit(np.zeros((4, 24, 24, 3)), np.zeros(4), epochs=1, verbose=0, callbacks=[callback])
    assert (tmp_path / "run" / "epoch-001.keras").is_file() and "no more processes" in caplog.text
