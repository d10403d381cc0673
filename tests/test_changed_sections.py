"""The sections on attribution and symmetry say what was found, and what failed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from extractions import write_folder
from reportgen.extraction import open_run
from reportgen.report.html import as_html
from test_sections import report_of


def test_the_attribution_section_says_what_failed_and_what_has_no_evidence(tmp_path: Path) -> None:
    report = report_of(write_folder(tmp_path / "e"))
    section = next(s for s in report.sections if s.id == "attribution")
    network = section.content.networks[0]
    verdicts = {m.id: m.sanity.verdict for m in network.numbers.methods}
    assert verdicts["gradient"] == "fails" and verdicts["grad_cam"] == "passes"
    cam = next(m for m in network.numbers.methods if m.id == "grad_cam")
    assert (cam.empty, cam.n) == (1, 3)
    inside = next(m for m in network.numbers.methods if m.id == "gradient")
    assert inside.shares.galaxy == pytest.approx(1) and network.numbers.area.galaxy == pytest.approx(64 / 400)
    assert network.numbers.bands == pytest.approx((1 / 3,) * 3)
    assert network.numbers.completeness == pytest.approx(0.01, rel=0.1)
    words = [label.text for f in section.figures for label in f.labels]
    assert "no positive evidence" in words and any("in 16 % of area" in w for w in words)
    kinds = [f.facts["kind"] for f in section.figures]
    assert kinds == ["gallery", "strip", "course"]
    html = as_html(report, {})
    assert "does not depend on the weights: do not interpret" in html and "−z where the answer is isolated" in html


def test_the_symmetry_section_counts_what_flips(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "e")
    report = report_of(folder)
    network = next(s for s in report.sections if s.id == "symmetry").content.networks[0]
    stress = open_run(folder).extractions[1].stress()
    answers = stress.predictions[..., 0].astype(float)
    best = next(a for a in network.over if a.checkpoint == network.checkpoint)
    assert best.orientations == 4 and best.largest == pytest.approx(np.ptp(answers[:4], axis=0).max())
    assert best.flips == ((answers[:4] >= 0.5) != (answers[0] >= 0.5)).any(axis=0).sum()
    spreads = [p.spread for p in network.probes]
    assert spreads == sorted(spreads, reverse=True) and len(network.over) == 3
    assert "The probes are not square" in as_html(report, {})
