"""Nothing is made twice, everything that is made says why, and what is reused is what was written."""

from __future__ import annotations

import json
import logging
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reportgen.config import load
from reportgen.extraction import open_run
from reportgen.pipeline import explain, run
from reportgen.store import Key, difference
from reportgen.store.inputs import code_files
from reportgen.store.store import entries
from test_pipeline import network, project, quiet

LIGHT = ["report.formats=[json]", "sections=[run, failures]"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a configuration of two checkpoints, and its first report."""
    config = project(tmp_path_factory.mktemp("kept") / "p")
    config.write_text(config.read_text() + "report: {formats: [json]}\nsections: [run, failures]\n")
    return config, run(load(config), quiet)


@pytest.fixture
def copy(made, tmp_path):
    """Return a copy of it that a test may change."""
    shutil.copytree(made[0].parent, tmp_path / "p")
    return tmp_path / "p" / made[0].name


def measured(caplog) -> list[str]:
    """Return which checkpoints were measured, with the reason."""
    return re.findall(r"(\S+): measured \((.*)\)", caplog.text)


def again(config: Path, caplog, sets=(), **more):
    caplog.clear()
    caplog.set_level(logging.INFO, "reportgen")
    outcome = run(load(config, sets=sets), quiet, **more)
    return outcome, measured(caplog), "".join(re.findall(r"a new report \((.*)\)", caplog.text))


UNCHANGED = """
import builtins, subprocess, sys
def no(*args, **kwargs): raise AssertionError(f"a process is started: {args}")
subprocess.Popen.__init__ = no
from reportgen.cli.entry import exit_code_of
code = exit_code_of(["run", sys.argv[1], "--json"])
print(sorted(set(sys.modules) & {"tensorflow", "keras", "matplotlib", "astropy"}))
sys.exit(code)
"""


def test_an_unchanged_run_costs_less_than_a_second_and_starts_nothing(made):
    config, first = made
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", UNCHANGED, str(config)], capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    line, modules = done.stdout.splitlines()
    told = json.loads(line)
    assert told["unchanged"] and Path(told["folder"]).name == first.folder.name and modules == "[]"
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1
    assert told["made"] == {kind: list(counts) for kind, counts in first.made.items()}


def test_it_stays_unchanged_for_who_moves_the_project_or_reads_it_only(made, copy):
    outcome = run(load(copy), quiet)
    assert outcome.unchanged and outcome.folder.name == made[1].folder.name


def test_a_checkpoint_more_is_one_extraction_and_what_is_shared_is_stored_once(made, copy, caplog):
    network(3).save(copy.parent / "run" / "epoch-003.keras")
    outcome, extracted, why = again(copy, caplog)
    assert [file for file, _ in extracted] == ["epoch-003.keras"] and extracted[0][1].startswith("missing")
    assert why == "input changed: run/epoch-003.keras is new"
    for name in ("epoch-001", "epoch-002", "_probes"):
        of_old = copy.parent / "reports" / "run" / made[1].folder.name / "extraction" / f"{name}.h5"
        stored = [entry.path for entry in entries(copy.parent / "reports")]
        new = outcome.folder / "extraction" / f"{name}.h5"
        assert of_old.read_bytes() == new.read_bytes() and any(new.samefile(path) for path in stored)
    assert [e.epoch for e in open_run(outcome.folder / "extraction").extractions] == [1, 2, 3]
    assert "probes: prepared" not in caplog.text


def test_a_renamed_checkpoint_is_not_measured_again_and_goes_by_its_new_name(copy, caplog):
    (copy.parent / "run" / "epoch-002.keras").rename(copy.parent / "run" / "epoch-005.keras")
    outcome, extracted, _ = again(copy, caplog)
    (_, last) = open_run(outcome.folder / "extraction").extractions
    assert extracted == [] and (last.name, last.epoch, last.about.file) == ("epoch-005", 5, "epoch-005.keras")


def test_an_option_of_the_looks_draws_again_and_one_of_the_network_measures_again(copy, caplog):
    _, extracted, why = again(copy, caplog, ["report.title=Other"])
    assert extracted == [] and why.startswith("config changed: report.title")
    _, extracted, why = again(copy, caplog, ["limits.seconds=901"])
    assert [why for _, why in extracted] == ["config changed: limits.seconds 900.0 → 901.0"] * 2
    _, extracted, _ = again(copy, caplog)  # and the first configuration has its report still
    assert extracted == [] and "a new report" not in caplog.text


def test_another_version_measures_again_and_says_which(copy, caplog, monkeypatch):
    from reportgen.store import made_by

    real = made_by.makers
    monkeypatch.setattr("reportgen.measuring.makers", lambda of: real(of) | {"version keras": "99"})
    monkeypatch.setattr("reportgen.archive.unchanged.makers", lambda of: real(of) | {"version keras": "99"})
    _, extracted, why = again(copy, caplog)
    assert len(extracted) == 2 and all(why.startswith("version changed: keras ") for _, why in extracted)
    assert why.startswith("version changed: keras ") and why.endswith("→ 99")


def test_a_template_that_changed_draws_again(copy, caplog, monkeypatch, tmp_path):
    from reportgen import templating
    from reportgen.store import made_by

    folder = tmp_path / "templates"
    shutil.copytree(templating.resource_folder("templates"), folder)
    (folder / "sections" / "run.html").write_text("<p>shorter</p>")
    monkeypatch.setattr(made_by, "resource_folder", lambda name: folder)
    _, extracted, why = again(copy, caplog)
    assert extracted == [] and why == "version changed: templates"


def test_probes_in_another_order_or_with_another_pixel_are_other_inputs(copy, caplog):
    path = copy.parent / "probes" / "g0.png"
    pixels = np.asarray(Image.open(path)).copy()
    pixels[0, 0, 0] ^= 1
    Image.fromarray(pixels).save(path)
    _, extracted, why = again(copy, caplog)
    assert why == "input changed: probes/g0.png" and "probes: prepared (" in caplog.text
    assert [why for _, why in extracted] == ["input changed: probes"] * 2


def test_a_damaged_output_is_made_again_and_a_damaged_extraction_measured_again(copy, caplog):
    first = run(load(copy), quiet)
    (first.folder / "report.json").write_text("{}")
    outcome, extracted, why = again(copy, caplog)
    assert why.startswith("output damaged") and extracted == [] and outcome.folder != first.folder
    (entry,) = [e for e in entries(copy.parent / "reports") if "epoch-001" in e.more.get("file", "epoch-001")][:1]
    data = bytearray(entry.path.read_bytes())
    data[len(data) // 2] ^= 1
    entry.path.unlink()
    entry.path.write_bytes(data)
    rows = dict(explain(load(copy, sets=["report.title=x"])))
    assert [r.kind for r in rows.values() if r].count("output damaged") == 1
    _, extracted, _ = again(copy, caplog, ["report.title=x"])
    assert len(extracted) + ("probes: prepared (output damaged" in caplog.text) == 1


def test_force_makes_everything_again(copy, caplog):
    _, extracted, why = again(copy, caplog, force=True)
    assert why == "forced" and [why for _, why in extracted] == ["forced", "forced"]


def test_explain_tells_what_a_run_would_do_and_writes_nothing(made, copy):
    def there():
        return {p: p.stat().st_mtime_ns for p in (copy.parent / "reports").rglob("*")}

    before = there()
    config = load(copy, sets=["limits.seconds=901"])
    rows = dict(explain(config))
    assert str(rows["epoch-001.keras"]) == "config changed: limits.seconds 900.0 → 901.0" and rows["probes"] is None
    assert [p for p in there() if p not in before and ".store" not in p.parts] == []
    assert explain(load(copy)) == [(made[1].folder.name, None)]


def test_what_went_wrong_by_the_moment_is_tried_again_and_what_a_file_is_to_blame_for_is_not(copy, caplog, monkeypatch):
    network(3).save(copy.parent / "run" / "epoch-003.keras")
    monkeypatch.setenv("REPORTGEN_PLANT", json.dumps({"measure:epoch-003": "kill"}))
    failed, _, _ = again(copy, caplog)
    assert [f.name for f in failed.failures] == ["epoch-003.keras"] and failed.failures[0].passing
    monkeypatch.delenv("REPORTGEN_PLANT")
    mended, extracted, why = again(copy, caplog)
    assert mended.failures == () and [file for file, _ in extracted] == ["epoch-003.keras"] and "epoch-003" in why
    (copy.parent / "run" / "epoch-004.keras").write_bytes(b"")
    failed, _, _ = again(copy, caplog)
    same, _, _ = again(copy, caplog)
    assert same.unchanged and same.failures == failed.failures and len(same.failures) == 1


def test_clean_shows_what_no_report_uses_and_frees_it_only_when_told(copy):
    from reportgen.archive.cleaning import unused
    from reportgen.cli.running import clean_archive

    archive = copy.parent / "reports"
    assert unused(archive) == []
    for report in (archive / "run").iterdir():
        shutil.rmtree(report)
    assert len(unused(archive)) == 3
    assert len(clean_archive(archive, yes=False).data["unused"]) == 3 and len(entries(archive)) == 3
    clean_archive(archive, yes=True)
    assert entries(archive) == []


def test_layers_keep_the_names_of_the_first_checkpoint(tmp_path, caplog):
    """Epochs saved by two processes number their layers differently; what comes from the store must agree with it."""
    import keras

    config = project(tmp_path / "p", epochs=0)
    folder = config.parent / "run"

    def save(epoch: int, name: str) -> None:
        keras.Sequential([keras.layers.Input((24, 24, 3)), keras.layers.Conv2D(2, 3, name=name),
                          keras.layers.Flatten(name="flat"), keras.layers.Dense(1, name="dense")]
                         ).save(folder / f"epoch-{epoch:03d}.keras")  # fmt: skip

    save(1, "conv2d")
    first, _, _ = again(config, caplog, LIGHT)
    save(2, "conv2d_7")
    second, extracted, _ = again(config, caplog, LIGHT)
    assert [file for file, _ in extracted] == ["epoch-002.keras"]
    names = [set(e.weighted) for e in open_run(second.folder / "extraction").extractions]
    assert names[0] == names[1] == set(open_run(first.folder / "extraction").extractions[0].weighted)
    (folder / "epoch-001.keras").unlink()  # now the second is the first, and goes by its own names
    third, extracted, _ = again(config, caplog, LIGHT)
    assert [file for file, _ in extracted] == ["epoch-002.keras"] and "first checkpoint" in extracted[0][1]
    assert "conv2d_7" in open_run(third.folder / "extraction").extractions[0].weighted


def test_the_users_code_counts_with_what_it_imports(tmp_path):
    (tmp_path / "net.py").write_text("import json\nfrom parts.blocks import block\nfrom . import other\n")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "__init__.py").write_text("")
    (tmp_path / "parts" / "blocks.py").write_text("import deeper\n")
    (tmp_path / "deeper.py").write_text("import net\n")
    (tmp_path / "other.py").write_text("def (")
    found = {path.relative_to(tmp_path).as_posix() for path in code_files(tmp_path / "net.py")}
    assert found >= {"net.py", "parts/__init__.py", "parts/blocks.py", "other.py"}


def test_a_reason_names_inputs_before_options_and_options_before_versions():
    old = {"input a": "1", "config depth": "quick", "version keras": "3.1"}
    assert str(difference(old, old | {"version keras": "3.2"})) == "version changed: keras 3.1 → 3.2"
    assert str(difference(old, {"input a": "1", "config depth": "full"})) == "config changed: depth quick → full"
    assert str(difference(old, old | {"input b": "2", "config depth": "full"})) == "input changed: b is new"
    assert difference(old, dict(reversed(old.items()))) is None
    assert Key(old).digest == Key(dict(reversed(old.items()))).digest
