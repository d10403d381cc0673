"""report.html in a real browser: what moves, enlarges, sorts, filters and remembers its place."""

from __future__ import annotations

import json

import numpy as np
import pytest

from browsing import archive, browser, move_to, opened, report, shown_at, until  # noqa: F401
from reportgen.extraction import open_run
from reportgen.templating import number, resource_folder

EPOCHS = [f"epoch-{i:03d}" for i in range(1, 5)]


@pytest.fixture
def page(browser, report):
    with opened(browser, report / "report.html") as page:
        yield page


def test_the_scripts_are_small_and_no_other_runs(browser, report):
    scripts = resource_folder("templates") / "script"
    code = [(scripts / f"{name}.js").read_bytes() for name in ("tables", "enlarge", "filter", "moments")]
    assert sum(map(len, code)) <= 12_000
    assert (report / "report.html").read_text().count("<script") == 1
    page = browser.new_page()  # by itself: Chromium says on the console what the policy blocks
    page.goto((report / "report.html").as_uri())
    blocked = page.evaluate("""async () => {
        const seen = [];
        document.addEventListener("securitypolicyviolation", (event) => seen.push(event.effectiveDirective));
        await fetch("https://example.org/").catch(() => 0);
        await new Promise((done) => { const i = new Image(); i.onerror = done; i.src = "https://example.org/i.png"; });
        const script = document.createElement("script");
        script.textContent = "window.ran = true";
        document.body.append(script);
        await new Promise((done) => setTimeout(done, 50));
        return [...seen, window.ran || "not run"];
    }""")
    page.context.close()
    assert [b.removesuffix("-elem") for b in blocked] == ["connect-src", "img-src", "script-src", "not run"]


def test_the_slider_moves_every_figure_that_has_a_checkpoint(page):
    data = json.loads((page_folder(page) / "report.json").read_text())
    moving = [f for s in data["sections"] for f in s["figures"] if f["moments"]]
    assert shown_at(page) == [["epoch-002"]] * len(moving)  # the best
    for place in (0, 3, 2):
        move_to(page, place)
        assert shown_at(page) == [[EPOCHS[place]]] * len(moving)
        assert page.locator("#said").inner_text() == f"epoch {place + 1} · {place + 1} of 4"
    assert len(moving) >= 6 and page.locator("#moment").get_attribute("max") == "3"


def test_arrow_keys_move_it_too_but_not_inside_a_field(page):
    page.keyboard.press("ArrowRight")
    assert {tuple(at) for at in shown_at(page)} == {("epoch-003",)}
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert {tuple(at) for at in shown_at(page)} == {("epoch-001",)}
    page.locator("#filter").focus()
    page.keyboard.press("ArrowRight")
    assert {tuple(at) for at in shown_at(page)} == {("epoch-001",)}


def test_playing_goes_to_the_end_and_stops(page):
    move_to(page, 2)
    page.locator("#play").click()
    assert page.locator("#play").get_attribute("aria-pressed") == "true"
    until(page, "document.getElementById('play').ariaPressed === 'false'")
    assert {tuple(at) for at in shown_at(page)} == {("epoch-004",)}


def test_who_asked_for_less_motion_is_not_offered_any(browser, report):
    with opened(browser, report / "report.html", reduced_motion="reduce") as page:
        assert not page.locator("#play").is_visible() and page.locator("#moment").is_visible()


def test_a_click_enlarges_and_the_map_under_the_pointer_says_its_range(page):
    maps = open_run(page_folder(page) / "extraction").extractions[1].maps("conv", 0)
    figure = page.locator("#maps-epoch-002-0-1")
    image = figure.locator("[data-tiles]").first
    image.scroll_into_view_if_needed()
    box = image.bounding_box()
    for channel in (3, 0):
        middle = {"x": box["width"] * (channel + 0.5) / maps.shape[-1], "y": box["height"] / 2}
        image.click(position=middle)
        own = maps[..., channel]
        words = f"channel {channel}: min {number(float(own.min()))}, max {number(float(own.max()))}"
        assert page.locator("dialog .said").inner_text() == words
        assert (
            page.locator("dialog .stage image").first.evaluate("e => getComputedStyle(e).imageRendering") == "pixelated"
        )
        assert "Figure" in page.locator("dialog .words").inner_text()
        page.keyboard.press("Escape")
        assert not page.locator("dialog").is_visible()


def test_enter_enlarges_and_the_keys_go_on_inside(page):
    page.locator("#maps-epoch-002-0-1 .scroll").press("Enter")
    said = page.locator("dialog .said")
    assert said.inner_text().startswith("channel 0:")
    page.keyboard.press("ArrowDown")
    assert said.inner_text().startswith("channel 1:")
    before = said.inner_text()
    page.keyboard.press("ArrowRight")  # the checkpoint
    assert said.inner_text().startswith("channel 1:") and said.inner_text() != before
    assert "epoch 3" in page.locator("dialog .words").inner_text()
    page.locator("dialog .close").click()
    assert not page.locator("dialog").is_visible()
    page.locator("figure.chart .enlarge").first.click()
    assert page.locator("dialog .stage img").is_visible() and not page.locator("dialog .aside").is_visible()


def test_a_table_sorts_by_its_numbers_both_ways_and_back(page):
    table = page.locator("#run table").first
    column = table.locator("thead th").all_inner_texts().index("val loss")
    cells = lambda: [row.split("\t")[column] for row in table.locator("tbody tr").all_inner_texts()]  # noqa: E731
    stood = cells()
    button = table.locator("thead th button").nth(column)
    button.click()
    values = np.array([float(text) for text in cells()])
    assert (np.diff(values) >= 0).all() and table.locator("[aria-sort=ascending]").count() == 1
    button.click()
    assert (np.diff([float(text) for text in cells()]) <= 0).all() and cells() != stood
    button.click()
    assert cells() == stood and table.locator("[aria-sort]").count() == 0


@pytest.mark.parametrize(
    ("values", "ordered"),
    [
        (["1\u2009234", "−5", "0.5", "2.50 × 10⁻⁷", "–"], ["−5", "2.50 × 10⁻⁷", "0.5", "1\u2009234", "–"]),
        (["2 MB", "900 kB", "1.5 GB", "12 bytes"], ["12 bytes", "900 kB", "2 MB", "1.5 GB"]),
        (["conv10", "conv2", "a"], ["a", "conv2", "conv10"]),
        (["< 0.001", "0.04", "0.002"], ["< 0.001", "0.002", "0.04"]),
    ],
)
def test_numbers_sort_as_the_report_writes_them(browser, tmp_path, values, ordered):
    code = (resource_folder("templates") / "script" / "tables.js").read_text("utf-8")
    rows = "".join(f"<tr><td>{v}</td></tr>" for v in values)
    table = f"<table><thead><tr><th>x</th></tr></thead><tbody>{rows}</tbody></table>"
    (tmp_path / "t.html").write_text(f"<meta charset=utf-8>{table}<script>{code}</script>", "utf-8")
    with opened(browser, tmp_path / "t.html") as page:
        page.locator("th button").click()
        assert page.locator("td").all_text_contents() == ordered


def test_the_filter_leaves_the_figures_and_rows_of_what_is_typed(page):
    visible = "[...document.querySelectorAll('main figure')].filter(f => f.checkVisibility()).map(f => f.dataset.layer)"
    page.locator("#filter").fill("POOL")
    assert set(page.evaluate(visible)) == {"pool"}
    rows = page.locator("#activation_health tbody tr >> visible=true").all_inner_texts()
    assert rows == [] or all(row.startswith("pool") for row in rows)
    assert page.locator("#found").inner_text().startswith("figures: ")
    move_to(page, 0)
    assert set(page.evaluate(visible)) == {"pool"}
    page.locator("#filter").fill("")
    assert len(set(page.evaluate(visible))) > 1 and page.locator("#found").inner_text() == ""


def test_a_link_points_at_a_figure_and_a_checkpoint(browser, report, page):
    page.locator("#maps-epoch-002-0-2").scroll_into_view_if_needed()
    page.evaluate("document.getElementById('maps-epoch-002-0-2').scrollIntoView()")
    move_to(page, 3)
    until(page, "location.hash === '#maps-epoch-004-0-2'")
    with opened(browser, report / "report.html", "#maps-epoch-004-0-2") as again:
        assert {tuple(at) for at in shown_at(again)} == {("epoch-004",)}
        assert 0 <= again.locator("#maps-epoch-004-0-2").bounding_box()["y"] < 400
    with opened(browser, report / "report.html", "#predictions&at=epoch-001&only=") as again:
        assert {tuple(at) for at in shown_at(again)} == {("epoch-001",)}
        assert 0 <= again.locator("#predictions").bounding_box()["y"] < 400
    with opened(browser, report / "report.html", "#kernels&only=conv") as again:
        assert again.locator("#filter").input_value() == "conv" and not again.locator("#run").is_visible()
        again.evaluate("location.hash = '#run'")  # what the filter hides comes back when a link asks for it
        assert again.locator("#run").is_visible()


def page_folder(page):
    from pathlib import Path
    from urllib.parse import unquote, urlsplit

    return Path(unquote(urlsplit(page.url).path)).parent
