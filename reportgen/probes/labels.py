"""Labels that lie beside the images in the same file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from reportgen.config import ProbesConfig
from reportgen.config.suggest import did_you_mean
from reportgen.errors import ProbeError

Meaning = tuple[str | None, float | None]
"""Label and target of one image."""


def read_labels(arrays: Mapping[str, Any], count: int, name: str, config: ProbesConfig) -> list[Meaning]:
    """Return label and target of each image: text and whole numbers are labels, fractions are targets.

    One-hot rows become the number of the class. Raises ProbeError where labels and images differ in number.
    """
    key = config.arrays.labels or next((key for key in ("ans", "labels") if key in arrays), None)
    if key is None or "" in arrays:
        return [(None, None)] * count
    if key.strip("/") not in arrays:
        raise ProbeError(
            f"There is no array {key!r}",
            where=name,
            expected="the name in probes.arrays.labels",
            received=", ".join(arrays),
            advice=did_you_mean(key, arrays),
        )
    values = np.asarray(arrays[key.strip("/")][...])
    if values.ndim == 2 and values.shape[1] > 1 and _is_one_hot(values):
        values = values.argmax(axis=1)
    values = values.reshape(len(values), -1) if values.ndim else values.reshape(1, 1)
    if values.shape != (count, 1):
        raise ProbeError(
            "Images and labels do not belong together",
            where=f"{name}: {key}",
            expected=f"one label for each of {count} images",
            received=str(values.shape),
        )
    column = values[:, 0]
    if column.dtype.kind == "f" and not (column == np.round(column)).all():
        return [(None, float(value) if np.isfinite(value) else None) for value in column]
    return [(_text(value), None) for value in column.tolist()]


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else str(int(cast(float, value)))


def _is_one_hot(values: NDArray[Any]) -> bool:
    return bool(values.dtype.kind in "buif" and np.isin(values, (0, 1)).all() and (values.sum(axis=1) == 1).all())
