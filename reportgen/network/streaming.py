"""Probes through a network batch by batch: statistics of all of them, feature maps in full of those shown."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.similarity import LEAST, gram
from reportgen.errors import NetworkError
from reportgen.extraction.measurement import Layer
from reportgen.extraction.statistics import channel_statistics, places_of_maxima

Floats = NDArray[np.float32]
Places = NDArray[np.int64]

BATCH_BYTES = 128 * 2**20
"""Results of one batch may take this much memory [byte]."""
WHOLE_BYTES = 512 * 2**20
"""The same where all results are kept as they come [byte]: what fits into one batch is not copied."""
SHOWN_BYTES = 256 * 2**20
"""Feature maps in full of all probes that are shown may [byte]."""
COMPARED_BYTES = 256 * 2**20
"""Results of the probes by which layers are compared may at one time [byte]."""
COMPARED = 256
"""Probes by which layers are compared, at most."""
PASSES = 8
"""Times these probes go through the network, at most, each for the layers whose results find room together."""


@dataclass(frozen=True)
class Keep:
    """What is kept of the results of a network, where not all is."""

    shown: tuple[int, ...]
    """Places of the probes whose feature maps are kept in full, the most wanted first: as many as find room."""
    room: int
    """Memory of the task [byte]; a quarter of it may go into each of the above, where that is less."""


@dataclass(frozen=True)
class Stream:
    """A network as what it gives for some probes."""

    count: int
    """Probes there are."""
    run: Callable[[Places], list[Floats]]
    """From places in the probe set to results of them, `(probe, …)` each: the kept layers', then the ends'."""
    kept: tuple[tuple[str, bool], ...]
    """(name, channels first) of the kept layers."""
    layers: Mapping[str, Layer]
    """The layer table by name."""
    bytes_per_probe: int
    batch: int | None = None
    """Probes that must go in at once; None for any number."""


@dataclass(frozen=True)
class Streamed:
    """What came of it, as `Measurement` has it."""

    activations: dict[str, Floats]
    ends: list[Floats]
    """Of all probes, `(probe, unit)`: the prediction, and the scores where there are any."""
    statistics: dict[str, dict[str, NDArray[np.generic]]] = field(default_factory=dict)
    shown: Places | None = None
    compared: Places = field(default_factory=lambda: np.zeros(0, np.int64))
    grams: dict[str, Floats] = field(default_factory=dict)


def streamed(stream: Stream, keep: Keep | None) -> Streamed:
    """Return the results of all probes, channels last; without `keep` all feature maps and no statistics."""
    every = np.arange(stream.count)
    shown = every if keep is None else shown_of(stream, keep)
    whole = len(shown) == stream.count
    compared, grams = (every[:0], {}) if whole or keep is None else _compared(stream, keep)
    sink = _Sink(shown, stream, keep is not None, whole)
    for places in _batches(stream, every, WHOLE_BYTES if keep is None else min(BATCH_BYTES, keep.room // 4)):
        sink.take(places, stream.run(places))
    return Streamed(sink.maps, sink.ends, sink.statistics(), None if whole else shown, compared, grams)


def shown_of(stream: Stream, keep: Keep) -> Places:
    """Return the places whose feature maps are kept, rising: one at least."""
    room = min(SHOWN_BYTES, keep.room // 4)
    return np.sort(np.array(keep.shown[: max(1, room // max(1, stream.bytes_per_probe))], np.int64))


class _Sink:
    """Where the batches end up."""

    def __init__(self, shown: Places, stream: Stream, counted: bool, whole: bool) -> None:
        self.shown, self.stream, self.counted, self.whole = shown, stream, counted, whole
        self.maps: dict[str, Floats] = {}
        self.ends: list[Floats] = []
        self._parts: dict[str, list[dict[str, NDArray[np.generic]]]] = {name: [] for name, _ in stream.kept}

    def take(self, places: Places, results: list[Floats]) -> None:
        """Keep what is to be kept of the results of a batch."""
        among = np.isin(places, self.shown)
        alone = among.all() and len(places) == len(self.shown)
        at = np.searchsorted(self.shown, places[among])
        for (name, turned), result in zip(self.stream.kept, results, strict=False):
            maps = np.ascontiguousarray(np.moveaxis(result, 1, -1)) if turned and result.ndim > 2 else result
            if alone:  # one batch, the usual case: handed on without a copy, which costs more than the network itself
                self.maps[name] = maps
            elif among.any():
                if name not in self.maps:
                    self.maps[name] = np.empty((len(self.shown), *maps.shape[1:]), maps.dtype)
                self._fits(name, maps)
                self.maps[name][at] = maps[among]
            if self.counted:
                counted: dict[str, NDArray[np.generic]] = dict(channel_statistics(maps, self._function(name)))
                if not self.whole and maps.ndim == 4:
                    counted["place"] = places_of_maxima(maps)
                self._parts[name].append(counted)
        for i, result in enumerate(results[len(self.stream.kept) :]):
            flat = result.reshape(len(places), -1)
            if i == len(self.ends):
                self.ends.append(np.empty((self.stream.count, flat.shape[1]), flat.dtype))
            self.ends[i][places] = flat

    def _fits(self, name: str, maps: Floats) -> None:
        if maps.shape[1:] != self.maps[name].shape[1:]:
            raise NetworkError(
                f"{name} gives results of another shape for other probes", where=name,
                expected=str(self.maps[name].shape[1:]), received=str(maps.shape[1:]),
            )  # fmt: skip

    def _function(self, name: str) -> str:
        return self.stream.layers[name].activation if name in self.stream.layers else ""

    def statistics(self) -> dict[str, dict[str, NDArray[np.generic]]]:
        """Return the statistics of all probes, by layer."""
        return {
            name: {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
            for name, parts in self._parts.items()
            if parts
        }


def _compared(stream: Stream, keep: Keep) -> tuple[Places, dict[str, Floats]]:
    """Return some probes, evenly, and how each layer with maps arranges them: its Gram matrix `(probe, probe)`.

    Vectors are small enough to be kept of all probes: their statistics are their values. Normalisations arrange them
    nearly as what they normalise does, and are left out.
    """
    room = min(COMPARED_BYTES, keep.room // 4)
    first = zip((name for name, _ in stream.kept), stream.run(np.zeros(1, np.int64)), strict=False)
    maps = {name: result.nbytes for name, result in first if result.ndim > 2}
    sizes = [0 if _repeated(stream, name, maps) else maps.get(name, 0) for name, _ in stream.kept]
    largest, together = max(sizes, default=0), sum(sizes)
    count = min(COMPARED, stream.count, room // max(1, largest), PASSES * room // max(1, together))
    if count < LEAST or not together:
        return np.zeros(0, np.int64), {}
    places = np.unique(np.linspace(0, stream.count - 1, count).round().astype(np.int64))
    grams: dict[str, Floats] = {}
    for group in _groups(sizes, room // len(places)):
        held = {i: np.empty((len(places), sizes[i] // 4), np.float32) for i in group}
        done = 0
        for some in _batches(stream, places, min(BATCH_BYTES, keep.room // 4)):
            results = stream.run(some)
            for i in group:
                held[i][done : done + len(some)] = results[i].reshape(len(some), -1)
            done += len(some)
        for i in group:
            # What is not finite is left out by those who compare; a row of zeros disturbs none of the others.
            features = held.pop(i)
            features[~np.isfinite(features).all(axis=1)] = 0
            grams[stream.kept[i][0]] = gram(features).astype(np.float32)
    return places, grams


def _repeated(stream: Stream, name: str, maps: Collection[str]) -> bool:
    """Whether a layer is a normalisation and all that is computed from it gives maps too."""
    if name not in stream.layers or "Normalization" not in stream.layers[name].class_name:
        return False
    readers = [layer.name for layer in stream.layers.values() if name in layer.inputs]
    return bool(readers) and all(reader in maps for reader in readers)


def _groups(sizes: Sequence[int], room: int) -> list[list[int]]:
    """Return the places of what has a size in groups, in order, that need no more than `room` each."""
    groups: list[list[int]] = []
    left = 0
    for i, size in enumerate(sizes):
        if not size:
            continue
        if not groups or size > left:
            groups.append([])
            left = room
        groups[-1].append(i)
        left -= size
    return groups


def _batches(stream: Stream, places: Places, room: int) -> Iterator[Places]:
    step = stream.batch or max(1, room // max(1, stream.bytes_per_probe))
    for start in range(0, len(places), step):
        yield places[start : start + step]
