"""The README tells the truth: its commands run, its configuration is valid, its recipe makes a section."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest
import yaml

from extractions import write_folder
from reportgen import templating
from reportgen.config import Config
from reportgen.extraction import open_run
from reportgen.report import build_report
from reportgen.report.html import as_html
from reportgen.sections import SECTIONS, check_options

README = (Path(__file__).resolve().parents[1] / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


def test_the_configuration_is_valid():
    (text,) = blocks("yaml")
    Config.model_validate(yaml.safe_load(text))


def test_the_recipe_for_a_section_makes_one(tmp_path, monkeypatch):
    (python,) = [block for block in blocks("python") if "TITLE" in block]
    (html,) = blocks("html")
    module = types.ModuleType("reportgen.sections.sparsity")
    imports = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "from reportgen.extraction import ExtractedRun\nfrom reportgen.sections.section import NoOptions, Section\n"
    )
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(imports + python, "README.md", "exec"), module.__dict__)  # noqa: S102 - the README's own code
    monkeypatch.setitem(SECTIONS, "sparsity", module)
    templates = tmp_path / "templates"
    shutil.copytree(templating.resource_folder("templates"), templates)
    (templates / "sections" / "sparsity.html").write_text(html)
    monkeypatch.setattr(templating, "resource_folder", lambda name: templates)
    run = open_run(write_folder(tmp_path / "e", config={"sections": ["summary", "sparsity"]}))
    report = build_report(run, check_options(run.config.sections), lambda *_: None)
    assert not report.failures
    page = as_html(report, {})
    zeros = report.sections[1].content.silent["conv"]
    assert zeros == pytest.approx(float((run.extractions[-1].maps("conv") == 0).mean()), abs=1e-6)
    assert f"conv: {100 * zeros:.0f} %" in page and "How much of each layer is silent?" in page


def test_the_picture_is_there():
    (name,) = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README)
    assert (Path(__file__).resolve().parents[1] / name).stat().st_size > 10_000


def test_every_make_target_it_names_exists():
    makefile = (Path(__file__).resolve().parents[1] / "Makefile").read_text()
    named = set(re.findall(r"^make ([a-z]+)", "\n".join(blocks("console")), re.M)) | {"check"}
    assert named and all(re.search(rf"^{target}:", makefile, re.M) for target in named)


@pytest.mark.slow
def test_every_command_of_reportgen_does_what_it_says(tmp_path):
    from reportgen.demo import make_demo

    make_demo(tmp_path / "runs" / "demo", encounters=5)
    shutil.copytree(tmp_path / "runs" / "demo" / "runs" / "classification", tmp_path / "runs" / "mine")
    shutil.copytree(tmp_path / "runs" / "demo" / "probes", tmp_path / "probes")
    made = call("run runs/demo/classification.yaml", tmp_path)
    assert made.returncode == 0, made.stderr
    lines = [
        line for block in blocks("console") for line in block.splitlines() if line.startswith(".venv/bin/reportgen")
    ]
    assert len(lines) >= 5
    for line in lines:
        done = call(line.removeprefix(".venv/bin/reportgen "), tmp_path)
        # `check` must refuse what `init` has written until somebody has chosen the preparation.
        assert done.returncode == (2 if " check " in line else 0), (line, done.stderr)


def call(line: str, folder: Path):
    words = [
        word for part in shlex.split(line) for word in (sorted(map(str, folder.glob(part))) if "*" in part else [part])
    ]
    return subprocess.run(
        [sys.executable, "-m", "reportgen", *words], cwd=folder, capture_output=True, text=True, timeout=300
    )
