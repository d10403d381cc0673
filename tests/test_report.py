"""The files of a report: two skins of one content, byte for byte."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pypdf import PdfReader

from extractions import probe_set, write_folder
from reportgen.config.model import SECTION_IDS
from reportgen.errors import Failure
from reportgen.extraction import open_run
from reportgen.report.files import write_files
from reportgen.sections import check_options
from reportgen.templating import environment, number, size

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> {{ 7*7 }} ../../etc \u202egnp.exe \"' end"


def make(folder: Path, **options):
    write_folder(folder / "extraction", **options)
    (folder / "checkpoints").mkdir()
    run = open_run(folder / "extraction")
    return write_files(folder, run, check_options(run.config.sections), lambda *_: None)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    return folder, *make(folder)


def test_html_and_pdf_hold_the_same_headings(made):
    folder, report, written, _ = made
    html = (folder / "report.html").read_text()
    headings = re.findall(r"<h2>(.*?)</h2>", html)
    assert headings == [s.title for s in report.sections] and len(headings) == len(SECTION_IDS)
    text = " ".join(page.extract_text() for page in PdfReader(folder / "report.pdf").pages)
    assert all(heading in " ".join(text.split()) for heading in headings)
    assert {p.name for p in written} == {"report.html", "report.pdf", "report.json"}


def without_script(html: str) -> tuple[str, str]:
    """Return a page without its script, and the script: there is one."""
    before, code, after = re.split(r"<script>(.*)</script>", html, flags=re.S)
    assert "<script" not in before + after
    return before + after, code


def test_html_asks_for_nothing(made):
    html = (made[0] / "report.html").read_text()
    html, code = without_script(html)
    allowed = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    assert "default-src 'none'" in html and f"script-src 'sha256-{allowed}'" in html
    addresses = re.findall(r'(?:src|href)="([^"]*)"', html)
    assert addresses and all(a.startswith(("data:image/", "#", "checkpoints/")) for a in addresses)
    assert not re.search(r"url\(|@import", html)


def test_every_picture_has_words_and_every_link_a_target(made):
    html, _ = without_script((made[0] / "report.html").read_text())
    assert all(alt.strip() for alt in re.findall(r'<img [^>]*alt="([^"]*)"', html))
    assert html.count("<img") == len(re.findall(r'<img [^>]*alt="', html))
    assert html.count('role="img"') == len(re.findall(r'role="img">\s*<title>[^<]+</title>', html))
    ids = set(re.findall(r'id="([^"]+)"', html))
    assert all(link in ids for link in re.findall(r'href="#([^"]+)"', html))


def test_pages_of_the_checkpoints_exist_and_hold_every_map_of_every_probe(made):
    folder = made[0]
    html = (folder / "report.html").read_text()
    pages = set(re.findall(r'href="(checkpoints/[^"]+)"', html))
    assert pages == {f"checkpoints/epoch-00{i}.html" for i in (1, 2, 3)}
    page = (folder / "checkpoints" / "epoch-001.html").read_text()
    assert page.count("<figure") == 6 * 3  # six probes: itself, conv, pool


def titles(outline) -> set[str]:
    """Return the titles of all bookmarks, nested ones too."""
    return set().union(*(titles(o) if isinstance(o, list) else {o["/Title"]} for o in outline))


def test_pdf_is_tagged_carries_its_data_and_embeds_its_fonts(made):
    folder, report, _, _ = made
    reader = PdfReader(folder / "report.pdf")
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] and str(root["/Lang"]) == "en"
    assert json.loads(reader.attachments["report.json"][0])["run"] == "small"
    assert b"version: 1" in reader.attachments["config.yaml"][0]
    xmp = root["/Metadata"].get_data().decode()
    assert re.search(r"pdfaid:part[^>]*>3|pdfaid:part=.3", xmp) and "<pdfuaid:part>1<" in xmp
    assert titles(reader.outline) >= {s.title for s in report.sections}
    fonts = set()
    for page in reader.pages:
        for font in page["/Resources"].get("/Font", {}).values():
            fonts.add(str(font.get_object()["/BaseFont"]))
    assert fonts and all("+" in name for name in fonts)  # a subset prefix: embedded


def test_pdf_has_as_many_tile_labels_as_were_drawn(made):
    folder = made[0]
    text = " ".join(page.extract_text() for page in PdfReader(folder / "report.pdf").pages)
    assert text.count("2 dead") >= 4  # two maps with a dead channel for each of two probes


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_report import make
make(Path(sys.argv[1]))
"""


def test_same_input_same_bytes_in_two_folders_and_two_processes(tmp_path):
    digests = []
    for name, seed in (("a", "0"), ("some/where else", "1")):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(folder), str(Path(__file__).parent)],
            check=True, env={"PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        )  # fmt: skip
        names = ["report.html", "report.pdf", "report.json", "config.yaml", "checkpoints/epoch-002.html"]
        digests.append([hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in names])
    assert digests[0] == digests[1]


def test_hostile_names_are_shown_as_text_and_nothing_else(tmp_path):
    import dataclasses

    probes = probe_set()
    bad = dataclasses.replace(probes.probes[0], id=HOSTILE, label=HOSTILE, source=HOSTILE)
    probes = dataclasses.replace(probes, probes=(bad, *probes.probes[1:]))
    failure = Failure("checkpoint", HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    config = {"report": {"title": HOSTILE, "notes": HOSTILE}}
    report, written, _ = make(tmp_path, probes=probes, failures=(failure,), config=config)
    assert len(written) == 3 and [f.name for f in report.failures] == [HOSTILE]
    for page in ("report.html", "checkpoints/epoch-001.html"):
        html = (tmp_path / page).read_text()
        assert "<script>alert" not in html and "<img src=x" not in html and "\u202e" not in html
        assert "&lt;script&gt;" in html and "{{ 7*7 }}" in html


def test_a_pdf_that_cannot_be_made_is_named_in_the_html_and_the_rest_is_whole(tmp_path, monkeypatch):
    # As if a font were not installed.
    monkeypatch.setattr("reportgen.report.pdf.face_files", lambda: {"text.ttf": tmp_path / "NoSuchFace.ttf"})
    report, written, counts = make(tmp_path)
    assert {p.name for p in written} == {"report.html", "report.json"} and counts["format"] == (2, 3)
    assert [(f.kind, f.name) for f in report.failed] == [("format", "pdf")]
    assert not (tmp_path / "report.pdf").exists()
    assert "Format pdf" in (tmp_path / "report.html").read_text()


def test_numbers_in_words():
    assert [number(v) for v in (None, 0, 12345, 0.5, -1.23456, 1234.5, 2.5e-7, float("nan"), -float("inf"))] == [
        "–", "0", "12\u2009345", "0.500", "−1.23", "1\u2009234", "2.50 × 10⁻⁷", "NaN", "−∞",
    ]  # fmt: skip
    assert [size(v) for v in (999, 1000, 732_424, 2_500_000_000)] == ["999 bytes", "1 kB", "732 kB", "2.50 GB"]


def test_a_variable_a_template_does_not_have_is_an_error_not_a_blank():
    from jinja2 import UndefinedError

    with pytest.raises(UndefinedError):
        environment(skin="html").from_string("{{ nothing_of_that_name }}").render()


def test_a_template_that_fails_costs_only_its_section(tmp_path, monkeypatch):
    import shutil

    from reportgen import templating

    broken = tmp_path / "templates"
    shutil.copytree(templating.resource_folder("templates"), broken)
    (broken / "sections" / "kernels.html").write_text("{{ it.no_such_number }}")
    monkeypatch.setattr(templating, "resource_folder", lambda name: broken)
    folder = tmp_path / "report"
    folder.mkdir()
    report, written, _ = make(folder)
    assert [(f.kind, f.name) for f in report.failed] == [("section", "kernels")] and len(written) == 3
    html = (folder / "report.html").read_text()
    assert "no_such_number" in html and 'id="predictions"' in html


def test_characters_no_font_has_do_not_cost_the_pdf(tmp_path):
    import dataclasses

    probes = probe_set()
    named = [
        dataclasses.replace(p, id=f"a$^$b {c} {i}")
        for i, (p, c) in enumerate(zip(probes.probes, "🌌星系銀河団", strict=False))
    ]
    report, written, _ = make(tmp_path, probes=dataclasses.replace(probes, probes=tuple(named)))
    assert len(written) == 3 and report.failures == ()
    assert "🌌" in (tmp_path / "report.html").read_text()


def test_the_pdf_fetches_its_own_files_and_png_inside_a_chart_and_nothing_else():
    from weasyprint.urls import FatalURLFetchingError

    from reportgen.report.pdf import _fetcher

    fetcher = _fetcher({"a.png": b"own"})
    assert fetcher.fetch("run:/a.png").read() == b"own"
    assert fetcher.fetch("data:image/png;base64,aW5zaWRl").read() == b"inside"
    for url in ("data:image/svg+xml;base64,aW5zaWRl", "data:text/html,x", "file:///etc/passwd", "https://example.org/"):
        with pytest.raises(FatalURLFetchingError):
            fetcher.fetch(url)
