"""report.pdf read back: structure, order, numbers, pages; what HTML and report.json hold, it holds."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest
import yaml

from extractions import write_folder
from papers import Element, Paper
from reportgen.extraction import open_run
from reportgen.report.files import write_files
from reportgen.sections import check_options
from reportgen.templating import fixed, number

HEADINGS, CELLS = {"h1", "h2", "h3"}, {"th", "td"}


class Page(HTMLParser):
    """Headings and table cells of report.html, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.tables: list[list[list[str]]] = []
        self._into: list[str] | None = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag in HEADINGS | CELLS:
            self._into = []
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])

    def handle_endtag(self, tag):
        if tag in HEADINGS:
            self.headings.append(bare("".join(self._into)))
        if tag in CELLS:
            self.tables[-1][-1].append(bare("".join(self._into)))
        if tag in HEADINGS | CELLS:
            self._into = None

    def handle_data(self, data):
        if self._into is not None:
            self._into.append(data)


def bare(text: str) -> str:
    """Return text without spaces: where a line ends is the skin's own affair."""
    return re.sub(r"\s+", "", text)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Folder and report of a small run with every section, both skins, on Letter."""
    folder = tmp_path_factory.mktemp("paper")
    write_folder(folder / "extraction", config={"report": {"paper": "Letter"}}, provenance={"dirty": True})
    (folder / "checkpoints").mkdir()
    run = open_run(folder / "extraction")
    report, written, _ = write_files(folder, run, check_options(run.config.sections), lambda *_: None)
    assert len(written) == 3 and report.failures == ()
    return folder, report


@pytest.fixture(scope="module")
def paper(made):
    return Paper(made[0] / "report.pdf")


@pytest.fixture(scope="module")
def page(made):
    return Page((made[0] / "report.html").read_text())


def test_every_figure_has_words_and_every_table_headers(made, paper):
    report = made[1]
    figures = paper.tree.all("Figure")
    drawn = sum(len(f.on_paper) for section in report.sections for f in section.figures)
    assert len(figures) >= drawn > 20 and all(len(f.alt) > 8 for f in figures)
    tables = paper.tree.all("Table")
    assert len(tables) > 10
    for table in tables:
        head, *rows = table.all("TR")
        assert all(cell.kind == "TH" for cell in head.kids if isinstance(cell, Element)) and rows
        assert all(row.all("TH") for row in rows), table.text[:80]
        known = {cell.id for cell in table.all("TH")}
        assert all(cell.headers and set(cell.headers) <= known for cell in table.all("TD")), table.text[:80]


def test_html_and_pdf_hold_the_same_headings_in_the_same_order(paper, page):
    headings = [bare(h.text) for h in paper.tree.all("H1", "H2", "H3") if h.text != "Contents"]
    assert headings == [h for h in page.headings if h and h != "Contents"]
    levels = [int(h.kind[1]) for h in paper.tree.all("H1", "H2", "H3")]
    assert levels[0] == 1 and all(b - a <= 1 for a, b in pairwise(levels))


def test_html_and_pdf_hold_the_same_tables(paper, page):
    printed = [[[bare(c.text) for c in row.all("TH", "TD")] for row in t.all("TR")] for t in paper.tree.all("Table")]
    only_html = [table for table in page.tables if table not in printed]
    assert printed == [table for table in page.tables if table in printed] and len(printed) > 15
    assert [table[0][:3] for table in only_html] == [["Probe", "Drawnas", "Answer"]]  # the attributions one by one


def cells(paper: Paper, first: str) -> dict[str, list[str]]:
    """Return the rows of the one table whose head starts so, by the words of their header."""
    tables = [t for t in paper.tree.all("Table") if bare(t.all("TR")[0].text).startswith(bare(first))]
    assert len(tables) == 1, first
    rows = [[bare(c.text) for c in row.all("TH", "TD")] for row in tables[0].all("TR")[1:]]
    return {row[1 if first.startswith("No.") else 0]: row for row in rows}


def test_the_numbers_are_those_of_report_json(made, paper):
    data = json.loads((made[0] / "report.json").read_text())
    content = {s["id"]: s["content"] for s in data["sections"]}
    layers = cells(paper, "Layer Class Kernel or pool")
    for row in content["architecture"]["groups"][0]["rows"]:
        assert bare(number(row["parameters"])) in layers[row["name"]] or not row["parameters"]
    kernels = cells(paper, "Kernel Matrix Norm")
    rows = content["weight_health"]["networks"][0]["rows"]
    assert len(rows) == len(kernels) == 2
    for row in rows:
        health, spectrum = row["weighed"]["health"], row["weighed"]["spectrum"]
        said = kernels[bare(row["weighed"]["layer"])]
        assert said[2].startswith(bare(number(health["norm"]))) and said[3] == bare(number(health["spread"]))
        assert spectrum["problem"] or said[7] == bare(number(spectrum["effective_rank"]))
    predictions = cells(paper, "No. Probe Label epoch")
    for row in content["predictions"]["networks"][0]["rows"]:
        said = predictions[bare(row["probe"])]
        assert [cell.rstrip("✓×") for cell in said[3:]] == [fixed(value, 3) for value in row["values"]]
    probes = cells(paper, "No. Id Label")
    for row in content["probes"]["rows"]:
        assert {bare(number(row[key])) for key in ("minimum", "mean", "maximum")} <= set(probes[bare(row["id"])])


def test_every_tile_is_drawn_and_named_in_order(made, paper):
    figures = iter(paper.tree.all("Figure"))
    tiles = 0
    for section in made[1].sections:
        for figure in (part for f in section.figures for part in f.on_paper):
            if figure.plain:
                continue
            words = [label.text for label in figure.labels]
            wanted = bare("".join(f"{w}{label.sign}" for w, label in zip(words, figure.labels, strict=True)))
            assert any(bare(found.text) == wanted for found in figures), (figure.id, wanted)
            tiles += len(words)
    assert tiles > 150
    text = [paper.text(i) for i in range(len(paper.pages))]
    places = [next(i for i, t in enumerate(text) if i and section.title in t) for section in made[1].sections[1:]]
    assert places == sorted(places)
    drawn = sum(len(p.images) for p in paper.pages)
    placed = sum(len(f.placed) for s in made[1].sections for m in s.figures for f in m.on_paper if not f.plain)
    assert drawn >= placed > 40


def test_attachments_open_and_are_the_files_beside_it(made, paper):
    attached = paper.reader.attachments
    assert attached["report.json"][0] == (made[0] / "report.json").read_bytes()
    assert yaml.safe_load(attached["config.yaml"][0])["report"]["paper"] == "Letter"


def test_each_page_says_where_it_is(made, paper):
    count = len(paper.pages)
    banners = " · ".join(made[1].banners)
    sections = [section.title for section in made[1].sections]
    moments = 0
    for i in range(count):
        text = paper.text(i)
        assert f"page {i + 1} of {count}" in text and banners in text
        assert i == 0 or ("small" in text and any(title in text for title in sections))
        moments += bool(re.search(r" · epoch-00\d\.keras, epoch \d", text))
    assert moments >= 5 and "DIRTY TREE" in banners
    assert {tuple(sorted((p.width, p.height))) for p in paper.pages} == {(612.0, 792.0)}
    assert {p.width > p.height for p in paper.pages} == {True, False}


def test_the_contents_name_the_pages_where_the_sections_start(made, paper):
    said = [bare(link.text) for link in paper.tree.all("Link")]
    outline = {o["/Title"]: paper.reader.get_destination_page_number(o) + 1 for o in flat(paper.reader.outline)}
    for section in made[1].sections:
        assert bare(f"{section.title}{outline[section.title]}") in said


def flat(outline):
    for item in outline:
        yield from flat(item) if isinstance(item, list) else [item]


def test_nothing_leaves_its_page_and_no_page_is_nearly_empty(paper):
    assert [p.outside for p in paper.pages if p.outside] == []
    assert [round(p.filled, 2) for p in paper.pages[:-1] if p.filled < 0.25] == []
