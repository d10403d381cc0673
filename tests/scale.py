"""How reports grow: `python tests/scale.py DEMO WORK [case …]` runs each case as a user would and prints a table.

DEMO is the folder of the demo run (`reportgen demo`), WORK one with some gigabytes to spare. A case is
`checkpoints:N` (16 probes), `probes:N` (8 checkpoints) or `resnet` (ResNet50 at 224 pixels, 16 probes, 5
checkpoints); `probes:N:M` and `resnet:M` have M checkpoints. Processor time is that of all processes; memory is the
peak resident set of each, and the largest sum of their proportional sets at one time.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import yaml

from scaled import write_checkpoints, write_probes

CASES = ("checkpoints:20", "checkpoints:100", "checkpoints:500", "probes:16", "probes:256", "probes:4096", "resnet")
MB = 2**20


@dataclass
class Watched:
    """What a command and its children used."""

    root: int
    peaks: dict[int, float] = field(default_factory=dict)
    """Peak resident set by process [MiB]."""
    kinds: dict[int, str] = field(default_factory=dict)
    together: float = 0.0
    """Largest sum of proportional sets [MiB]."""

    def look(self) -> None:
        """Read what the processes hold now."""
        total = 0.0
        for pid in [self.root, *_below(self.root)]:
            try:
                status = Path(f"/proc/{pid}/status").read_text()
                self.peaks[pid] = max(self.peaks.get(pid, 0.0), _kib(status, "VmHWM:") / 1024)
                total += _kib(Path(f"/proc/{pid}/smaps_rollup").read_text(), "Pss:") / 1024
            except (OSError, ProcessLookupError):
                continue
        self.together = max(self.together, total)

    def summary(self) -> dict[str, float]:
        """Return the peaks of the parent, of the smallest and of the largest child, and of all together."""
        children = sorted(v for pid, v in self.peaks.items() if pid != self.root and v > 10)
        return {
            "parent": self.peaks.get(self.root, 0), "reader": children[0] if len(children) > 1 else 0,
            "network": children[-1] if children else 0, "together": self.together,
        }  # fmt: skip


def _below(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(word) for word in task.read_text().split()]
        except OSError:
            continue
    return found


def _kib(text: str, key: str) -> int:
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith(key)), 0)


def measured(command: list[str], log: Path) -> dict[str, float]:
    """Run a command; return its time, the processor time of it and its children, and the peaks [s, MiB]."""
    before, start = os.times(), time.perf_counter()
    with log.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
    watched, done = Watched(process.pid), threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            watched.look()

    thread = threading.Thread(target=watch)
    thread.start()
    code = process.wait()
    done.set()
    thread.join()
    after = os.times()
    if code:
        raise SystemExit(f"{' '.join(command)} ended with {code}:\n{log.read_text()[-3000:]}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {"wall": time.perf_counter() - start, "cpu": cpu, **watched.summary()}


def project(demo: Path, work: Path, case: str) -> Path:
    """Make what a case runs on, and return its configuration."""
    kind, *numbers = case.split(":")
    count = int(numbers[0]) if numbers else 5
    folder = work / case.replace(":", "-")
    config = yaml.safe_load((demo / "classification.yaml").read_text())
    with (demo / "probes" / "probes.csv").open() as file:
        labels = [row["label"] for row in csv.DictReader(file)]
    pictures = np.load(demo / "probes" / "probes.npy")
    shutil.rmtree(folder, ignore_errors=True)
    if kind == "resnet":
        write_resnet(folder / "runs" / "classification", count)
        config["probes"]["prepare"] = {"resize": 224, "method": "bilinear", "steps": [{"asinh": 2.0}]}
    elif kind == "checkpoints":
        source = demo / "runs" / "classification" / "epoch-008.keras"
        write_checkpoints(source, folder / "runs" / "classification", count)
    else:
        source = demo / "runs" / "classification" / "epoch-008.keras"
        write_checkpoints(source, folder / "runs" / "classification", (numbers[1:] and int(numbers[1])) or 8)
    write_probes(pictures, labels, folder / "probes", count if kind == "probes" else 16)
    config["probes"] |= {"images": "probes/probes.npy", "catalogue": "probes/probes.csv"}
    (folder / "run.yaml").write_text(yaml.safe_dump(config))
    return folder / "run.yaml"


def write_resnet(folder: Path, count: int) -> None:
    """Write checkpoints of ResNet50 with random weights, one output, in a process of its own."""
    folder.mkdir(parents=True)
    code = (
        "import keras, sys\n"
        "for i in range(1, int(sys.argv[2]) + 1):\n"
        "    keras.utils.set_random_seed(i)\n"
        "    keras.applications.ResNet50(weights=None, classes=1, classifier_activation='sigmoid')"
        ".save(f'{sys.argv[1]}/epoch-{i:03d}.keras')\n"
    )
    subprocess.run([sys.executable, "-c", code, str(folder), str(count)], check=True)


def sizes(folder: Path) -> dict[str, float]:
    """Return the sizes of what the newest report is [MB], and the pages of its PDF."""
    (report,) = [path.parent for path in folder.glob("reports/*/*/report.html")]
    pdf = (report / "report.pdf").read_bytes()
    del pdf
    from pypdf import PdfReader

    return {
        "html": (report / "report.html").stat().st_size / 1e6,
        "json": (report / "report.json").stat().st_size / 1e6,
        "pages": len(PdfReader(report / "report.pdf").pages),
        "pdf": (report / "report.pdf").stat().st_size / 1e6,
        "extraction": sum(p.stat().st_size for p in (report / "extraction").iterdir()) / 1e6,
        "page": max(p.stat().st_size for p in (report / "checkpoints").iterdir()) / 1e6,
    }


def main() -> None:
    """Print one line a case."""
    demo, work, cases = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:] or CASES
    for case in cases:
        config = project(demo, work, case)
        log = config.parent / "log.txt"
        row = {"case": case, **measured([sys.executable, "-m", "reportgen", "run", str(config)], log)}
        row |= sizes(config.parent)
        print(json.dumps({k: round(v, 2) if isinstance(v, float) else v for k, v in row.items()}), flush=True)


if __name__ == "__main__":
    main()
