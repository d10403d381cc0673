"""Own templates and a theme: block by block, in HTML and PDF, stored with the report."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from font_source_sans_pro import font_files_ttf
from PIL import Image
from pypdf import PdfReader

from extractions import write_folder
from reportgen.cli.commands import reportgen
from reportgen.config import WrongConfig
from reportgen.config.theme import contrast
from reportgen.errors import ConfigError
from reportgen.extraction import open_run
from reportgen.report.files import write_files
from reportgen.report.look import check_templates, store_look
from reportgen.sections import check_options
from test_config import MINIMAL, folder, loaded  # noqa: F401

PURPLE = "#7a1fa2"


def draw(target: Path, base: Path, config: dict, formats: tuple[str, ...]):
    """Draw a report with the looks that `config` asks for, files relative to `base`."""
    write_folder(target / "extraction", config={"sections": ["summary", "kernels", "predictions"], **config})
    (target / "checkpoints").mkdir()
    run = open_run(target / "extraction")
    store_look(run.config, base, target / "look")
    return write_files(target, run, check_options(run.config.sections), lambda *_: None, formats)


def copied(name: str, into: Path, *flags: str) -> Path:
    done = CliRunner().invoke(reportgen, ["templates", "copy", name, str(into), *flags], standalone_mode=False)
    if done.exception:
        raise done.exception
    return into / done.return_value.data["name"]


@pytest.fixture(scope="module")
def themed(tmp_path_factory):
    """Folder of a report in HTML and PDF with a template, a logo, a colour and a font of its own."""
    base = tmp_path_factory.mktemp("base")
    Image.new("RGB", (40, 20), PURPLE).save(base / "logo.png")
    shutil.copyfile(font_files_ttf["SourceSansProBlack"], base / "Mine.ttf")
    own = copied("report.html", base / "templates")
    text = own.read_text().replace("{% block footer %}", "{% block footer %}<p>Ours: {{ report.run }}.</p>")
    own.write_text(text)
    summary = copied("summary", base / "templates")
    summary.write_text(summary.read_text().replace("{{ super() }}", "<p>Read this first.</p>\n{{ super() }}"))
    theme = {"logo": "logo.png", "font": "Mine.ttf", "colours": {"accent": PURPLE}}
    target = tmp_path_factory.mktemp("themed")
    made = draw(target, base, {"templates": "templates", "theme": theme}, ("html", "pdf"))
    shutil.rmtree(base)  # the report has what it needs
    return target, *made


def test_a_theme_is_in_both_skins(themed):
    target, report, written, _ = themed
    assert report.failures == () and len(written) == 3
    html = (target / "report.html").read_text()
    assert f"--accent: {PURPLE};" in html and 'class="logo" src="data:image/png' in html
    assert "font-family: Theme; src: url(data:font/ttf" in html
    pdf = PdfReader(target / "report.pdf")
    fonts = {
        str(f.get_object()["/BaseFont"]) for p in pdf.pages for f in p["/Resources"].get("/Font", {}).values()
    }  # fmt: skip
    assert any("Theme" in f or "Black" in f for f in fonts), fonts
    assert any(image.image.size == (40, 20) for image in pdf.pages[0].images)


def test_own_templates_change_blocks_in_both_skins_and_leave_the_rest(themed):
    html = (themed[0] / "report.html").read_text()
    text = " ".join(PdfReader(themed[0] / "report.pdf").pages[0].extract_text().split())
    assert html.index("Read this first.") < html.index('class="headline"') and "Read this first." in text
    assert "<p>Ours: small.</p>" in html and "Made by reportgen" in html


def test_every_template_can_be_started_and_changes_nothing_yet(tmp_path):
    listed = CliRunner().invoke(reportgen, ["templates", "list"], standalone_mode=False).return_value
    names = listed.data["templates"]
    assert {"report.html", "checkpoint.html", "sections/kernels.html", "script/tables.js"} <= set(names)
    assert "header" in names["report.html"] and names["sections/kernels.html"] == ["body"]
    for name in names:
        copied(name, tmp_path / "templates")
    check_templates(tmp_path / "templates")
    pages = []
    for folder_, config in (("plain", {}), ("own", {"templates": "templates"})):
        target = tmp_path / folder_
        target.mkdir()
        draw(target, tmp_path, config, ("html",))
        page = (target / "report.html").read_text()
        pages.append(re.sub(r"\s+", "", re.sub(r"templates: (null|templates)|sha256-[^']+", "", page)))
    assert pages[0] == pages[1]


def test_a_start_is_never_written_over_a_file_and_a_wrong_name_is_told(tmp_path):
    target = copied("kernels", tmp_path)
    assert target == tmp_path / "sections" / "kernels.html"
    with pytest.raises(ConfigError, match="there already"):
        copied("kernels", tmp_path)
    assert "extends" not in copied("kernels", tmp_path, "--whole", "--force").read_text()
    with pytest.raises(ConfigError, match="did you mean"):
        copied("kernel", tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [("sumary.html", "x", "no template sumary.html"), ("report.html", "{% block %}", "cannot be read")],
)
def test_a_template_that_overrides_nothing_or_is_broken_is_told_before_anything_runs(tmp_path, name, text, told):
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=told):
        check_templates(tmp_path)


def test_an_own_template_that_fails_costs_the_page_and_says_so(tmp_path):
    (tmp_path / "templates").mkdir()
    own = '{% extends "reportgen/report.html" %}{% block footer %}{{ nothing_of_that_name }}{% endblock %}'
    (tmp_path / "templates" / "report.html").write_text(own)
    target = tmp_path / "report"
    target.mkdir()
    report, written, _ = draw(target, tmp_path, {"templates": "templates"}, ("html", "pdf"))
    assert {path.name for path in written} == {"report.json"}
    assert [f.name for f in report.failed] == ["pdf", "html"] and "nothing_of_that_name" in str(report.failed)


@pytest.mark.parametrize(
    ("theme", "told"),
    [
        ("{colours: {accent: purple}}", "#0b6e99"),
        ("{colours: {accent: '#dddddd'}}", "contrast of 1.4"),
        ("{dark: {page: '#ffffff'}}", "contrast"),
        ("{colours: {button: '#000000'}}", "colours"),
        ("{logo: logo.gif}", "logo"),
        ("{font: nowhere.ttf}", "no such file"),
    ],
)
def test_a_theme_nobody_could_read_is_an_error(folder, theme, told):
    with pytest.raises(WrongConfig) as error:
        loaded(folder, MINIMAL + f"theme: {theme}\n")
    assert told in str(error.value)


def test_contrast_is_that_of_wcag():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=1e-3)  # the famous grey that just fails


def test_a_report_is_drawn_again_with_other_templates(tmp_path):
    from browsing import file_report
    from reportgen.pipeline import render

    made = file_report(tmp_path / "archive", epochs=1, config={"sections": ["summary"]})
    own = copied("summary", tmp_path / "mine")
    own.write_text(own.read_text().replace("{{ super() }}", "Again. {{ super() }}"))
    outcome = render(made, lambda *_: None, ("html",), tmp_path / "mine")
    assert "Again." in (outcome.folder / "report.html").read_text()
    assert "Again." not in (made / "report.html").read_text()
    once_more = render(outcome.folder, lambda *_: None, ("html",))  # they went with the report
    assert "Again." in (once_more.folder / "report.html").read_text()
