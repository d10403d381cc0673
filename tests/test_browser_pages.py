"""Every kind of page as it is: without a script, on paper, narrow and wide, and to those who do not see it."""

from __future__ import annotations

import io
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from pypdf import PdfReader

from browsing import WIDTHS, archive, browser, file_report, move_to, opened, report  # noqa: F401
from extractions import probe_set
from reportgen.templating import resource_folder

HOSTILE = "</noscript></script><img src=x onerror=alert(1)>'&"
PAGES = {"report": "report.html", "checkpoint": "checkpoints/epoch-002.html", "index": "../../index.html"}


@pytest.fixture(scope="module")
def data(report):
    return json.loads((report / "report.json").read_text())


@pytest.fixture(scope="module")
def screenshots(tmp_path_factory) -> Path:
    """Folder that keeps what the pages look like: SCREENSHOTS, else among pytest's own temporary folders."""
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_without_a_script_all_text_and_figures_are_there(browser, report, data):
    figures = [f for s in data["sections"] for f in s["figures"]]
    moments = sum(max(len(f["moments"]), 1) for f in figures)
    with opened(browser, report / "report.html", java_script_enabled=False) as page:
        assert page.locator("main figure").count() == moments > len(figures) > 20
        assert page.locator("main figure >> visible=true").count() == len(figures)
        for fold in page.locator("summary").all():
            assert re.fullmatch(r"The same at 3 other checkpoints", fold.inner_text())
            fold.click()
        assert page.locator("main figure >> visible=true").count() == moments
        headings = page.locator("main h2").all_inner_texts()
        assert headings == [s["title"] for s in data["sections"]]
        for hidden in (".slider", ".filter", "dialog", ".enlarge"):
            assert page.locator(f"{hidden} >> visible=true").count() == 0
        # A link to a figure that is folded away opens it.
        page.goto((report / "report.html").as_uri() + "#maps-epoch-004-0-2")
        assert page.locator("#maps-epoch-004-0-2").is_visible()


def test_a_script_hides_no_text(browser, report):
    """With scripts on, a reader gets the same words, less the figures of other checkpoints."""
    texts = []
    for on in (True, False):
        with opened(browser, report / "report.html", java_script_enabled=on) as page:
            texts.append(page.locator("main").inner_text())
    with_script, without = (set(re.sub(r"\s*(Enlarge figure \d+|Enlarge|↑|↓)", "", t).split()) for t in texts)
    assert without - with_script <= {"The", "same", "at", "3", "other", "checkpoints"}


@pytest.mark.parametrize("on", [True, False], ids=["script", "no script"])
def test_it_prints_completely(browser, report, data, on):
    with opened(browser, report / "report.html", java_script_enabled=on) as page:
        if on:
            move_to(page, 3)
            page.locator("#filter").fill("pool")  # paper has it all the same
        printed = PdfReader(io.BytesIO(page.pdf(format="A4")))
    text = " ".join(" ".join(p.extract_text().split()) for p in printed.pages)
    plain = re.sub(r"\s", "", text)
    for section in data["sections"]:
        assert re.sub(r"\s", "", section["title"]) in plain, section["title"]
        for figure in section["figures"]:
            times = 1 if on else max(len(figure["moments"]), 1)
            assert len(re.findall(rf"Figure ?{figure['number']}\.", text)) >= times, figure["id"]
    assert "Enlarge" not in text and "Play" not in text


@pytest.mark.parametrize("kind", PAGES)
@pytest.mark.parametrize("size", WIDTHS)
def test_nothing_is_wider_than_the_screen(browser, report, screenshots, kind, size):
    for scheme in ("light", "dark"):
        with opened(browser, report / PAGES[kind], size=size, color_scheme=scheme) as page:
            assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[size][0]
            page.screenshot(path=screenshots / f"{kind}-{size}-{scheme}.png")
            if kind == "report":
                for place in ("activations", "attribution"):
                    page.evaluate("id => document.getElementById(id).scrollIntoView()", place)
                    page.screenshot(path=screenshots / f"{place}-{size}-{scheme}.png")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", PAGES)
def test_axe_finds_nothing_serious(browser, report, kind, scheme):
    from axe_playwright_python.sync_playwright import Axe

    with opened(browser, report / PAGES[kind], color_scheme=scheme) as page:
        assert found(Axe().run(page)) == []
        if kind == "report":
            page.locator("figure.canvas .enlarge").first.click()
            assert found(Axe().run(page)) == []
        if kind == "checkpoint":
            page.set_viewport_size({"width": 390, "height": 844})
            assert found(Axe().run(page)) == []


def found(results) -> list[str]:
    """Return what axe-core calls critical, serious or moderate: rule, and the first elements."""
    return [
        f"{v['impact']} {v['id']}: {[n['html'][:160] for n in v['nodes'][:3]]}"
        for v in results.response["violations"]
        if v["impact"] in ("critical", "serious", "moderate")
    ]


@pytest.mark.parametrize("on", [True, False], ids=["script", "no script"])
def test_names_that_are_html_stay_words(browser, tmp_path, on):
    """Figures wait as text in a noscript: a name that would end it must not."""
    probes = probe_set()
    named = replace(probes.probes[0], id=HOSTILE)
    made = file_report(tmp_path, probes=replace(probes, probes=(named, *probes.probes[1:])))
    with opened(browser, made / "report.html", java_script_enabled=on, size="phone") as page:
        if on:
            page.keyboard.press("ArrowRight")
            page.locator("#maps-epoch-003-0-1 .enlarge").click()
            assert HOSTILE in page.locator("dialog .words").inner_text()
        assert page.locator("[src=x]").count() == 0 and HOSTILE in page.locator("#activations").inner_text()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_colours_a_theme_may_change_are_those_of_the_style_sheets():
    from reportgen.config.theme import DARK, LIGHT

    styles = resource_folder("templates") / "style"
    for file, colours in (("base.css", LIGHT), ("screen.css", DARK)):
        css = (styles / file).read_text("utf-8")
        assert {name: re.search(rf"--{name}: (#\w+);", css)[1] for name in colours} == colours
