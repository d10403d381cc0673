"""The index of an archive of 5,000 reports: built from manifests, read in a browser with and without JavaScript."""

from __future__ import annotations

import re
import shutil
import time
from collections import Counter

import pytest

from filed import file_report
from reportgen.archive import write_index
from reportgen.archive.compare import Chosen, compare
from reportgen.archive.index import script_hash, sparkline
from reportgen.templating import number
from synthetic_archive import write_archive

REPORTS, RUNS = 5000, 200


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """The archive, its manifests and how long its index took [s of CPU]."""
    archive = tmp_path_factory.mktemp("large") / "reports"
    manifests = write_archive(archive, REPORTS, RUNS)
    began = time.process_time()
    write_index(archive)
    return archive, manifests, time.process_time() - began


@pytest.fixture(scope="module")
def browser():
    """Chromium as the system has it."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on this machine: the index is not looked at in a browser")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """The folder of a small archive, and the comparison of its two reports."""
    base = tmp_path_factory.mktemp("pair")
    reports = [file_report(base, run, i, epochs=2) for i, run in enumerate(("red", "blue"))]
    return base / "reports", compare(Chosen(reports[0]), Chosen(reports[1]), lambda *step: None, ["html"]).folder


@pytest.fixture
def page(large, browser):
    """The index, opened; nothing may be refused, asked for or go wrong on it."""
    said = []
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda request: said.append(request.url) if request.url.startswith("http") else None)
    opened.goto((large[0] / "index.html").as_uri())
    yield opened
    opened.close()
    assert said == []


def shown(page):
    return page.eval_on_selector_all(".reports li:not([hidden])", "items => items.map(item => item.dataset.id)")


def test_the_index_of_5000_reports_is_built_in_less_than_10_seconds(large):
    archive, manifests, seconds = large
    html = (archive / "index.html").read_text()
    assert seconds < 10
    assert re.findall(r'data-id="([^"]+)"', html) == sorted((m["id"] for m in manifests), reverse=True)
    assert html.count("data:image/png;base64,") == 40  # one picture for all reports that share it
    assert write_index(archive).read_text() == html


def test_the_policy_lets_this_script_run_and_no_other(large):
    html = (large[0] / "index.html").read_text()
    script = re.search(r"<script>(.*)</script>", html, re.S)[1]
    assert f"script-src '{script_hash(script)}'" in html and html.count("<script") == 1
    assert not re.search(r"\son\w+=|\sstyle=|https?://", html)


def test_a_sparkline_runs_through_its_values_and_breaks_where_one_is_missing():
    line = sparkline({"name": "val_loss", "epochs": [1, 2, 3, 4, 5], "values": [1.0, 0.5, None, 0.25, 0.0]}, 5)
    assert line["path"] == "M3 3.0L34 17.0M98 24.0L129 31.0" and line["dot"] == (129.0, 31.0)
    assert sparkline({"name": "loss", "epochs": [1], "values": [1.0]}, 1) is None and sparkline({}, None) is None


def test_it_opens_filters_and_sorts_smoothly(large, page):
    _, manifests, _ = large
    # How long until what was changed is drawn; generous, for machines that do other work meanwhile.
    change = """async ([id, value, event]) => {
        const began = performance.now(), field = document.getElementById(id);
        field.value = value; field.dispatchEvent(new Event(event));
        await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
        return performance.now() - began; }"""
    assert page.text_content("#count") == "5000 reports"
    assert page.evaluate(change, ["words", "training 17 partial", "input"]) < 5000
    texts = {m["id"]: f"{m['title']} {m['run']} {m['id']}" for m in manifests if m["verdict"] == "partial"}
    assert set(shown(page)) == {id for id, text in texts.items() if "17" in text} != set()
    assert page.evaluate(change, ["words", "", "input"]) < 5000 and len(shown(page)) == REPORTS
    assert page.evaluate(change, ["verdict", "fail", "change"]) < 5000
    assert len(shown(page)) == Counter(m["verdict"] for m in manifests)["fail"]
    page.select_option("#run", "run-002")
    assert set(shown(page)) == {m["id"] for m in manifests if m["run"] == "run-002"}
    page.select_option("#run", "")
    page.select_option("#verdict", "")
    assert page.evaluate(change, ["sort", "value:1", "change"]) < 10_000
    lowest = sorted(manifests, key=lambda m: m["summary"]["value"])
    assert shown(page)[0] == lowest[0]["id"] and shown(page)[-1] == lowest[-1]["id"]
    page.check("#newest")
    assert len(shown(page)) == RUNS


def test_two_reports_are_picked_and_the_command_is_there_to_copy(large, page):
    ids = shown(page)
    ticks = page.locator(".pick input")
    assert page.locator("#pair").is_hidden()
    ticks.nth(0).check()
    assert "pick one more" in page.text_content("#chosen") and page.locator("#command").is_hidden()
    ticks.nth(3).check()
    assert page.text_content("#command") == f"reportgen compare {ids[0]} {ids[3]}"
    assert page.locator("#there").is_hidden()
    ticks.nth(5).check()
    assert page.text_content("#command") == f"reportgen compare {ids[3]} {ids[5]}" and not ticks.nth(0).is_checked()
    page.click("#drop")
    assert page.locator("#pair").is_hidden() and page.locator(".pick input:checked").count() == 0


def test_without_javascript_everything_is_there_to_read_and_nothing_that_does_nothing(large, browser):
    archive, manifests, _ = large
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 800})
    opened = context.new_page()
    opened.goto((archive / "index.html").as_uri())
    assert opened.locator(".reports li").count() == REPORTS
    assert opened.locator("#tools").is_hidden() and opened.locator(".pick").first.is_hidden()
    first = opened.locator(".reports li").first
    newest = max(manifests, key=lambda m: m["id"])
    assert number(newest["summary"]["value"], 4) in first.inner_text() and first.locator("svg").is_visible()
    assert first.locator("h2 a").get_attribute("href") == f"{newest['run']}/{newest['id']}/report.html"
    context.close()


@pytest.mark.parametrize("width", [1440, 768, 390])
def test_nothing_is_wider_than_the_page(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.locator(".pick input").nth(0).check()
    page.locator(".pick input").nth(1).check()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_index_and_comparison_are_accessible(pair, browser, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)  # axe is a script of its own
    for path in (pair[0] / "index.html", pair[1] / "report.html"):
        page = context.new_page()
        page.goto(path.as_uri())
        for tick in page.locator(".pick input").all():
            tick.check()
        found = axe.Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"]})
        assert [(v["id"], v["nodes"][0]["html"]) for v in found.response["violations"]] == []
    context.close()


def test_a_comparison_that_exists_is_linked_where_its_two_reports_are_picked(pair, browser):
    archive, made = pair
    page = browser.new_page()
    page.goto((archive / "index.html").as_uri())
    page.locator(".pick input").nth(0).check()
    page.locator(".pick input").nth(1).check()
    page.click("#there")
    page.wait_for_load_state()
    assert page.url == (made / "report.html").as_uri()
    for link in page.locator("section.compared td a").all():
        assert (made / link.get_attribute("href")).resolve().is_file()
    page.close()
