"""The table of illness and verdict."""

from __future__ import annotations

from collections.abc import Sequence

from reportgen.config import EVIDENCE
from ward.round import Finding

SIGNS = {"pass": "·", "warn": "w", "fail": "F", None: " "}


def table(findings: Sequence[Finding]) -> str:
    """Return a row a patient and a column a verdict, numbered; an asterisk where the verdict is the illness's own."""
    ids = list(EVIDENCE)
    width = max(len(f.patient.name) for f in findings)
    lines = [f"{i:2d} {id}" for i, id in enumerate(ids, 1)]
    lines += ["", "w warns, F fails, * the illness's own verdict, · passes, blank: could not be judged", ""]
    head = " " * (width + 2) + "".join(f"{i:3d}" for i in range(1, len(ids) + 1))
    for title, some in (
        ("sick", [f for f in findings if f.patient.own]),
        ("healthy", [f for f in findings if not f.patient.own]),
    ):
        if some:
            lines += [title, head, *(_row(f, ids, width) for f in some), ""]
    wrong = [f.patient.name for f in findings if not f.right]
    lines.append(
        f"{len(findings) - len(wrong)} of {len(findings)} as it should be"
        + (f"; not: {', '.join(wrong)}" if wrong else "")
    )
    return "\n".join(lines) + "\n"


def _row(finding: Finding, ids: Sequence[str], width: int) -> str:
    cells = []
    for id in ids:
        status = finding.verdicts.get(id)
        own = id in finding.patient.own and status in ("warn", "fail")
        cells.append(f" {'*' if own else ' '}{SIGNS[status]}")
    return f"{finding.patient.name:{width}s}  {''.join(cells)}  {'' if finding.right else 'WRONG'}".rstrip()
