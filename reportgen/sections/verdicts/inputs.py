"""What the numbers that went in say against the preparation."""

from __future__ import annotations

from collections.abc import Sequence

from reportgen.config.verdicts import InputRange
from reportgen.sections.section import Check, Judged, Status, Unjudged


def inputs_not_finite(bad: Sequence[tuple[str, int]]) -> Judged:
    """Judge `(input, numbers that are not finite)` of the prepared probes: any is one too many."""
    total = sum(count for _, count in bad)
    facts = {"where": [name for name, count in bad if count and name], "inputs": len(bad)}
    return Check("inputs_not_finite", "fail" if total else "pass", float(total), 0.0, facts)


def input_range(
    name: str, low: float, high: float, image: bool, normalised_by: str, limits: InputRange
) -> Judged:  # fmt: skip
    """Judge the largest magnitude of an input: far from a normalised one is the commonest silent mistake.

    `normalised_by` is the layer of the network that rescales this input itself, if there is one: then its size is that
    layer's affair. Numbers of a catalogue may well all be small; images may not.
    """
    largest = max(abs(low), abs(high))
    if largest != largest:
        return Unjudged("input_range", "no input is a finite number")
    facts = {
        "low": low, "high": high, "faint": limits.faint if image else None, "loud": limits.loud, "input": name,
        "normalised_by": normalised_by,
    }  # fmt: skip
    status: Status = "pass"
    threshold = limits.loud
    if normalised_by:
        threshold = None
    elif limits.loud is not None and largest > limits.loud:
        status = "warn"
    elif image and limits.faint is not None and largest < limits.faint:
        status, threshold = "warn", limits.faint
    return Check("input_range", status, largest, threshold, facts)
