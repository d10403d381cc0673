"""A run whose every name is an attack or in no typeface: text in both skins, nothing fetched, nothing out of place."""

from __future__ import annotations

import json
import re

import pytest

from browsing import browser, opened  # noqa: F401
from extremes import write_extreme
from papers import Paper
from reportgen.errors import printable
from reportgen.extraction import open_run
from reportgen.figures.letters import drawable, legible, spelled
from reportgen.report.files import write_files
from reportgen.sections import check_options

ODD = (
    "<script>alert(1)</script><img src=http://e.example/x onerror=alert(2)>",
    '"; } body { background: url(https://e.example/y) } @import "z";',
    "https://e.example/a?b=c&d=e#f",
    "\u202egnp.exe\u2066 \u05d0\u05d1\u05d2 \u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    "n" * 5000,
    "🌌🔭👩\u200d🚀🏳\ufe0f\u200d🌈 emoji",
    "星系銀河団 은하 銀河",
    "{{ 7*7 }} {% raw %} ../../etc/passwd",
    "a & b < c > d ' \" ` e\u0301\u0302\u0303\u0304",
    "$\\frac{x}{y}$ - -- --- <!-- --> ]]> \\",
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    return write_hostile(folder)


def write_hostile(folder):
    """Write both skins of a run named so; return its folder."""
    config = {"report": {"title": ODD[0], "notes": " ".join(ODD[1:])}}
    provenance = {"command": ODD[6] + ODD[4], "versions": {"keras": ODD[0]}}
    write_extreme(
        folder / "extraction", odd=ODD, config=config, classes=3, probes=12, provenance=provenance, convolutions=1
    )
    (folder / "checkpoints").mkdir()
    run = open_run(folder / "extraction")
    report, written, _ = write_files(folder, run, check_options(run.config.sections), lambda *_: None)
    assert report.failures == () and len(written) == 3
    return folder


@pytest.fixture(scope="module")
def paper(hostile):
    return Paper(hostile / "report.pdf")


def test_paper_shows_each_name_as_text_and_spells_what_no_typeface_has(paper):
    text = re.sub(r"\s+", "", paper.tree.text)
    for name in ODD:
        if "\u05d0" not in name:  # the order of letters from right to left is the viewer's affair
            assert re.sub(r"\s+", "", spelled(printable(name)))[:20] in text, name
    assert "⟨U+661FU+7CFB" in text and "gnp.exe" in text and "\u202e" not in text
    assert set(text) <= drawable() | {"\u0301", "\u0302", "\u0303", "\u0304"}


def test_nothing_on_paper_leads_anywhere_or_leaves_its_page(paper):
    for page in paper.reader.pages:
        for note in page.get("/Annots", []):
            assert "/URI" not in note.get_object().get("/A", {})
    assert [p.outside for p in paper.pages if p.outside] == []
    assert len(paper.pages) < 40 and [p.filled for p in paper.pages[:-1] if p.filled < 0.2] == []
    assert all(f"page {i + 1} of {len(paper.pages)}" in paper.text(i) for i in range(len(paper.pages)))


def test_the_browser_shows_each_name_as_text_and_asks_for_nothing(browser, hostile):
    for name in ("report.html", "checkpoints/epoch-001.html"):
        with opened(browser, hostile / name) as page:  # it fails on a request, a message or an error
            text = re.sub(r"\s+", "", page.locator("body").text_content())
            assert "<script>alert(1)</script>" in text and "星系銀河団" in text
            wide = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
            assert wide[0] <= wide[1] + 1
            assert page.locator("a[href^='http'], a[href^='javascript'], img[src^='http']").count() == 0


def test_report_json_keeps_the_names_as_they_are(hostile):
    data = json.loads((hostile / "report.json").read_text())
    ids = [row["id"] for s in data["sections"] if s["id"] == "probes" for row in s["content"]["rows"]]
    assert len(ids) == 12 and all(id.rsplit(" ", 1)[0] in ODD for id in ids)
    assert max(map(len, ids)) > 5000 and any(id.startswith(ODD[6]) for id in ids)


def test_what_cannot_be_drawn_is_spelled_and_long_names_keep_both_ends():
    assert spelled("a星b") == "a⟨U+661F⟩b" and spelled("α → ‖W‖") == "α → ‖W‖"
    assert spelled("星" * 20).endswith("and 12 more⟩")
    assert legible("n" * 50 + "end", 36).endswith("nnnend") and len(legible("x" * 99, 36)) == 36
    assert legible("\u202ea\u2066b", 9) == "ab"
