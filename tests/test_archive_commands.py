"""Reports by name; what verify says of each file and input; the zip others can read."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from rocrate.rocrate import ROCrate

from filed import file_report
from reportgen.archive import find_report, read_manifest
from reportgen.archive.export import export
from reportgen.archive.verify import verify, verify_report
from reportgen.cli.entry import exit_code_of
from reportgen.errors import ArchiveError, ConfigError


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Two reports on one run and one on another."""
    base = tmp_path_factory.mktemp("filed")
    file_report(base, "red", 0, epochs=2)
    file_report(base, "red", 1, epochs=2)
    file_report(base, "blue", 2, epochs=2)
    return base


@pytest.fixture
def base(original, tmp_path, monkeypatch):
    shutil.copytree(original, tmp_path / "mine")
    monkeypatch.chdir(tmp_path / "mine")
    return tmp_path / "mine"


def answer(capsys, *words):
    code = exit_code_of([*words, "--json", "-q"])
    lines = capsys.readouterr().out.splitlines()
    return code, json.loads(lines[-1])


def test_a_report_is_meant_by_folder_id_start_of_an_id_or_run(base):
    archive = Path("reports")
    newest = find_report("red", archive)
    assert newest.name == "20260131-120100-00000001"
    assert find_report("20260131-1202", archive).parent.name == "blue"
    assert find_report("20260131-120000-00000000", archive) == archive / "red" / "20260131-120000-00000000"
    assert find_report("red/20260131-120000-00000000", archive).name == "20260131-120000-00000000"
    assert find_report(str(newest), archive) == newest


@pytest.mark.parametrize(
    ("word", "said"),
    [("20260131", "3 reports are meant"), ("rad", "there is no such report"), ("", "there is no such report"),
     ("runs", "there is no such report")],
)  # fmt: skip
def test_what_means_nothing_or_too_much_ends_with_2(base, capsys, word, said):
    with pytest.raises(ConfigError, match=said):
        find_report(word, Path("reports"))
    code, told = answer(capsys, "show", word)
    assert code == 2 and said in told["errors"][0]


def test_list_and_show_tell_what_the_manifests_say(base, capsys):
    code, told = answer(capsys, "list", "reports")
    assert code == 0 and [r["run"] for r in told["reports"]] == ["blue", "red", "red"]
    manifest = read_manifest(find_report("red", Path("reports")))
    assert told["reports"][1]["summary"] == manifest["summary"]
    assert answer(capsys, "show", "red")[1]["manifest"] == manifest
    assert manifest["course"] == {"name": "val_loss", "epochs": [1, 2], "values": [1.0, 0.5]}
    assert manifest["thumbnail"]
    exit_code_of(["list", "reports", "--run", "red"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert re.search(r"20260131-120100-00000001  red +\w+ +2 of 2 +val_loss 0.5000, epoch 2", lines[1])


def test_a_whole_archive_is_whole(base, capsys):
    code, told = answer(capsys, "verify", "reports", "--inputs")
    assert code == 0 and len(told["reports"]) == 3
    assert all(set(r["files"].values()) == {"unchanged"} for r in told["reports"])
    kinds = {(i["kind"], i["state"]) for r in told["reports"] for i in r["inputs"]}
    assert kinds == {("checkpoint", "unchanged"), ("probe file", "unchanged")}


def test_each_file_and_input_that_is_not_as_it_was_is_named(base, capsys):
    folder = find_report("red", Path("reports"))
    (folder / "report.html").write_text((folder / "report.html").read_text().replace("red", "rad", 1))
    (folder / "config.yaml").unlink()
    (folder / "notes.txt").write_text("mine")
    Path("runs/red/epoch-001.keras").unlink()
    Path("runs/red/epoch-002.keras").write_bytes(b"red epoch-002.karas")
    Path("red.npy").unlink()
    found = verify_report(folder)
    bad = {name: state for name, state in found.files.items() if state != "unchanged"}
    assert bad == {"report.html": "changed", "config.yaml": "missing", "notes.txt": "extra"}
    assert ("probe file", "red.npy", "gone") in found.inputs
    code, told = answer(capsys, "verify", "red")
    assert code == 1 and not told["reports"][0]["whole"]
    assert [one.whole for one in verify(Path("reports"))] == [True, True, False]


def test_inputs_that_are_gone_leave_a_report_whole_and_are_told(base, capsys):
    Path("runs/blue/epoch-001.keras").unlink()
    Path("runs/blue/epoch-002.keras").write_bytes(b"blue epoch-002.karas")
    code, told = answer(capsys, "verify", "blue")
    states = {i["name"]: i["state"] for i in told["reports"][0]["inputs"]}
    assert code == 0 and told["reports"][0]["whole"]
    assert states == {"epoch-001.keras": "gone", "epoch-002.keras": "changed", "blue.npy": "unchanged"}
    assert answer(capsys, "verify", "blue", "--inputs")[0] == 1


def test_a_damaged_manifest_is_damage(base, capsys):
    folder = find_report("blue", Path("reports"))
    (folder / "manifest.json").write_text("{")
    code, told = answer(capsys, "verify", "reports")
    assert code == 1
    assert [Path(r["folder"]).name for r in told["reports"] if r["problem"] and not r["whole"]] == [folder.name]
    assert answer(capsys, "verify", "runs")[0] == 2


def test_the_zip_is_an_ro_crate_with_every_file_and_the_same_bytes_again(base, tmp_path, capsys):
    folder = find_report("blue", Path("reports"))
    license = "https://creativecommons.org/licenses/by/4.0/"
    first = export(folder, tmp_path / "a.zip", license)
    for path in folder.rglob("*"):
        path.touch()
    assert export(folder, tmp_path / "b.zip", license).read_bytes() == first.read_bytes()
    manifest = read_manifest(folder)
    with zipfile.ZipFile(first) as file:
        assert set(file.namelist()) == {*manifest["files"], "manifest.json", "ro-crate-metadata.json"}
        assert all(file.read(name) == (folder / name).read_bytes() for name in manifest["files"])
    crate = ROCrate(first)
    page = crate.dereference("report.html")
    assert page["encodingFormat"] == "text/html" and page["sha256"] == manifest["files"]["report.html"]["sha256"]
    assert crate.root_dataset["datePublished"] == manifest["started"] and "creativecommons" in str(crate.license)
    action = crate.dereference("#made")
    hashes = {entity["identifier"].removeprefix("sha256:") for entity in action["object"]}
    assert hashes == {f["sha256"] for key in ("inputs", "probe_files") for f in manifest[key].values()}
    code, told = answer(capsys, "export", "blue")
    assert code == 0 and ROCrate(told["zip"]).name == manifest["title"]


def test_a_damaged_report_is_not_exported_and_no_half_zip_is_left(base, tmp_path):
    folder = find_report("blue", Path("reports"))
    (folder / "report.json").write_text("{}")
    with pytest.raises(ArchiveError, match="not exported"):
        export(folder, tmp_path / "a.zip")
    with pytest.raises(ArchiveError, match="cannot be written"):
        export(find_report("red", Path("reports")), tmp_path / "no" / "a.zip")
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


def test_these_commands_need_no_tensorflow(base):
    code = (
        "import sys\nfrom reportgen.cli.entry import exit_code_of\n"
        "codes = [exit_code_of(words) for words in (['list'], ['show', 'red'], ['verify', 'reports'],"
        " ['compare', 'red', 'blue', '--formats', 'html'])]\n"
        "print(codes, [m for m in ('tensorflow', 'keras', 'weasyprint') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.splitlines()[-1] == "[0, 0, 0, 0] []", done.stderr
