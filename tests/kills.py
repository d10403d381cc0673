"""Kill runs of a small project at random instants: `python tests/kills.py --count 200`; nothing may be lost."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from test_pipeline import network, project

PROJECT = 20
"""Kills in one archive; then another is begun, since each adds a checkpoint."""
LIGHT = "report: {formats: [html, json]}\nsections: [run, predictions, failures]\n"


@dataclass
class Killing:
    """A project whose runs are killed, and what must outlive that."""

    config: Path
    random: random.Random
    round: int = 0
    epochs: int = 1
    length: float = 10.0
    """Of a whole run [s], as last measured."""
    reports: dict[str, str] = field(default_factory=dict)
    """Manifests that have been seen, by folder."""
    stored: set[str] = field(default_factory=set)
    """Finished extractions that have been seen."""
    instants: dict[str, int] = field(default_factory=dict)
    """How many kills hit which step."""

    @property
    def archive(self) -> Path:
        return self.config.parent / "reports"

    def start(self) -> subprocess.Popen[bytes]:
        words = ["run", str(self.config), "--set", f"report.title=round {self.round}"]
        log = (self.config.parent / "stderr.txt").open("wb")
        with log:
            return subprocess.Popen(
                [sys.executable, "-m", "reportgen", *words], stdout=subprocess.DEVNULL, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def said(self) -> str:
        return (self.config.parent / "stderr.txt").read_text(errors="replace")

    def kill(self) -> None:
        """Kill a run at a random instant and look at what is left."""
        process = self.start()
        # Half of the instants lie in the last fifth, where files are drawn, filed and indexed.
        share = self.random.uniform(0, 1) if self.random.random() < 0.5 else self.random.uniform(0.8, 1.02)
        time.sleep(self.length * share)
        ended = process.poll() is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        said = self.said()
        steps = {
            "^made ": "filing and indexing", "^pages": "pages", "^sections": "sections", ": measured": "measuring",
            "^probes": "probes and finding", "^a new report": "looking",
        }  # fmt: skip
        step = (
            "after its end"
            if ended
            else next((words for s, words in steps.items() if re.search(s, said, re.M)), "start")
        )
        self.instants[step] = self.instants.get(step, 0) + 1
        self.check()

    def complete(self) -> None:
        """Let a run end; it must reuse every finished extraction, and the archive must be whole."""
        finished = len(list((self.archive / ".store/extractions").glob("*.json")))
        begun = time.monotonic()
        process = self.start()
        assert process.wait(300) == 0, self.said()
        if finished < self.epochs:  # one that measures
            self.length = time.monotonic() - begun
        again = re.findall(r"\S+: measured", self.said())
        assert len(again) <= self.epochs - finished, (finished, self.said())
        self.check()
        folders = [path.parent for path in self.archive.glob("*/*/manifest.json")]
        index = (self.archive / "index.html").read_text()
        assert folders and all(folder.name in index for folder in folders), "the index lacks a report"
        assert not list(self.archive.glob("*/.making-*")) and not list((self.archive / ".store/due").iterdir())
        self.round += 1

    def grow(self) -> None:
        """Add a checkpoint, so that there is something to measure."""
        self.epochs += 1
        network(self.epochs).save(self.config.parent / "run" / f"epoch-{self.epochs:03d}.keras")

    def check(self) -> None:
        """Every report that is visible is whole, none that was there is gone or changed, nothing stored is lost."""
        visible = [path for path in self.archive.glob("*/*") if not path.name.startswith(".") and path.is_dir()]
        for folder in (path for path in visible if not path.parent.name.startswith(".")):
            text = (folder / "manifest.json").read_bytes()
            manifest = json.loads(text)
            for name, known in manifest["files"].items():
                assert sha256((folder / name).read_bytes()).hexdigest() == known["sha256"], folder / name
            assert self.reports.setdefault(folder.name, sha256(text).hexdigest()) == sha256(text).hexdigest()
        assert set(self.reports) <= {path.name for path in visible}, "a report has gone"
        notes = list((self.archive / ".store/extractions").glob("*.json"))
        for note in notes:
            data = note.with_suffix(".h5").read_bytes()
            assert sha256(data).hexdigest() == json.loads(note.read_text())["sha256"], note
        assert self.stored <= {note.name for note in notes}, "a finished extraction has gone"
        self.stored |= {note.name for note in notes}


def kill_often(folder: Path, count: int, seed: int) -> Killing:
    """Kill `count` runs, and let one end after every few."""
    config = project(folder, epochs=1)
    config.write_text(config.read_text() + LIGHT)
    killing = Killing(config, random.Random(seed))  # noqa: S311
    killing.complete()
    for done in range(1, count + 1):
        killing.grow()
        killing.kill()
        if done % 5 == 0:
            killing.grow()
            killing.complete()
    return killing


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--count", type=int, default=200)
    words.add_argument("--seed", type=int, default=1)
    asked = words.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        instants: Counter[str] = Counter()
        reports = 0
        for first in range(0, asked.count, PROJECT):
            folder, kills = Path(scratch) / f"p{first}", min(PROJECT, asked.count - first)
            result = kill_often(folder, kills, asked.seed + first)
            instants += Counter(result.instants)
            reports += len(result.reports)
            print(
                f"{first + kills} kills, by the last step begun: {dict(instants)}; {reports} reports whole", flush=True
            )
            shutil.rmtree(folder)
