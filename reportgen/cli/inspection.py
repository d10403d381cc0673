"""`reportgen inspect`: what checkpoint files hold, read in a child process and without TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from glob import escape
from pathlib import Path
from stat import S_ISREG
from typing import Any

from reportgen.cli.answer import Answer
from reportgen.errors import CheckpointError, Failure, ReportgenError
from reportgen.isolation import Children

SHOWN = 200
"""Arrays listed for people; JSON has all."""


def inspect_files(files: Sequence[Path]) -> Answer:
    """Tell what each file or folder holds; one that cannot be read costs the others nothing."""
    found: list[dict[str, Any]] = []
    failures: list[Failure] = []
    with Children() as children:
        for file in files:
            try:
                _be_there(file)
                told = children.reader.call(_look, file.absolute(), size=_size(file))
            except ReportgenError as error:
                failures.append(error.failure("checkpoint", str(file)))
                continue
            found += told["checkpoints"]
            failures += [Failure(**failure) for failure in told["failures"]]
    lines = [line for about in found for line in (*_lines(about), "")]
    return Answer(tuple(lines[:-1]), {"checkpoints": found}, 1 if failures else 0, tuple(failures), "not readable")


def _look(path: Path) -> dict[str, Any]:
    """Inspect in the child: what it imports, the parent need not."""
    from reportgen.checkpoints.inspection import inspect

    return inspect(path)


def _be_there(file: Path) -> None:
    """Raise CheckpointError where there is nothing; of a TensorFlow checkpoint users know the prefix alone."""
    if not os.path.lexists(file) and not file.with_name(f"{file.name}.index").is_file():
        raise CheckpointError(
            "there is no such file",
            expected="a checkpoint, or a folder of them",
            advice="No file matches this pattern." if any(c in file.name for c in "*?[") else "",
        )


def _size(file: Path) -> int:
    """Return about how much there is to read [byte]; what vanishes meanwhile counts nothing."""
    total = 0
    with suppress(OSError):  # a folder may go while it is listed
        for part in file.rglob("*") if file.is_dir() else file.parent.glob(f"{escape(file.name)}*"):
            with suppress(OSError):
                about = part.stat()
                total += about.st_size if S_ISREG(about.st_mode) else 0
    return total


def _lines(about: dict[str, Any]) -> Iterator[str]:
    """Yield the lines on one checkpoint."""
    from reportgen.templating import size

    yield about["file"]
    by = f"Keras {about['keras_version']}" if about["keras_version"] else "the file does not say"
    when = f"{about['saved']}" if about["saved"] else f"the file was last changed {about['changed']} (UTC)"
    rows = {
        "kind": f"{about['format']}, {size(about['size'])}",
        "saved by": by,
        "saved": when,
        "sha256": about["sha256"],
        "network": _network(about),
        "weights": f"{about['parameters']:,} parameters in {_arrays(len(about['arrays']))}",
        "beside": ", ".join(f"{kind}: {_arrays(count)}" for kind, count in about["other"].items()),
        "optimizer": about["optimizer"],
        "loss": about["loss"],
        "numbers": "all finite" if not about["nan"] + about["inf"] else f"{about['nan']:,} NaN, {about['inf']:,} Inf",
    }
    yield from (f"  {title:<10}{words}" for title, words in rows.items() if words)
    table = [("layer", "class", "array", "shape", "type", "parameters", "NaN", "Inf")]
    table += [
        (a["layer"], a["class"] or "-", a["array"], " × ".join(map(str, a["shape"])) or "one number", a["dtype"],
         f"{a['parameters']:,}", str(a["nan"] or "-"), str(a["inf"] or "-"))
        for a in about["arrays"][:SHOWN]
    ]  # fmt: skip
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    for row in table:
        cells = (cell.rjust(w) if i > 4 else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True)))
        yield "  " + "  ".join(cells).rstrip()
    if len(about["arrays"]) > SHOWN:
        yield f"  … {len(about['arrays']) - SHOWN:,} more arrays; --json lists all"


def _network(about: dict[str, Any]) -> str:
    """Return the architecture in a line."""
    if about["no_architecture"]:
        return f"{about['model']} " * bool(about["model"]) + f"not known: {about['no_architecture']}"
    inputs = ", ".join(f"{i['name']} {_shape(i['shape'])}" for i in about["inputs"])
    lent = f", described by {about['architecture_from']}" if about["architecture_from"] else ""
    return f"{about['model']} of {about['layers']} layers, from {inputs} to {', '.join(about['outputs'])}{lent}"


def _arrays(count: int) -> str:
    return "1 array" if count == 1 else f"{count:,} arrays"


def _shape(shape: list[int | None] | None) -> str:
    return "of any size" if shape is None else " × ".join("any" if n is None else str(n) for n in shape)
