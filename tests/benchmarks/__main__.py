"""`python -m benchmarks [--quick] [--times N] [--json FILE] [--readme] [PART…]`: measure all, print the table."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import inputs, table, whole
from benchmarks.timing import Row

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
EVERYTHING = ("extraction", "mosaics", "attribution", "weights")
NETWORKS = {"MobileNetV2": ((96, 16), (224, 4)), "ResNet50": ((96, 16), (224, 4))}
"""Of Keras Applications: (pixels, probes)."""


def loops(given: inputs.Input, times: int, *what: str) -> list[dict[str, Any]]:
    """Return the rows of the inner loops on one run, measured in a process of their own."""
    command = [sys.executable, "-m", "benchmarks.loops", given.name, given.config, given.images, str(times), *what]
    path = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [str(part) for part in command], env={**inputs.QUIET, "PYTHONPATH": path}, stdout=subprocess.PIPE, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def quick(folder: Path) -> list[dict[str, Any]]:
    """Measure a few things once on a small run: whether the scripts work."""
    small = inputs.make(folder / "quick", "quick", inputs.small_cnn(), epochs=2, probes=4)
    return loops(small, 1, "extraction", "mosaics", "attribution")


def starts(folder: Path, times: int) -> list[dict[str, Any]]:
    """The command line, on the demo's run."""
    return [row.plain() for row in whole.starts(inputs.demo(folder / "demo"), times)]


def demo(folder: Path, times: int) -> list[dict[str, Any]]:
    """Inner loops on the demo's run, and a page of its PDF."""
    return loops(inputs.demo(folder / "demo"), times, *EVERYTHING, "paper")


def paper(folder: Path, times: int) -> list[dict[str, Any]]:
    """Inner loops on the paper's architecture."""
    return loops(inputs.paper(folder / "paper"), times, *EVERYTHING)


def team(folder: Path, times: int) -> list[dict[str, Any]]:
    """Inner loops on the team's own CNN, where it is there."""
    given = inputs.team(folder / "team")
    if given is None:
        print("  the team's CNN is not here: its rows are left out", file=sys.stderr)
        return []
    return loops(given, times, *EVERYTHING)


def networks(folder: Path, times: int) -> list[dict[str, Any]]:
    """Inner loops on networks of Keras Applications."""
    rows = []
    for name, sizes in NETWORKS.items():
        for size, probes in sizes:
            given = inputs.applications(folder / f"{name}-{size}", name, size, probes)
            rows += loops(given, times, "extraction", "attribution", *(["weights"] if size == 96 else []))
    return rows


def reports(folder: Path, times: int) -> list[dict[str, Any]]:
    """Whole reports."""
    given = inputs.demo(folder / "demo")
    rows = [*whole.report(given, "standard", times, len(given.files)), *_of_paper(folder, "standard", times)]
    return [row.plain() for row in rows]


def quick_reports(folder: Path, times: int) -> list[dict[str, Any]]:
    """A whole report of feature maps, weights and predictions alone, as the notebook way has."""
    return [row.plain() for row in _of_paper(folder, "quick", times)]


def _of_paper(folder: Path, depth: str, times: int) -> Iterator[Row]:
    given = inputs.paper(folder / "paper")
    return whole.report(given, depth, times, len(given.files))


PARTS = {part.__name__: part for part in (starts, demo, paper, team, networks, quick_reports, reports)}
"""What can be measured by itself."""


def _key(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["what"], row["input"], row["peer"]


def main() -> None:
    """Measure, write JSON, and put the table where it is asked for."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true", help="a small run, once: do the scripts work?")
    asked.add_argument("parts", nargs="*", choices=[[], *PARTS], help="of these; by default all")
    asked.add_argument("--times", type=int, default=3, help="pairs of each measurement (3)")
    asked.add_argument("--json", type=Path, default=ROOT / "build" / "bench.json")
    asked.add_argument("--inputs", type=Path, default=ROOT / "build" / "bench", help="folder for the runs")
    asked.add_argument("--readme", action="store_true", help="write the table into the README")
    told = asked.parse_args()
    told.inputs.mkdir(parents=True, exist_ok=True)
    rows = quick(told.inputs) if told.quick else []
    for name in () if told.quick else told.parts or PARTS:
        rows += PARTS[name](told.inputs, told.times)
    if told.parts and told.json.is_file():  # the others as they were
        new = {_key(row) for row in rows}
        rows = [row for row in json.loads(told.json.read_text())["rows"] if _key(row) not in new] + rows
    content = {"rows": rows, "cores": len(os.sched_getaffinity(0)), "load": os.getloadavg()}
    told.json.parent.mkdir(parents=True, exist_ok=True)
    told.json.write_text(json.dumps(content, indent=1) + "\n")
    print(table.table(content))
    if told.readme:
        table.write(content)


if __name__ == "__main__":
    main()
