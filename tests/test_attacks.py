"""One folder of every attack and breakage, and of healthy checkpoints: one run, and what became of each of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

import checkpoint_files as files
from attacks import ATTACKS, SECRET, Attack, write_all
from reportgen.errors import printable

MIB = 2**20
BASE = 900 * MIB
"""What one harmless run takes in all its processes: TensorFlow's alone has 550 MiB, the one that draws 250."""
JARGON = re.compile(
    r"nable to (a?synchronously|open|read|get)|Traceback|object header|B-tree|H5[A-Z]|errno|\bNoneType\b|"
    r"^\w+(Error|Exception)\b|struct\.error|<class '|\.py\b"
)
"""Words that mean nothing to a student."""
ADVISED = "your_file.py"
KILLED = "killed.h5"
"""A healthy file, at which the system kills the process that reads it."""
PLANTED = f"""
import os, runpy
from reportgen.isolation import children
start = children.Child._start
def planted(child):
    os.environ["REPORTGEN_PLANT"] = '{{"read_whole:{KILLED}": "kill"}}'
    start(child)
children.Child._start = planted
runpy.run_module("reportgen", run_name="__main__")
"""
"""The command line; only its child processes, which are started when the configuration is read, know of the kill."""


@dataclass(frozen=True)
class Ended:
    """A finished run."""

    home: Path
    folder: Path
    written: dict[str, Attack]
    healthy: tuple[str, ...]
    code: int
    stderr: str
    seconds: float
    peak: int
    """Of the resident memory of all its processes together [byte]."""
    report: dict[str, Any]
    shown: frozenset[str]
    """Files of the checkpoints whose weights are reported."""

    @property
    def failures(self) -> dict[str, dict[str, str]]:
        """Line of failure by the name of the file, as names are shown."""
        return {bare(line["name"]): line for line in self.report["failures"] if line["kind"] == "checkpoint"}


def bare(name: str) -> str:
    """Return the name of a file, or of the checkpoint that a file and its list of members make."""
    return name.removesuffix(".index")


def write_healthy(folder: Path) -> tuple[str, ...]:
    """Write checkpoints that are as they should be, by Keras itself and by hand."""
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [
            keras.layers.Input((8, 8, 1), name="image"),
            keras.layers.Conv2D(6, 3, activation="relu", name="edges"),
            keras.layers.Flatten(name="flat"),
            keras.layers.Dense(1, activation="sigmoid", name="answer"),
        ]
    )
    model.compile("adam", "mse")
    model.save(folder / "healthy-epoch-001.keras")
    model.save(folder / "healthy.h5")
    model.save_weights(folder / "healthy.weights.h5")
    files.write_keras(folder / "healthy-small.keras", seed=1)
    files.write_hdf5(folder / "healthy-small.h5", seed=2)
    return tuple(sorted(path.name for path in folder.iterdir()))


def memory_of(tree: int) -> int:
    """Return the resident memory of a process and its descendants [byte]."""
    parents, sizes = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)], sizes[int(entry.name)] = int(fields[1]), int(fields[21])
    inside = {tree}
    while more := {pid for pid, parent in parents.items() if parent in inside} - inside:
        inside |= more
    return sum(sizes.get(pid, 0) for pid in inside) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    home = tmp_path_factory.mktemp("attacks")
    (home / "run").mkdir()
    healthy = write_healthy(home / "run")
    written = write_all(home / "run", home / "markers")
    (home / "probes").mkdir()
    for number in range(2):
        pixels = np.random.default_rng(number).integers(0, 255, (8, 8), dtype=np.uint8)
        Image.fromarray(pixels).save(home / "probes" / f"g{number}.png")
    (home / "config.yaml").write_text(
        "run: {path: run, history: null}\n"
        "probes: {images: probes/*.png, prepare: {steps: [{scale: 0.0039}]}}\n"
        "limits: {memory: 0.7, seconds: 60}\n"
        "report: {formats: [html, json]}\n"
        "sections: [summary, run, architecture, provenance, failures]\n"
    )
    before = set(home.parent.iterdir())
    files.write_hdf5(home / "run" / KILLED, seed=3)
    start, peak = time.monotonic(), 0
    command = [sys.executable, "-c", PLANTED, "run", "config.yaml"]
    with (home / "stderr").open("w") as log, (home / "stdout").open("w") as out:
        process = subprocess.Popen(command, cwd=home, stderr=log, stdout=out)
        limit = threading.Timer(900, process.kill)
        limit.start()
        while process.poll() is None:
            peak = max(peak, memory_of(process.pid))
            time.sleep(0.1)
        limit.cancel()
    seconds = time.monotonic() - start
    assert set(home.parent.iterdir()) == before  # nothing beside the project
    stderr = (home / "stderr").read_text(errors="surrogateescape")
    reports = list((home / "reports").glob("run/*/report.json"))
    assert len(reports) == 1, stderr[-3000:]
    run = json.loads((reports[0].parent / "extraction" / "_run.json").read_text())
    shown = {
        checkpoint["file"]
        for checkpoint in run["checkpoints"]
        if (reports[0].parent / "extraction" / f"{checkpoint['name']}.h5").is_file()
    }
    return Ended(
        home, reports[0].parent, written, healthy, process.returncode, stderr, seconds, peak,
        json.loads(reports[0].read_text()), frozenset(shown),
    )  # fmt: skip


def stored(name: str) -> str:
    """Return a name as it is stored, bytes that are no UTF-8 spelled out."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def printed(name: str) -> str:
    """Return a name as reports show it."""
    return printable(stored(name))


@pytest.mark.slow
def test_the_run_ends_with_exit_code_1_in_bounded_time_and_memory(ended: Ended) -> None:
    print(f"{len(ended.written)} attacks: {ended.seconds:.0f} s, {ended.peak / MIB:.0f} MiB in all processes together")
    assert ended.code == 1, ended.stderr[-3000:]
    assert ended.seconds < 600
    assert ended.peak < BASE + 1024 * MIB, f"{ended.peak / MIB:.0f} MiB"


@pytest.mark.slow
def test_the_healthy_checkpoints_are_all_reported(ended: Ended) -> None:
    assert set(ended.healthy) <= ended.shown
    assert not set(ended.healthy) & set(ended.failures)


@pytest.mark.slow
def test_a_process_that_is_killed_costs_its_file_alone(ended: Ended) -> None:
    assert "was killed" in ended.failures[KILLED]["problem"] and KILLED not in ended.shown


@pytest.mark.slow
@pytest.mark.parametrize("file", ATTACKS)
def test_each_attack_has_the_end_it_should_have_and_says_why(file: str, ended: Ended) -> None:
    attack = ended.written[file]
    line = ended.failures.get(bare(printed(file)))
    shown = any(bare(name) == bare(stored(file)) for name in ended.shown)
    end = ("weights only" if line else "reported") if shown else ("refused" if line else "passed over")
    assert end in attack.ends, line
    if line is None:
        return
    said = " ".join(line[key] for key in ("problem", "expected", "received", "advice"))
    assert re.search(attack.words, said), said
    assert len(said) < 2500 and line["problem"]
    assert not JARGON.search(said.replace(ADVISED, "")), said
    assert not any(JARGON.search(line[key]) for key in ("problem", "received")), line


@pytest.mark.slow
def test_every_file_that_was_written_is_accounted_for_and_no_other(ended: Ended) -> None:
    told = {printed(bare(name)) for name in ended.shown} | set(ended.failures)
    silent = {file for file, attack in ended.written.items() if "passed over" in attack.ends}
    wanted = {printed(bare(file)) for file in (*ended.written, *ended.healthy)}
    beside = {"linked-to.h5", KILLED}  # the first is what the link points at
    # Links and pipes are told under their own names, and so are parts that their list does not name.
    parts = {name for name in told if re.search(r"\.data-00000|_0000\d\.weights\.h5", name)}
    assert told - beside - parts <= wanted
    assert wanted - {printed(bare(file)) for file in silent} <= told


@pytest.mark.slow
def test_no_code_ran_and_nothing_was_written_outside_the_archive(ended: Ended) -> None:
    assert list((ended.home / "markers").iterdir()) == []
    assert {path.name for path in ended.home.iterdir()} == {
        "run", "markers", "probes", "config.yaml", "reports", "stderr", "stdout", "foreign.txt", "outside.h5"
    }  # fmt: skip
    assert not Path("/tmp/escaped").exists()
    assert {path.parent.name for path in ended.folder.rglob("*") if path.is_file()} == {
        ended.folder.name, "extraction", "checkpoints"
    }  # fmt: skip
    for path in ended.folder.rglob("*"):
        assert re.fullmatch(r"[\w.-]+", path.name), path


@pytest.mark.slow
def test_no_page_holds_what_files_outside_say_or_what_a_browser_would_run(ended: Ended) -> None:
    pages = [*ended.folder.rglob("*.html"), *ended.folder.glob("*.json"), ended.home / "stderr", ended.home / "stdout"]
    assert len(pages) > 10
    for page in pages:
        text = page.read_text(errors="surrogateescape")
        assert SECRET not in text and "root:x:0" not in text, page
        if page.suffix == ".html":
            assert not re.search(r"<script>alert|<img src=x|onerror=alert\(1\)>", text), page
        if page.suffix == ".json":  # escaped there; the strings themselves are looked at below
            continue
        odd = {c for c in text if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co"}} - {"\xad", "\t"}
        assert not odd, (page, odd)
    for line in ended.report["failures"]:
        for value in map(str, line.values()):
            assert not {unicodedata.category(c) for c in value} & {"Cc", "Cf", "Cs"}, line
    assert "Traceback" not in ended.stderr
