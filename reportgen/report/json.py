"""The report as data: every number that is shown."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from reportgen.report.report import Report
from reportgen.templating import verdict_words

SCHEMA = 1
"""Version of report.json."""


def as_json(report: Report) -> str:
    """Return report.json: keys sorted, numbers that are not finite as null, no picture."""
    words = verdict_words()
    content = {
        "schema": SCHEMA,
        "reportgen": report.version,
        "title": report.title,
        "run": report.run,
        "verdict": report.verdict,
        "banners": report.banners,
        "probes": report.probes,
        "checks": [asdict(check) | {"words": words[check.id]} for check in report.checks],
        "not_judged": [asdict(verdict) for verdict in report.not_judged],
        "gates": {"asked": report.config.gates, "not_met": [asdict(gate) for gate in report.unmet]},
        "changes": asdict(report.changes) if report.changes else None,
        "failures": [asdict(failure) for failure in report.failures],
        "sections": [
            {
                "id": section.id,
                "title": section.title,
                "question": section.question,
                "absent": section.absent,
                "content": asdict(section.content) if section.content is not None else None,
                "figures": [
                    {
                        "id": f.id,
                        "number": f.number,
                        "facts": f.facts,
                        "data": f.data,
                        "moments": [{"id": m.id, "at": m.at, "facts": m.facts} for m in f.moments],
                    }
                    for f in section.figures
                ],
            }
            for section in report.sections
        ],
    }
    return dump(content)


def dump(content: Mapping[str, Any]) -> str:
    """Return JSON text with sorted keys; numbers that are not finite are null, numpy's are plain."""
    return json.dumps(_plain(content), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
