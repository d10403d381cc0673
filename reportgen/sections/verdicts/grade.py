"""A number against the two thresholds of a rule."""

from __future__ import annotations

from reportgen.sections.section import Status

ORDER: dict[Status, int] = {"fail": 0, "warn": 1, "pass": 2}
"""The worst first."""


def above(value: float, warn: float | None, fail: float | None = None) -> tuple[Status, float | None]:
    """Return the status of a number that should be small, and the threshold it was held against."""
    if fail is not None and value > fail:
        return "fail", fail
    if warn is not None and value > warn:
        return "warn", warn
    return "pass", warn if warn is not None else fail


def below(value: float, warn: float | None, fail: float | None = None) -> tuple[Status, float | None]:
    """Return the status of a number that should be large, and the threshold it was held against."""
    if fail is not None and value < fail:
        return "fail", fail
    if warn is not None and value < warn:
        return "warn", warn
    return "pass", warn if warn is not None else fail
