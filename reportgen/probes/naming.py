"""Every image takes what its row says, gets an id of its own, and the chosen ones are picked by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from reportgen.config.suggest import did_you_mean
from reportgen.errors import ConfigError, Failure, printable
from reportgen.probes.catalogue import Row
from reportgen.probes.raw import Found, RawImage


def name_images(found: Sequence[Found], rows: Sequence[Row | None]) -> list[Found]:
    """Return the images with the values of their rows, under unique ids.

    An id is that of the row, else the image's own, else, where two would be the same, its source.
    """
    named = [row is not None and row.id is not None for row in rows]
    ids = [row.id if row and row.id else printable(image.id) for image, row in zip(found, rows, strict=True)]
    often = Counter(ids)
    for number, image in enumerate(found):
        if often[ids[number]] > 1 and not named[number]:
            ids[number] = printable(image.source)
    twice = [name for name, count in Counter(ids).items() if count > 1]
    if twice:
        raise ConfigError(
            f"Two probes are called {twice[0]!r}",
            where="probes",
            expected="each id once",
            advice="Name them in a catalogue with the columns file and id.",
        )
    return [_described(image, name, row) for image, name, row in zip(found, ids, rows, strict=True)]


def _described(image: Found, name: str, row: Row | None) -> Found:
    if row is None or not isinstance(image, RawImage):
        return replace(image, id=name)
    return replace(
        image,
        id=name,
        label=image.label if row.label is None else row.label,
        target=image.target if row.target is None else row.target,
        group=row.group,
        metadata=image.metadata | row.metadata,
    )


def select_images(images: list[Found], ids: Sequence[str]) -> tuple[list[Found], list[Failure]]:
    """Return the images of these ids in this order, all without ids, and a failure for each unknown id."""
    if not ids:
        return images, []
    by_id = {image.id: image for image in images}
    unknown = [name for name in dict.fromkeys(ids) if name not in by_id]
    failures = [
        Failure(
            "probe",
            printable(name),
            "No probe has this id",
            expected="an id of the catalogue, or the name of a file without its ending",
            received=f"{printable(name)} in probes.select",
            advice=did_you_mean(name, by_id),
        )
        for name in unknown
    ]
    return [by_id[name] for name in dict.fromkeys(ids) if name in by_id], failures
