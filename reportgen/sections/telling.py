"""Which of the explained probes are worth a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reportgen.extraction import Attribution, ExtractedRun
from reportgen.sections.scoring import Scored


def telling_probes(run: ExtractedRun, scored: Scored, found: Attribution) -> dict[int, str]:
    """Return places among the chosen probes worth a picture, and why: right, wrong, most and least certain.

    Of right and wrong ones the surest; of a regression the best, the worst, the highest and the lowest.
    """
    task, probes = scored.task, found.probes.tolist()
    own = [k for k, p in enumerate(probes) if p in set(scored.known)]
    answers = scored.answers[probes]
    telling: dict[int, str] = {}

    def add(places: Sequence[int], key: np.ndarray, word: str) -> None:
        free = [k for k in places if k not in telling and np.isfinite(key[k])]
        if free:
            telling[max(free, key=lambda k: key[k])] = word

    everyone = range(len(probes))
    if task.kind == "regression":
        actual = run.probes.probes
        off = np.array([abs(answers[k] - (actual[p].target or 0.0)) for k, p in enumerate(probes)])
        add(own, -off, "best")
        add(own, off, "worst")
        add(everyone, answers, "highest")
        add(everyone, -answers, "lowest")
        return telling
    sure = np.abs(found.score)
    right = [k for k in own if scored.labels[probes[k]] == task.classes[scored.chosen[probes[k]] or 0]]
    add(right, sure, "right")
    add([k for k in own if k not in right], sure, "wrong")
    add(everyone, sure, "most certain")
    add(everyone, -sure, "least certain")
    return telling
