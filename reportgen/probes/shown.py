"""Which probes are shown large: only theirs are the feature maps that are kept in full."""

from __future__ import annotations

from collections.abc import Sequence

from reportgen.config.suggest import did_you_mean
from reportgen.errors import ConfigError
from reportgen.probes.probeset import ProbeSet


def shown_probes(probes: ProbeSet, wanted: int | Sequence[str], named: Sequence[str] = ()) -> tuple[int, ...]:
    """Return the places of the probes that are shown, the most wanted first: those named, then as many as wanted.

    Of a number, so many in all: from each label in turn (without labels from each group), in each evenly over its
    targets, groups and order. Raises ConfigError where an id of `wanted` is that of no probe.
    """
    place = {probe.id: i for i, probe in enumerate(probes.probes)}
    first = [place[id] for id in dict.fromkeys(named) if id in place]
    if not isinstance(wanted, int):
        lost = {failure.name for failure in probes.failures}
        if unknown := [id for id in wanted if id not in place and id not in lost]:
            raise ConfigError(
                f"There is no probe {', '.join(unknown[:5])}", where="probes.shown",
                expected=f"some of {', '.join(list(place)[:12])}", advice=did_you_mean(unknown[0], place),
            )  # fmt: skip
        chosen = [*first, *(place[id] for id in wanted if id in place)]
        return tuple(dict.fromkeys(chosen)) or (0,)
    rest = _in_turn(probes, set(first), min(wanted, len(probes)) - len(first))
    return tuple(first + rest)


def _in_turn(probes: ProbeSet, taken: set[int], count: int) -> list[int]:
    """Return places of so many probes that are not taken yet, from each kind in turn."""
    kinds: dict[str, list[int]] = {}
    for i, probe in enumerate(probes.probes):
        if i not in taken:
            kinds.setdefault((probe.label if probes.has_labels else probe.group) or "", []).append(i)
    if count <= 0 or not kinds:
        return []
    shares = dict.fromkeys(sorted(kinds), 0)
    left = count
    while left and any(shares[k] < len(kinds[k]) for k in shares):
        for k in shares:
            if left and shares[k] < len(kinds[k]):
                shares[k], left = shares[k] + 1, left - 1

    def order(i: int) -> tuple[float, str, int]:
        probe = probes.probes[i]
        return (float("inf") if probe.target is None else probe.target, probe.group or "", i)

    spread = [_evenly(sorted(kinds[k], key=order), n) for k, n in shares.items() if n]
    return [places[k] for k in range(max(map(len, spread))) for places in spread if k < len(places)]


def _evenly(places: list[int], count: int) -> list[int]:
    """Return so many of the places, evenly, with both ends."""
    if count == 1:
        return places[:1]
    return [places[round(i * (len(places) - 1) / (count - 1))] for i in range(count)]
