"""An archive on another machine: whole reports or none, two machines at once, and what uploads leave."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from filed import file_report
from reportgen.archive.cleaning import unused
from reportgen.archive.filing import bring_up_to_date
from reportgen.archive.find import reports_of
from reportgen.archive.store import new_report, remove_leftovers
from reportgen.archive.verify import verify_report
from reportgen.errors import RemoteError
from reportgen.places import place
from reportgen.remote import claim, desk, have, publish, pull
from test_remote import far, on_another_machine  # noqa: F401 - a fixture

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def file_there(archive: Path, run: str, tmp_path: Path, minute: int = 0) -> Path:
    """File a small report, as the pipeline would, in an archive on another machine, and put it there."""
    pull(archive)
    made = file_report(tmp_path / f"made-{run}-{minute}", run, minute, ("json",))
    with new_report(archive, run, datetime(2026, 1, 31, 12, minute, tzinfo=UTC), made.name[-8:]) as new:
        shutil.copytree(made, new.folder, dirs_exist_ok=True)
        folder = new.final
    bring_up_to_date(archive)
    return folder


def test_a_report_is_there_for_everybody_once_it_is_put(far, tmp_path, monkeypatch):
    archive = place("memory://lab/reports")
    folder = file_there(archive, "alpha", tmp_path)
    names = [name.removeprefix("/lab/reports/") for name in far.find("/lab/reports")]
    put = sorted(p.relative_to(archive).as_posix() for p in folder.rglob("*") if p.is_file())
    assert sorted(names) == sorted([*put, "index.html"])
    assert b"On alpha" in far.cat("/lab/reports/index.html")
    on_another_machine(monkeypatch, tmp_path)
    other = place("memory://lab/reports")
    assert other != archive
    pull(other)
    (seen,) = reports_of(other)
    assert [p.name for p in seen.iterdir()] == ["manifest.json"]  # nothing else is needed to list it
    verified = verify_report(seen)
    assert verified.whole and len(verified.files) > 3
    far.pipe("/lab/reports/alpha/20260131-120000-00000000/report.json", b"damaged")
    pull(other)
    assert not verify_report(seen).whole
    far.rm("/lab/reports/alpha", recursive=True)
    pull(other)
    assert not list(reports_of(other))
    file_there(other, "beta", tmp_path, 1)
    assert b"On beta" in far.cat("/lab/reports/index.html") and b"On alpha" not in far.cat("/lab/reports/index.html")


def test_two_machines_cannot_both_have_an_id(far, tmp_path, monkeypatch):
    archive, ids = place("memory://lab/reports"), []
    pull(archive)
    with new_report(archive, "alpha", NOON, "0" * 8) as first:
        ids.append(first.id)
        on_another_machine(monkeypatch, tmp_path)
        other = place("memory://lab/reports")
        pull(other)
        with new_report(other, "alpha", NOON, "0" * 8) as second:
            ids.append(second.id)
        assert not claim(other / "alpha" / ids[0])
    assert ids == ["20260131-120000-00000000", "20260131-120001-00000000"]


def test_what_is_not_whole_there_gets_no_manifest(far, tmp_path):
    archive = place("memory://lab/reports")
    pull(archive)
    folder = archive / "alpha" / "20260131-120000-00000000"
    folder.mkdir(parents=True)
    (folder / "report.html").write_text("words")
    (folder / "manifest.json").write_text("{}")
    far.pipe(f"/lab/reports/alpha/{folder.name}/stray.html", b"of somebody else")
    with pytest.raises(RemoteError, match="not all of it arrived") as error:
        publish(archive, [folder])
    assert "type the same command again" in error.value.advice.lower()
    assert not far.exists(f"/lab/reports/alpha/{folder.name}/manifest.json")
    assert not list(reports_of(archive))  # nor is it shown here as if it were


def test_abandoned_uploads_are_freed_and_young_ones_are_not(far, tmp_path, monkeypatch):
    archive = place("memory://lab/reports")
    folder = file_there(archive, "alpha", tmp_path)
    far.pipe("/lab/reports/alpha/20260101-000000-aaaaaaaa/report.html", b"half")
    far.pipe("/lab/reports/.store/claims/alpha--20260101-000000-aaaaaaaa/0123", b"")
    pull(archive)
    assert unused(archive) == []
    remove_leftovers(archive, "alpha")
    assert far.exists("/lab/reports/alpha/20260101-000000-aaaaaaaa/report.html")
    monkeypatch.setattr(desk, "ABANDONED", -1.0)  # as if it were old
    assert [entry.path.name for entry in unused(archive)] == ["0123", "report.html"]
    remove_leftovers(archive, "alpha")
    assert unused(archive) == [] and not far.exists("/lab/reports/alpha/20260101-000000-aaaaaaaa/report.html")
    have(folder)
    assert verify_report(folder).whole


def test_nothing_of_it_is_imported_for_paths_of_this_machine(tmp_path):
    file_report(tmp_path, "alpha", formats=("json",))
    (tmp_path / "c.yaml").write_text("run: {path: runs/alpha}\nprobes: {images: alpha.npy}\n")
    words = [["list", str(tmp_path / "reports")], ["verify", str(tmp_path / "reports")],
             ["check", str(tmp_path / "c.yaml")], ["index", str(tmp_path / "reports")]]  # fmt: skip
    code = (
        "import sys\nfrom reportgen.cli.entry import exit_code_of\n"
        f"for words in {words!r}: exit_code_of(words)\nassert 'fsspec' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "alpha" in done.stdout, done.stderr
