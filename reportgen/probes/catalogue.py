"""The catalogue: a CSV with a row a probe."""

from __future__ import annotations

import csv
import io
import math
import os
from dataclasses import dataclass, replace
from pathlib import Path

from reportgen import places
from reportgen.config.probes import ColumnsConfig, ProbesConfig
from reportgen.config.suggest import did_you_mean
from reportgen.errors import ConfigError, Failure, printable
from reportgen.remote import fetch_files

MISSING = {"-", "na", "n/a", "nan", "none", "null"}
"""Ways to write that there is no target."""


@dataclass(frozen=True)
class Row:
    """One row of the catalogue."""

    line: int
    """In the file, counted from 1."""
    id: str | None
    file: str | None
    label: str | None
    target: float | None
    group: str | None
    metadata: dict[str, str]
    values: dict[str, str]
    """Every field as written, by column."""
    repeats: bool = False
    """An earlier row has its id, so it has none."""


@dataclass(frozen=True)
class Catalogue:
    """A catalogue as read."""

    name: str
    """Its path as the user wrote it."""
    rows: tuple[Row, ...]
    has_ids: bool
    has_files: bool
    failures: tuple[Failure, ...]
    """Values that cannot be used; the rest of their row is."""


def picture_of(written: str, config: ProbesConfig, base: Path) -> tuple[Path | None, str, int | None]:
    """Return the file a field of the catalogue names, its name, and the number in `stack.h5[17]`.

    It lies beside the catalogue or the configuration; None where it does not.
    """
    written = written.replace("\\", "/")
    file, bracket, rest = written.rpartition("[") if written.endswith("]") else (written, "", "")
    number = (int(rest[:-1]) if rest[:-1].isdecimal() else 0) if bracket else None
    beside = (base / (config.catalogue or "")).expanduser().parent
    fetch_files(Path(os.path.normpath(beside / file)))
    return next((folder / file for folder in (beside, base) if (folder / file).is_file()), None), file, number


def named_pictures(config: ProbesConfig, base: Path) -> list[Path]:
    """Return the files that columns of the catalogue name as pictures for further inputs; none where it is not one."""
    columns = [source.column for source in config.inputs.values() if source.column is not None]
    if not columns or config.catalogue is None:
        return []
    try:
        header, lines = _read_lines(base / config.catalogue.expanduser(), "")
    except ConfigError:
        return []
    places = [header.index(column) for column in columns if column in header]
    written = dict.fromkeys(fields[place] for _, fields in lines for place in places)
    found = (picture_of(text, config, base)[0] for text in written)
    return [path for path in found if path is not None]


def read_catalogue(file: Path, config: ProbesConfig, base: Path) -> Catalogue:
    """Return the rows of the catalogue.

    Raises ConfigError where the file cannot be read as CSV or lacks a column that the configuration names.
    """
    name = places.named(file)
    header, lines = _read_lines(base / file.expanduser(), name)
    columns = config.columns
    named: dict[str, tuple[str, ...]] = {
        f"probes.columns.{option}": (getattr(columns, option),) for option in sorted(columns.model_fields_set)
    }
    for entry, source in config.inputs.items():
        named[f"probes.inputs.{entry}"] = source.columns or ((source.column,) if source.column else ())
    for option, wanted in ((option, column) for option, listed in named.items() for column in listed):
        if wanted not in header:
            raise ConfigError(
                f"The catalogue has no column {wanted!r}",
                where=f"{name}:1",
                expected=f"the column named in {option}",
                received=", ".join(header),
                advice=did_you_mean(wanted, header),
            )
    failures: list[Failure] = []
    rows: list[Row] = []
    first_line: dict[str, int] = {}
    for line, fields in lines:
        values = dict(zip(header, fields, strict=True))
        row = _row(line, values, columns, name, failures)
        if row.id is not None and row.id in first_line:
            failures.append(
                Failure(
                    "probe",
                    row.id,
                    f"{name}:{line}: this id is already on line {first_line[row.id]}",
                    expected="each id once",
                    received=f"{row.id} twice; the first row has it",
                    advice="Give one of them another id.",
                )
            )
            row = replace(row, id=None, repeats=True)
        elif row.id is not None:
            first_line[row.id] = line
        rows.append(row)
    return Catalogue(name, tuple(rows), columns.id in header, columns.file in header, tuple(failures))


def _row(line: int, values: dict[str, str], columns: ColumnsConfig, name: str, failures: list[Failure]) -> Row:
    as_written = dict(values)

    def take(column: str) -> str | None:
        return values.pop(column, "") or None

    id_, file, label, group = (take(c) for c in (columns.id, columns.file, columns.label, columns.group))
    written, target = take(columns.target), None
    if written is not None and written.lower() not in MISSING:
        try:
            target = float(written)
        except ValueError:
            target = math.nan
        if not math.isfinite(target):
            failures.append(
                Failure(
                    "probe",
                    id_ or file or f"{name}:{line}",
                    f"{name}:{line}: the target is no number; the probe has none",
                    expected=f"a number in column {columns.target}",
                    received=printable(written),
                    advice="Leave it empty where there is no target.",
                )
            )
            target = None
    metadata = {key: value for key, value in values.items() if value}
    return Row(line, id_, file, label, target, group, metadata, as_written)


def _read_lines(path: Path, name: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header and each row with the number of its line, every field without surrounding spaces."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            "The catalogue is not UTF-8 text",
            where=name,
            received=f"byte {error.object[error.start]:#x} at {error.start}",
            advice="Save it as CSV, UTF-8.",
        ) from error
    except OSError as error:
        raise ConfigError("The catalogue cannot be read", where=name, received=error.strerror or str(error)) from error
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] = []
    lines: list[tuple[int, list[str]]] = []
    try:
        for fields in reader:
            values = [printable(field) for field in fields]
            if not any(values):
                continue
            if not header:
                header = values
                continue
            if len(values) != len(header):
                raise ConfigError(
                    "A row of the catalogue has another number of fields than its header",
                    where=f"{name}:{reader.line_num}",
                    expected=f"{len(header)} fields",
                    received=f"{len(values)} fields",
                    advice="Put quotes around a field that holds a comma.",
                )
            lines.append((reader.line_num, values))
    except csv.Error as error:
        raise ConfigError("The catalogue is no CSV", where=f"{name}:{reader.line_num}", received=str(error)) from error
    twice = sorted({column for column in header if header.count(column) > 1})
    if not header or twice:
        raise ConfigError(
            f"The catalogue has two columns called {twice[0]!r}" if twice else "The catalogue is empty",
            where=f"{name}:1",
            expected="a first line with the names of the columns",
        )
    return header, lines
