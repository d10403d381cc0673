"""What a CSV beside the images says, and which of its columns mean what."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from pathlib import Path, PurePosixPath

from reportgen.probes.raw import stem

NAMES = {
    "file": ("file", "filename", "file_name", "image", "path"),
    "id": ("id", "name", "objid", "dr7objid", "object", "galaxy"),
    "label": ("label", "class", "kind", "type", "morphology", "category"),
    "target": ("target", "score", "value", "fitness", "y"),
    "group": ("group", "encounter", "field", "set"),
}
"""What such columns are usually called, the likeliest first."""
ROWS = 5000


@dataclass(frozen=True)
class Columns:
    """A catalogue and the meaning of its columns."""

    file: Path
    header: tuple[str, ...]
    rows: int
    meaning: dict[str, tuple[str, str]]
    """file, id, label, target, group: the column, and why that one."""
    labels: tuple[str, ...]
    """Different values of the label, sorted."""


def find_catalogue(files: Sequence[Path]) -> tuple[Columns | None, list[Path]]:
    """Return the CSV that belongs to the images, and all CSV files near them.

    It is the only one, or the only one of which a column names the images.
    """
    folders = dict.fromkeys(file.parent for file in files)
    near = [csv_file for folder in folders for csv_file in sorted(folder.glob("*.csv"))]
    if not near:
        near = sorted(next(iter(folders)).parent.glob("*.csv"))
    read = [columns for file in near if (columns := read_columns(file, files))]
    naming = [columns for columns in read if {"file", "id"} & set(columns.meaning)]
    found = read if len(read) == 1 else naming
    return (found[0] if len(found) == 1 else None), near


def read_columns(file: Path, images: Sequence[Path]) -> Columns | None:
    """Read a CSV and guess the meaning of its columns; None where it is no table."""
    try:
        text = file.read_text("utf-8-sig")
        delimiter = max(",;\t", key=text.partition("\n")[0].count)
        reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
        table = [row for row in islice(reader, ROWS + 1) if row]
    except (OSError, UnicodeDecodeError, csv.Error):
        return None
    if len(table) < 2 or len(table[0]) < 2:
        return None
    header = [name.strip() for name in table[0]]
    values = {
        name: [row[i].strip() for row in table[1:] if i < len(row) and row[i].strip()] for i, name in enumerate(header)
    }
    meaning = _meaning(values, images)
    labels = sorted(set(values[meaning["label"][0]])) if "label" in meaning else []
    return Columns(file, tuple(header), len(table) - 1, meaning, tuple(labels))


def _meaning(values: dict[str, list[str]], images: Sequence[Path]) -> dict[str, tuple[str, str]]:
    """Guess by what the columns hold, and only then by what they are called."""
    found: dict[str, tuple[str, str]] = {}
    names, stems = {image.name for image in images}, {stem(image) for image in images}
    for column, written in values.items():
        if "file" not in found and _half(written, lambda value: PurePosixPath(value).name in names):
            found["file"] = (column, "it names the files")
        elif "id" not in found and _half(written, lambda value: value in stems):
            found["id"] = (column, "it holds the names of the files without their suffix")
    taken = {column for column, _ in found.values()}
    by_lower = {column.lower(): column for column in values if column not in taken}
    for option, usual in NAMES.items():
        for name in usual:
            column = by_lower.get(name, "")
            if option in found or not column or not _plausible(option, values[column]):
                continue
            found[option] = (by_lower.pop(name), "its name")
    return found


def _plausible(option: str, written: Sequence[str]) -> bool:
    numeric = all(_is_number(value) for value in written)
    if option == "file":
        return False  # had it named the images, it would have been found
    if option == "id":
        return len(set(written)) == len(written)
    if option == "target":
        return bool(written) and numeric
    if option == "label":
        return bool(written) and not (numeric and any(float(value) % 1 for value in written))
    return bool(written)


def _half(written: Sequence[str], fits: Callable[[str], bool]) -> bool:
    return bool(written) and 2 * sum(map(fits, written)) >= len(written)


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True
