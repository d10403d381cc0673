"""Rows of the catalogue meet their images."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Literal

from reportgen.config.suggest import did_you_mean
from reportgen.errors import ConfigError, Failure
from reportgen.places import name_of, place
from reportgen.probes.catalogue import Catalogue, Row
from reportgen.probes.raw import Found, RawImage

LISTED = 10
"""Rows or images named in one message."""


def join(
    images: Sequence[Found], catalogue: Catalogue, base: Path, select: Sequence[str] = ()
) -> tuple[list[Row | None], list[Failure]]:
    """Return the row of each image, and what has no partner, as far as it is selected.

    By file where the catalogue has such a column, by id where it has ids, else in order. Raises ConfigError
    where that leaves doubt about which row belongs to which image.
    """
    if catalogue.has_files:
        return _pair(images, catalogue, _by_file(images, catalogue, base), "file", select)
    if catalogue.has_ids and not _only_named_in_order(images, catalogue):
        numbers = {image.id: number for number, image in enumerate(images)}
        return _pair(images, catalogue, lambda row: numbers.get(row.id or ""), "id", select)
    if len(images) != len(catalogue.rows):
        raise ConfigError(
            "Rows and images can only be joined in order, and their numbers differ",
            where=catalogue.name,
            expected=f"{len(images)} rows, one an image",
            received=f"{len(catalogue.rows)} rows",
            advice="Add a column `file` with the name of each row's image.",
        )
    return list(catalogue.rows), []


def _only_named_in_order(images: Sequence[Found], catalogue: Catalogue) -> bool:
    """Tell whether the catalogue names images that had only numbers before.

    Ids that fit in part would shift labels by a row or two without a sign, so they are refused.
    """
    if not all(isinstance(image, RawImage) and image.numbered for image in images):
        return False
    known = {image.id for image in images}
    fitting = [row.id in known for row in catalogue.rows]
    if all(fitting):
        return False
    if any(fitting):
        odd = next(row for row, fits in zip(catalogue.rows, fitting, strict=True) if not fits)
        raise ConfigError(
            "Some ids of the catalogue are numbers of images and some are not",
            where=f"{catalogue.name}:{odd.line}",
            expected="images counted from 0, or names of your own for all of them in order",
            received=f"id {odd.id}; the images are {images[0].id} to {images[-1].id}",
            advice="Count from 0, or add a column `file` with entries such as stack.h5[17].",
        )
    return True


def _by_file(images: Sequence[Found], catalogue: Catalogue, base: Path) -> Callable[[Row], int | None]:
    """Return a search for the image a row's file names: a path, or as much of its end as is unique."""
    ends: dict[str, set[int]] = defaultdict(set)
    for number, image in enumerate(images):
        for source in image.source.split(" + "):
            for whole in {source, source.rpartition("[")[0] if source.endswith("]") else source}:
                parts = PurePosixPath(whole).parts
                for start in range(len(parts)):
                    ends["/".join(parts[start:])].add(number)
    folder = (base / place(catalogue.name)).parent

    def search(row: Row) -> int | None:
        if row.file is None:
            return None
        written = row.file.replace("\\", "/")
        candidates = (
            PurePosixPath(name_of(folder / written, base)).as_posix(),
            "/".join(p for p in PurePosixPath(written).parts if p != "."),
        )
        numbers = next((ends[name] for name in candidates if name in ends), set())
        if len(numbers) > 1:
            sources = sorted(images[number].source for number in numbers)
            raise ConfigError(
                f"{row.file} names {len(numbers)} images",
                where=f"{catalogue.name}:{row.line}",
                expected="a file of one image, or image and number",
                received=row.file,
                advice=f"Write {sources[0]}, {sources[1]}, …, or leave the column out.",
            )
        return next(iter(numbers), None)

    return search


def _pair(
    images: Sequence[Found],
    catalogue: Catalogue,
    search: Callable[[Row], int | None],
    key: Literal["file", "id"],
    select: Sequence[str],
) -> tuple[list[Row | None], list[Failure]]:
    pairs: list[Row | None] = [None] * len(images)
    lonely: list[Row] = []
    failures: list[Failure] = []
    for row in catalogue.rows:
        number = search(row)
        if number is None and row.repeats and key == "id":
            continue
        if number is None:
            lonely.append(row)
        elif (earlier := pairs[number]) is not None:
            failures.append(
                Failure(
                    "probe",
                    images[number].source,
                    f"{catalogue.name}:{row.line}: this image is already on line {earlier.line}",
                    expected="each image once",
                    received=f"{images[number].source} twice; the first row counts",
                )
            )
        else:
            pairs[number] = row
    if lonely and not any(pairs):
        raise ConfigError(
            f"No {key} in the catalogue is that of an image",
            where=catalogue.name,
            expected=f"such as {images[0].source if key == 'file' else images[0].id}",
            received=f"such as {getattr(lonely[0], key)} on line {lonely[0].line}",
            advice="" if key == "file" else "Add a column `file` with the name of each row's image.",
        )
    if select:
        lonely = []
    names = [Path(image.source).name if key == "file" else image.id for image in images]
    meant = did_you_mean(str(getattr(lonely[0], key)), names) if len(lonely) == 1 else ""
    failures += _alone(
        catalogue.name,
        "Rows without an image",
        [f"line {row.line}: {getattr(row, key) or f'no {key}'}" for row in lonely],
        meant or "Correct them, or name the probes that are wanted in probes.select.",
    )
    without = [
        image.source
        for image, row in zip(images, pairs, strict=True)
        if row is None and (not select or image.id in select)
    ]
    failures += _alone(
        catalogue.name,
        "Images without a row, which are used without label and target",
        without,
        "Give them a row, with empty fields where nothing is known.",
    )
    return pairs, failures


def _alone(name: str, problem: str, items: list[str], advice: str) -> list[Failure]:
    if not items:
        return []
    more = [f"and {len(items) - LISTED} more"] if len(items) > LISTED else []
    return [
        Failure(
            "probe",
            name,
            f"{problem}: {len(items)}",
            expected="a row for each image and an image for each row",
            received=", ".join([*items[:LISTED], *more]),
            advice=advice,
        )
    ]
