"""Reports of runs at the edges, on paper: whole, on their pages, none of them nearly empty."""

from __future__ import annotations

import warnings

import pytest

from extremes import write_extreme
from papers import Paper
from reportgen.extraction import open_run
from reportgen.report.files import write_files
from reportgen.sections import check_options

LEAST = {"convolutions": 0, "probes": 1, "epochs": 1, "bands": 1, "labels": False, "history": False}
QUICK = {
    "one layer, probe, checkpoint and band, no labels, no history": LEAST,
    "1 × 1 maps, all of them zero, two bands": {"side": 1, "zero": True, "bands": 2, "epochs": 1},
    "five bands, many classes, one convolution": {"bands": 5, "classes": 12, "probes": 12, "convolutions": 1},
}
HEAVY = {
    "200 layers": {"convolutions": 200, "side": 8, "channels": 4, "probes": 4},
    "1,024 channels": {"channels": 1024, "side": 4, "probes": 4},
    "256 probes": {"probes": 256, "convolutions": 1},
    "200 checkpoints": {"epochs": 200, "convolutions": 1},
    "40 classes": {"classes": 40, "probes": 80},
    "four bands": {"bands": 4},
}
EVERY = {**QUICK, **HEAVY}


def draw(folder, **options):
    """Write the PDF of an extreme run; return its report and itself."""
    write_extreme(folder / "extraction", **options)
    (folder / "checkpoints").mkdir()
    run = open_run(folder / "extraction")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # matplotlib's, when names leave a chart no room
        report, written, _ = write_files(folder, run, check_options(run.config.sections), lambda *_: None, ("pdf",))
    assert report.failures == () and len(written) == 2
    return report, Paper(folder / "report.pdf")


@pytest.mark.parametrize("case", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in HEAVY)])
def test_an_extreme_run_is_whole_on_paper(case, tmp_path):
    report, paper = draw(tmp_path, **EVERY[case])
    assert [p.outside for p in paper.pages if p.outside] == []
    assert [(i + 1, round(p.filled, 2)) for i, p in enumerate(paper.pages[:-1]) if p.filled < 0.2] == []
    assert len(paper.pages) <= 45 and (tmp_path / "report.pdf").stat().st_size < 10e6
    titles = {h.text for h in paper.tree.all("H2")}
    assert {section.title for section in report.sections} <= titles
    figures = {caption.text.split(".")[0] for caption in paper.tree.all("Caption")}
    numbers = {f"Figure {f.number}{part.part}" for s in report.sections for f in s.figures for part in f.on_paper}
    if case != "200 layers":
        assert numbers <= figures
    for name in absent(case):
        assert report.section(name).absent


def absent(case: str) -> tuple[str, ...]:
    """Return the sections that have nothing to show then and say so in a line."""
    return ("activations", "activation_health") if EVERY[case] is LEAST else ()


def test_what_paper_leaves_out_it_says(tmp_path):
    sections = ["architecture", "weight_health", "activations"]
    report, paper = draw(
        tmp_path, convolutions=70, side=2, channels=2, probes=2, epochs=1, config={"sections": sections}
    )
    text = paper.tree.text
    # A line that ends leaves no space in the text.
    assert "16of70layersfromthefirsttothelast;report.htmlleadsto" in "".join(text.split())
    assert "The first 64 of 71; report.json has all." in text and "Under each its number in the table" in text
    drawn = [label.text for f in report.section("architecture").figures for label in f.labels]
    assert drawn == [str(i) for i in range(73)]
    rows = [row.all("TD")[0].text for row in paper.tree.all("TR") if len(row.all("TD")) == 8]
    assert rows == drawn  # one table over several pages
