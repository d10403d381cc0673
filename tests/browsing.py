"""A real headless Chromium, and small reports to open in it; Debian's package, found on PATH."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from extractions import write_folder
from reportgen.archive import new_report, write_index, write_manifest
from reportgen.extraction import open_run
from reportgen.report.files import write_files
from reportgen.sections import check_options

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WIDTHS = {"desktop": (1440, 1000), "tablet": (768, 1000), "phone": (390, 844)}


@pytest.fixture(scope="module")
def browser():
    """Chromium; skipped where there is none."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here: apt-get install chromium, or make browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Folder of an archive with one report of four epochs, without its PDF."""
    folder = tmp_path_factory.mktemp("archive")
    file_report(folder, epochs=4)
    write_index(folder)
    return folder


@pytest.fixture(scope="module")
def report(archive):
    """Folder of the report."""
    return next(archive.glob("*/*/report.html")).parent


def file_report(archive: Path, **options) -> Path:
    """Make a report of a small run in an archive, HTML and JSON."""
    with new_report(archive, "small", datetime(2026, 1, 31, tzinfo=UTC), "0123abcd") as new:
        write_folder(new.folder / "extraction", **options)
        run = open_run(new.folder / "extraction")
        made, _, _ = write_files(new.folder, run, check_options(run.config.sections), lambda *_: None, ("html",))
        write_manifest(new, made, {})
    return new.final


@contextmanager
def opened(browser, path: Path, fragment: str = "", size: str = "desktop", **options) -> Iterator:
    """Open a page from disk; whatever it asks the network for, or says on the console, fails the test."""
    path = path.resolve()
    width, height = WIDTHS[size]
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    page = context.new_page()
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri() + fragment)
    yield page
    context.close()
    assert said == []
    own = path.as_uri()
    assert [url[:90] for url in asked if not url.startswith(("data:", own))] == []


def shown_at(page) -> list[list[str]]:
    """Return the checkpoints each moving figure shows: one, if all is well."""
    return page.evaluate(
        "[...document.querySelectorAll('.moving')].map(g => [...g.querySelectorAll('figure')]"
        ".filter(f => f.checkVisibility()).map(f => f.dataset.at))"
    )


def move_to(page, place: int) -> None:
    """Put the slider on a checkpoint, as a hand does."""
    page.locator("#moment").fill(str(place))


def until(page, expression: str, seconds: float = 20) -> None:
    """Wait until an expression is true. Playwright's own waiting needs an eval, which the page's policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"still not: {expression}"
        page.wait_for_timeout(50)
