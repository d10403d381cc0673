"""Fifty checkpoints: the page opens at once, scrolls, and stays within its budget."""

from __future__ import annotations

import json

import pytest

from browsing import browser, file_report, move_to, opened, shown_at  # noqa: F401
from reportgen.extraction import open_run
from reportgen.report import build_report
from reportgen.sections import check_options

SECTIONS = ["summary", "kernels", "activations", "attribution", "predictions"]
NAVIGATION = "(() => { const n = performance.getEntriesByType('navigation')[0]; return n.loadEventEnd; })()"
FRAMES = """async () => {
    const frames = [];
    const high = document.documentElement.scrollHeight;
    for (let y = 0, last = performance.now(); y < high; y += high / 60) {
        scrollTo(0, y);
        await new Promise(requestAnimationFrame);
        frames.push(performance.now() - last);
        last = performance.now();
    }
    return frames.sort((a, b) => a - b);
}"""


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    return file_report(tmp_path_factory.mktemp("large"), epochs=50, config={"sections": SECTIONS})


@pytest.mark.slow
def test_fifty_checkpoints_open_at_once_and_scroll_smoothly(browser, large):
    data = json.loads((large / "report.json").read_text())
    moments = [f["moments"] for s in data["sections"] for f in s["figures"] if f["moments"]]
    assert len(moments) >= 5 and all(len(m) == 50 for m in moments)
    with opened(browser, large / "report.html") as page:
        assert page.evaluate("document.querySelectorAll('main figure').length") < 40  # the rest is text so far
        # Less than a second by itself; a busy machine gets five.
        assert page.evaluate(NAVIGATION) < 5000
        frames = page.evaluate(FRAMES)
        assert frames[len(frames) // 2] < 50
        for place in (0, 24, 49):
            move_to(page, place)
            assert {tuple(at) for at in shown_at(page)} == {(f"epoch-{place + 1:03d}",)}


@pytest.mark.parametrize(("megabytes", "fewer"), [(20, False), (0.1, True), (0.01, True)])
def test_beyond_the_budget_maps_are_left_to_their_own_pages_and_the_report_says_so(tmp_path, megabytes, fewer):
    config = {"sections": ["activations", "kernels"], "report": {"megabytes": megabytes}}
    made = file_report(tmp_path, epochs=8, config=config)
    report = build_report(run := open_run(made / "extraction"), check_options(run.config.sections), lambda *_: None)
    network = report.section("activations").content.networks[0]
    drawn = {len(f.moments) for f in report.section("activations").figures if "layer" in f.facts}
    html = (made / "report.html").read_text()
    assert (network.moments < 8) == fewer and network.of_moments == 8
    assert drawn == {network.moments if network.moments > 1 else 0}
    assert ("to keep this file below" in html) == fewer
    if 1 < network.moments < 8:  # the first, the best and the last stay
        kept = {m.at for f in report.section("activations").figures for m in f.moments}
        assert {"epoch-001", "epoch-002", "epoch-008"} <= kept
    assert all((made / "checkpoints" / f"epoch-{i:03d}.html").is_file() for i in range(1, 9))
