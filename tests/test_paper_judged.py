"""veraPDF's verdict on three PDF files, and what a page may cost."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from extremes import write_extreme
from papers import Paper
from reportgen.extraction import open_run
from reportgen.report.json import as_json
from reportgen.report.pdf import write_pdf
from reportgen.report.report import build_report
from reportgen.sections import check_options
from test_paper_hostile import write_hostile
from test_team import made  # noqa: F401

ROOT = Path(__file__).resolve().parents[1]
DEMO = {"convolutions": 10, "side": 24, "channels": 16, "probes": 16, "epochs": 8}
"""A ten-layer network with 16 probes."""


@pytest.fixture(scope="module")
def verapdf():
    """Python with veraPDF's engine; skipped where there is none."""
    python = Path(os.environ.get("VERAPDF_PYTHON", ROOT / ".verapdf" / "bin" / "python"))
    if not python.is_file() or not (python.parents[1] / "ready").exists():
        pytest.skip(f"no veraPDF at {python}: make verapdf, or set VERAPDF_PYTHON")
    return python


def report_of(folder: Path):
    run = open_run(folder / "extraction")
    return build_report(run, check_options(run.config.sections), lambda *_: None)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Folder and report of a run like the demo's."""
    folder = tmp_path_factory.mktemp("demo")
    write_extreme(folder / "extraction", **DEMO)
    report = report_of(folder)
    write_pdf(report, folder / "report.pdf", {"report.json": (as_json(report), "All numbers")}, None)
    return folder, report


@pytest.mark.slow
def test_verapdf_finds_nothing_in_the_demos_the_teams_and_the_hostile_pdf(verapdf, demo, tmp_path, request):
    files = [demo[0] / "report.pdf", write_hostile(tmp_path) / "report.pdf"]
    told = ""
    try:
        files.append(request.getfixturevalue("made")[1].folder / "report.pdf")
    except pytest.skip.Exception as skipped:
        told = str(skipped)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [verapdf, ROOT / "tests" / "verapdf.py", *files], capture_output=True, text=True, check=False, env=environment
    )
    verdicts = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(verdicts) == 2 * len(files), done.stderr[-2000:]
    assert [(v["file"], v["flavour"], v["told"]) for v in verdicts if not v["compliant"]] == []
    assert {v["flavour"] for v in verdicts} == {"3a", "ua1"} and all(v["checks"] > 10_000 for v in verdicts)
    if told:
        pytest.skip(f"the demo's and the hostile PDF comply; {told}")


@pytest.mark.slow
def test_a_ten_layer_network_stays_below_40_pages_and_10_megabytes(demo):
    paper = Paper(demo[0] / "report.pdf")
    assert 20 < len(paper.pages) < 40 and (demo[0] / "report.pdf").stat().st_size < 10e6
    assert [p.outside for p in paper.pages if p.outside] == []
    assert [(i + 1, round(p.filled, 2)) for i, p in enumerate(paper.pages) if p.filled < 0.2] == []


def cost(work) -> float:
    """Return the least CPU time of two runs [s]."""
    taken = []
    for _ in range(2):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


@pytest.mark.slow
def test_a_page_costs_less_than_a_seventh_of_a_second(demo, tmp_path):
    """On a slow or busy machine: as many plain pages of text as would fit into that on a quiet one."""
    import weasyprint

    pages = len(Paper(demo[0] / "report.pdf").pages)
    spent = cost(lambda: write_pdf(demo[1], tmp_path / "report.pdf", {}, None)) / pages
    text = (
        "<body style='font: 10pt DejaVu Sans'>" + f"<p>{'The quick brown fox jumps over the lazy dog. ' * 12}</p>" * 200
    )
    plain = []
    seen = cost(lambda: plain.append(weasyprint.HTML(string=text).render())) / len(plain[0].pages)
    assert spent <= max(0.15, 10 * seen), (spent, seen)


def test_four_times_the_mosaics_cost_about_four_times_as_much(tmp_path):
    """Layout that grows with the square of what is on a page would cost sixteen times as much."""
    sections = ["activations"]
    spent, drawn = {}, {}
    for probes in (2, 8):
        folder = tmp_path / str(probes)
        shown = {"id": "activations", "options": {"probes": [f"galaxy-{i}" for i in range(probes)]}}
        write_extreme(
            folder / "extraction", convolutions=13, side=6, channels=16, probes=8, epochs=1,
            config={"sections": [shown] if sections else []},
        )  # fmt: skip
        report = report_of(folder)
        drawn[probes] = len(report.section("activations").figures)
        spent[probes] = cost(lambda r=report, f=folder: write_pdf(r, f / "report.pdf", {}, None))
    assert drawn[2] == 28 and drawn[8] == 112
    assert spent[8] < 7 * spent[2], spent
