"""The table of format × topology in the README; `python tests/zoo/table.py` runs the zoo and writes it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from zoo.cells import FORMATS, TOPOLOGIES, Cell

README = Path(__file__).resolve().parents[2] / "README.md"
BEGIN, END = "<!-- zoo -->\n", "<!-- /zoo -->\n"
ERAS = {"3": "Keras 3.15", "2": "Keras 2.15 and older"}
WORDS = {"yes": "yes", "weights": "weights", "not written": "–", "no": "**no**"}
KEY = (
    "Each cell is a file that Keras wrote. **yes**: its weights, the activations of every layer and the output equal\n"
    "that Keras (1e-6 relative; 5e-3 for half precision and int8, 2⁻⁷ for bfloat16). **weights**: all arrays are\n"
    "equal, and one line says which class stops the rest, or that the file holds no architecture. **–**: that Keras\n"
    "cannot write it (of `export()`, most are left out).\n"
)
"""What stands above the table."""


def table(outcomes: Mapping[Cell, str]) -> str:
    """Return the table in Markdown, one part an era, without what no format of an era can hold."""
    parts = [KEY]
    for era, formats in FORMATS.items():
        shown = [name for name in formats if name != "bare"]
        heads = [formats[name].replace(" ", "&nbsp;") for name in shown]
        rows = [f"| {ERAS[era]} | {' | '.join(heads)} |", "|---" + "|:-:" * len(shown) + "|"]
        for topology, title in TOPOLOGIES.items():
            cells = [WORDS[_both(outcomes, era, name, topology)] for name in shown]
            if set(cells) != {WORDS["not written"]}:
                rows.append(f"| {title} | {' | '.join(cells)} |")
        parts.append("\n".join(rows) + "\n")
    return "\n".join(parts)


def _both(outcomes: Mapping[Cell, str], era: str, name: str, topology: str) -> str:
    """Return the outcome of a cell; HDF5 stands for itself and for the same file without a suffix."""
    found = {outcomes[Cell(era, key, topology)] for key in ((name, "bare") if name == "hdf5" else (name,))}
    return found.pop() if len(found) == 1 else "no"


def found_in(readme: str) -> str:
    """Return the table as it stands between the markers."""
    return readme.partition(BEGIN)[2].partition(END)[0].strip("\n") + "\n"


def main() -> None:
    """Run the zoo and put its table into the README."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "table.md"
        test = Path(__file__).resolve().parents[1] / "test_zoo.py"
        subprocess.run([sys.executable, "-m", "pytest", test], env={**os.environ, "ZOO_TABLE": str(target)}, check=True)
        text = README.read_text()
        before, rest = text.split(BEGIN)
        README.write_text(f"{before}{BEGIN}\n{target.read_text()}\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
