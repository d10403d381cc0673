"""Reports of every schema there was stay readable, newer ones are refused in words, and strict privacy names nobody."""

from __future__ import annotations

import getpass
import json
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import h5py
import pytest

from reportgen.archive import read_manifest, sha256, write_index
from reportgen.archive.manifest import SCHEMA
from reportgen.archive.previous import previous_report
from reportgen.config import load
from reportgen.errors import ArchiveError, ExtractionError
from reportgen.extraction import open_run
from reportgen.extraction.schema import SCHEMA as EXTRACTION_SCHEMA
from reportgen.pipeline import explain, render, run
from reportgen.report.json import SCHEMA as REPORT_SCHEMA
from test_pipeline import project, quiet


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    config = project(tmp_path_factory.mktemp("schemas") / "p", epochs=1)
    config.write_text(
        config.read_text() + "report: {formats: [html, json]}\nsections: [summary, run, provenance]\nprivacy: strict\n"
    )
    return config, run(load(config), quiet).folder


def as_schema_1(report: Path) -> None:
    """Make a report what the first reportgen wrote: manifest and extractions of schema 1, and nothing added since."""
    for name in ("provenance.json", "rebuild.sh", "log.txt"):
        (report / name).unlink(missing_ok=True)
    for name in ("report.json", "extraction/_run.json"):
        content = json.loads((report / name).read_text())
        for failure in content["failures"]:
            failure.pop("passing")
        content.get("config", {}).pop("privacy", None)
        (report / name).write_text(json.dumps(content | {"schema": 1}))
    for path in (report / "extraction").glob("*.h5"):
        with h5py.File(path, "r+") as file:
            file.attrs["schema"] = 1
    manifest = json.loads((report / "manifest.json").read_text())
    for name in ("key", "made", "gates", "made_by"):
        del manifest[name]
    names = [path.relative_to(report).as_posix() for path in report.rglob("*") if path.is_file()]
    manifest["files"] = {
        n: {"sha256": sha256(report / n), "size": (report / n).stat().st_size} for n in names if n != "manifest.json"
    }
    (report / "manifest.json").write_text(json.dumps(manifest | {"schema": 1}))


def test_these_are_the_schemas_there_were():
    """Whoever raises one adds to this file how a report of the schema before is made, and that it can be read."""
    assert (SCHEMA, EXTRACTION_SCHEMA, REPORT_SCHEMA) == (2, 2, 1)


def test_a_report_of_schema_1_is_read_drawn_listed_and_compared_with(made, tmp_path):
    shutil.copytree(made[0].parent, tmp_path / "p")
    config = tmp_path / "p" / made[0].name
    archive = config.parent / "reports"
    shutil.rmtree(archive / ".store")
    report = archive / "run" / made[1].name
    as_schema_1(report)
    assert read_manifest(report)["gates"] == [] and read_manifest(report)["schema"] == 1
    assert open_run(report / "extraction").extractions[0].predictions.shape == (5, 1)
    assert previous_report(archive, "run")["id"] == report.name
    assert report.name in write_index(archive).read_text()
    rows = dict(explain(load(config)))
    assert rows["report"].kind == "version changed" and rows["epoch-001.keras"].kind == "missing"
    drawn = render(report, quiet, ["html"])
    assert read_manifest(drawn.folder)["rendered_from"] == report.name


def test_newer_schemas_are_refused_with_what_to_do(made, tmp_path):
    report = tmp_path / "run" / made[1].name
    shutil.copytree(made[1], report)
    content = json.loads((report / "report.json").read_text())
    (report / "report.json").write_text(json.dumps(content | {"schema": REPORT_SCHEMA + 1}))
    assert previous_report(tmp_path, "run") is None
    with h5py.File(report / "extraction" / "_probes.h5", "r+") as file:
        file.attrs["schema"] = EXTRACTION_SCHEMA + 1
    with pytest.raises(ExtractionError, match="of a newer reportgen") as wrong:
        open_run(report / "extraction")
    assert wrong.value.advice == "update reportgen"
    manifest = json.loads((report / "manifest.json").read_text())
    (report / "manifest.json").write_text(json.dumps(manifest | {"schema": SCHEMA + 1}))
    with pytest.raises(ArchiveError, match="of a newer reportgen") as error:
        read_manifest(report)
    assert error.value.advice == "update reportgen" and f"schema {SCHEMA + 1}" in error.value.received


def test_strict_privacy_names_no_host_no_user_and_no_folder(made):
    config, report = made
    words = {str(config.parent), str(Path.home()), socket.gethostname()}
    for path in (p for p in report.rglob("*") if p.is_file()):
        data = path.read_bytes()
        found = [word for word in words if len(word) > 3 and word.encode() in data]
        assert not found, (path, found)
        if path.suffix in (".json", ".sh", ".yaml"):
            assert not re.search(rf"\b{re.escape(getpass.getuser())}\b", data.decode()), path
    assert not (report / "log.txt").exists()
    done = subprocess.run(
        [sys.executable, "-m", "reportgen", "run", config, "--archive", config.parent / "reports"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2 and "needs relative paths; absolute are archive" in done.stderr


def test_without_it_provenance_has_host_user_and_every_package(made):
    run(load(made[0], sets=["privacy=normal", "report.formats=[json]"]), quiet)
    newest = sorted((made[0].parent / "reports" / "run").iterdir())[-1]
    content = json.loads((newest / "provenance.json").read_text())
    assert content["made_by"]["host"] == socket.gethostname() and content["made_by"]["user"] == getpass.getuser()
    assert any(line.startswith("numpy==") for line in content["environment"]) and content["base"] == "../../.."
    assert "a new report (config changed: " in (newest / "log.txt").read_text()


def test_rebuild_makes_the_same_report_again(made):
    config, report = made
    before = len(list((config.parent / "reports" / "run").iterdir()))
    environment = {
        "REPORTGEN": f"{sys.executable} -m reportgen",
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": ":".join(sys.path),
    }
    done = subprocess.run(
        ["sh", report / "rebuild.sh"], capture_output=True, text=True, check=False, env=environment, cwd="/"
    )
    assert done.returncode == 0, done.stderr
    folders = sorted((config.parent / "reports" / "run").iterdir())
    assert len(folders) == before + 1 and not list(config.parent.glob(".rebuild-*"))
    assert sha256(folders[-1] / "extraction" / "epoch-001.h5")
    assert read_manifest(folders[-1])["probes"] == read_manifest(report)["probes"]
    first, again = (json.loads((f / "report.json").read_text()) for f in (report, folders[-1]))
    assert first["sections"][1] == again["sections"][1]
