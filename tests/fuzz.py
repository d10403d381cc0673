"""Damage valid checkpoints in thousands of ways, and see that each is read or refused.

`python tests/fuzz.py --count N --seed M`. Every mutant follows from its seed and number alone. Each is recognised,
read, and its network run where it is read, in the child processes of a run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import mutations
from reportgen.checkpoints.examine import Examined
from reportgen.checkpoints.examine import examine as look_at
from reportgen.checkpoints.reading import read_whole
from reportgen.checkpoints.run import Checkpoint
from reportgen.checkpoints.walk import Found, walk
from reportgen.errors import ReportgenError, printable
from reportgen.isolation import Children, network_limits, reading_limits
from reportgen.network import task
from reportgen.network.choose import Ways
from valid_checkpoints import write_valid

PROBES = np.linspace(0, 1, 2 * 8 * 8, dtype="f4").reshape(2, 8, 8, 1)
SECONDS = 30.0
"""For one network."""
UNFORESEEN = "could not be worked on"
"""What a child says of an error that none of our words are for."""


@dataclass(frozen=True)
class End:
    """What became of one mutant."""

    number: int
    kind: str
    """Format of the valid file it was made from."""
    mutation: str
    said: str
    """`read` where its network, if it has one, was run too; or why not."""
    seconds: float


class Examiner:
    """The children of a run, asked for one file after the other."""

    def __init__(self) -> None:
        self.children = Children((task.prepare, ({"": PROBES}, Ways())))

    def examine(self, folder: Path) -> str:
        """Return `read`, or the reason why what lies in a folder cannot be read or run."""
        known = [(found, self._look(found, folder)) for found in walk(folder, ["**/*"])]
        owned = {part for _, seen in known if isinstance(seen, Examined) for part in seen.parts}
        said = [
            seen if isinstance(seen, str) else self._entry(found, seen)
            for found, seen in known
            if str(found.path) not in owned
        ]
        return "read" if "read" in said else "; ".join(filter(None, said))

    def _look(self, found: Found, folder: Path) -> Examined | str:
        try:
            seen: Examined = self.children.reader.call(look_at, found, folder, size=found.size)
        except ReportgenError as error:
            return str(error)
        return seen

    def _entry(self, found: Found, seen: Examined) -> str:
        reader, network = self.children.reader, self.children.network
        if seen.format is None:
            return str(seen.problem or "")
        try:
            checkpoint = Checkpoint(
                name="m", file=found.file, path=found.path, format=seen.format, epoch=None, size=seen.size, sha256=""
            )
            parcel = reader.ask(read_whole, checkpoint, {}, limits=reading_limits(seen.size))
            if reader.open(parcel).stored.config is None:
                return "read"  # weights alone: there is no network to run
            network.open(network.ask(
                task.measure, parcel, checkpoint, limits=network_limits(0.5, SECONDS), start=parcel.end
            ))  # fmt: skip
        except ReportgenError as error:
            return str(error)
        return "read"


def fuzz(count: int, seed: int) -> list[End]:
    """Examine `count` mutants, the formats in turn."""
    ends = []
    with tempfile.TemporaryDirectory(prefix="reportgen-fuzz-") as place:
        valid = write_valid(Path(place) / "valid")
        examiner = Examiner()
        with examiner.children:
            for kind, folder in valid.items():
                expected = examiner.examine(folder)
                if expected != "read":
                    raise AssertionError(f"the valid {kind} is not read: {expected}")
            for number in range(count):
                kind = list(valid)[number % len(valid)]
                target = Path(place) / "mutant"
                mutation = mutations.mutate(valid[kind], target, np.random.default_rng((seed, number)))
                start = time.monotonic()
                said = examiner.examine(target)
                ends.append(End(number, kind, mutation, said, time.monotonic() - start))
    return ends


def main() -> int:
    """Print what became of all, and the odd ones; 1 where something ended without a reason."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    ends = fuzz(given.count, given.seed)
    for kind, counted in sorted(Counter((end.kind, end.said == "read") for end in ends).items()):
        print(f"{kind[0]:12} {'read' if kind[1] else 'refused':8} {counted}")
    for end in ends:
        if "the process" in end.said or "took" in end.said or UNFORESEEN in end.said or not end.said:
            print(f"{end.number:6} {end.kind:12} {end.mutation:24} {end.seconds:5.1f} s  {printable(end.said)!r}")
    slowest = max(ends, key=lambda end: end.seconds)
    print(f"{len(ends)} mutants; the slowest took {slowest.seconds:.1f} s ({slowest.number}, {slowest.mutation})")
    return int(any(not end.said or UNFORESEEN in end.said for end in ends))


if __name__ == "__main__":
    sys.exit(main())
