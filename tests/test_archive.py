"""Folders of reports: whole or not at all, never touched again, and an index made from manifests."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest

from reportgen.archive import new_report, read_manifest, write_index
from reportgen.archive.store import MAKING, folder_name
from reportgen.errors import ArchiveError

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def plant(archive, run, id, **more):
    """Write the manifest of a report, as a finished run leaves it."""
    folder = archive / run / id
    folder.mkdir(parents=True)
    manifest = {
        "schema": 1, "id": id, "run": run, "verdict": "pass", "banners": [], "failures": [],
        "files": {"report.html": {}},
        "summary": {"measured": 3, "checkpoints": 3, "monitor": "val_loss", "value": 0.25, "best_epoch": 2},
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest | more))
    return folder


def test_a_report_appears_at_the_end_under_a_name_that_sorts_by_time(tmp_path):
    with new_report(tmp_path, "my run", NOON, "abcdef0123456789") as new:
        assert new.folder.name.startswith(MAKING) and not new.final.exists()
        (new.folder / "report.html").write_text("x")
    assert new.final == tmp_path / "my-run" / "20260131-120000-abcdef01"
    assert (new.final / "report.html").read_text() == "x"


def test_what_is_interrupted_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), new_report(tmp_path, "r", NOON, "ab" * 8) as new:
        (new.folder / "half").write_text("x")
        raise KeyboardInterrupt
    assert list((tmp_path / "r").iterdir()) == []


@pytest.mark.parametrize("name", ["../../etc", "a/b", "", "...", "CON\x00", "x" * 500, "<b>"])
def test_no_name_of_a_run_leads_out_of_the_archive(tmp_path, name):
    home = (tmp_path / folder_name(name)).resolve()
    assert home.parent == tmp_path.resolve() and 0 < len(home.name) <= 80


def test_an_archive_that_cannot_be_written_says_which_and_what_to_do(tmp_path):
    (tmp_path / "reports").write_text("a file where the folder should be")
    with (
        pytest.raises(ArchiveError, match="cannot be written") as error,
        new_report(tmp_path / "reports", "r", NOON, "ab"),
    ):
        pass
    assert "--archive" in error.value.advice


def test_the_index_lists_every_report_newest_first_and_names_what_it_cannot_read(tmp_path):
    plant(tmp_path, "first", "20260101-000000-aaaaaaaa")
    plant(tmp_path, "second", "20260301-000000-bbbbbbbb", verdict="fail", banners=["PARTIAL"], failures=[{}, {}])
    broken = plant(tmp_path, "third", "20260201-000000-cccccccc")
    (broken / "manifest.json").write_text("{")
    (tmp_path / "fourth" / f"{MAKING}20260401").mkdir(parents=True)
    html = write_index(tmp_path).read_text()
    assert html.index("20260301") < html.index("20260101")
    assert "third/20260201-000000-cccccccc" in html and "fourth" not in html
    assert "■ fail" in html and "PARTIAL" in html and "<b>0.2500</b> val_loss, epoch 2" in html
    links = re.findall(r'href="([^"]+)"', html)
    assert list(dict.fromkeys(links)) == [
        "second/20260301-000000-bbbbbbbb/report.html", "first/20260101-000000-aaaaaaaa/report.html",
    ]  # fmt: skip


def test_hostile_names_in_manifests_stay_text(tmp_path):
    plant(tmp_path, "<script>alert(1)</script>".replace("/", ""), "20260101-000000-aaaaaaaa")
    html = write_index(tmp_path).read_text()
    assert "<script>alert" not in html and "&lt;script&gt;alert(1)" in html


def test_a_manifest_of_another_schema_or_none_is_a_clear_error(tmp_path):
    folder = plant(tmp_path, "a", "20260101-000000-aaaaaaaa", schema=99)
    with pytest.raises(ArchiveError, match="another schema"):
        read_manifest(folder)
    with pytest.raises(ArchiveError, match="not the folder of a report"):
        read_manifest(tmp_path)
