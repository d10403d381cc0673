"""Checkpoints, probes and archive on other machines: mirrored, put back whole or not at all, and no key told."""

from __future__ import annotations

import importlib.util
import json
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from filed import file_report
from loopback import BUCKET, Bucket, Gate, Host, s3_server
from reportgen.archive.cleaning import unused
from reportgen.archive.filing import bring_up_to_date
from reportgen.archive.find import reports_of
from reportgen.archive.store import new_report, remove_leftovers
from reportgen.archive.verify import verify_report
from reportgen.cli.entry import exit_code_of
from reportgen.config import Config, RunConfig, WrongConfig, load
from reportgen.config.files import matches
from reportgen.errors import ConfigError, RemoteError
from reportgen.places import cache, name_of, place, told, url_of
from reportgen.probes import load_probes
from reportgen.remote import claim, desk, fetch_files, fetch_pattern, fetch_run, have, list_again, publish, pull
from reportgen.remote.storage import Storage
from reportgen.store.fetching import fetch_inputs
from reportgen.store.inputs import run_files, wanted_names

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def far(tmp_path, monkeypatch):
    """An empty store in memory, seen from a machine with an empty cache."""
    from fsspec.implementations.memory import MemoryFileSystem

    fs = MemoryFileSystem()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield fs
    fs.store.clear()
    fs.pseudo_dirs[:] = [""]


def on_another_machine(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another"))


# What a URL is called


def test_a_url_is_told_as_a_url_wherever_its_files_lie(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    values = {
        "run": {"path": "s3://lab/runs/a/", "history": "sftp://me@host:22/h.csv"}, "archive": "s3://lab/reports",
        "probes": {"images": {"g": "s3://lab/g/*.fits", "r": ["here/*.fits"]}, "catalogue": "memory://x/probes.csv"},
    }  # fmt: skip
    config = Config.model_validate(values)
    assert config.run.path.is_relative_to(tmp_path) and url_of(config.run.path) == "s3://lab/runs/a"
    dumped = config.model_dump(mode="json")
    assert dumped["run"]["path"] == "s3://lab/runs/a" and dumped["run"]["history"] == "sftp://me@host:22/h.csv"
    assert dumped["probes"]["images"] == {"g": ["s3://lab/g/*.fits"], "r": ["here/*.fits"]}
    assert Config.model_validate(dumped) == config
    assert str(tmp_path) not in config.model_dump_json()
    assert name_of(config.run.path / "epoch-1.keras", tmp_path) == "s3://lab/runs/a/epoch-1.keras"
    assert name_of(tmp_path / "here" / "x.fits", tmp_path) == "here/x.fits"
    error = RemoteError("cannot be read", where=str(config.archive / "run" / "1"), received=f"in {config.run.path}: no")
    assert str(error) == "s3://lab/reports/run/1: cannot be read\n  received: in s3://lab/runs/a: no"
    assert place("file:///data/a") == Path("/data/a") and place("data/a") == Path("data/a")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    other = place("s3://lab/runs/a")
    assert other != config.run.path and url_of(other) == "s3://lab/runs/a" and told(str(other)) == "s3://lab/runs/a"


SECRET = "hush-5f3a"  # noqa: S105 - a made-up one


@pytest.mark.parametrize("url", [
    f"s3://key:{SECRET}@lab/x", f"s3://{SECRET}@lab/x", f"sftp://me:{SECRET}@host/x", f"S3://k:{SECRET}@lab/x",
    f"simplecache::s3://k:{SECRET}@lab/x", f"sftp://me:a/{SECRET}@host/x", f"sftp://me%3A{SECRET}@host/x",
    f"https://host/x?token={SECRET}",
])  # fmt: skip
def test_a_key_in_a_url_is_refused_and_never_told(url, tmp_path, capsys):
    config = tmp_path / "c.yaml"
    config.write_text(f"run: {{path: '{url}'}}\nprobes: {{images: '{url}', catalogue: '{url}'}}\narchive: '{url}'\n")
    with pytest.raises(WrongConfig) as wrong:
        load(config)
    assert [p.key for p in wrong.value.problems] == ["run.path", "probes.images", "probes.catalogue", "archive"]
    plain = tmp_path / "plain.yaml"
    plain.write_text("run: {path: s3://lab/x}\nprobes: {images: s3://lab/y}\n")
    log = tmp_path / "log"
    for words in (
        ["run", str(config)], ["check", str(config), "--json"], ["run", str(plain), "--archive", url],
        ["run", str(plain), "--set", f"run.path={url}"], ["list", url], ["list", url, "--json"], ["show", url],
        ["verify", url], ["verify", "x", "--archive", url], ["compare", url, url, "--json"], ["render", url],
        ["index", url], ["export", url], ["clean", url], ["explain", str(config)],
    ):  # fmt: skip
        assert exit_code_of([*words, "-v", "--log-file", str(log)]) == 2, words
    said = capsys.readouterr()
    assert SECRET not in said.out + said.err + log.read_text() and "URL" in said.err
    if url.count(":") > 1 or "%3A" in url:  # in the words of a library, too
        assert SECRET not in str(RemoteError("no", received=f"cannot open {url}"))


def test_strict_privacy_takes_urls_that_name_no_host():
    values = {"run": {"path": "s3://lab/a"}, "probes": {"images": "s3://lab/p/*.png"}, "privacy": "strict"}
    Config.model_validate(values)
    with pytest.raises(ValueError, match=r"absolute are run\.path"):
        Config.model_validate(values | {"run": {"path": "sftp://me@host/a"}})


def test_a_missing_package_is_named():
    if importlib.util.find_spec("gcsfs") is not None:
        pytest.skip("gcsfs is installed")
    with pytest.raises(ConfigError) as error:
        Storage("gs://lab/x").list()
    assert "pip install gcsfs" in error.value.advice
    with pytest.raises(ConfigError, match="nosuch:// cannot be read here"):
        Storage("nosuch://lab/x").list()


# Fetching


def test_only_what_changed_is_fetched_again(far):
    for name in ("epoch-1.h5", "epoch-2.h5", "history.csv", "notes.txt", "more/epoch-3.h5"):
        far.pipe(f"/lab/run/{name}", name.encode())
    run = place("memory://lab/run")
    choose = lambda names: wanted_names(names, ["*.h5"])  # noqa: E731
    fetch_run(run, choose)
    here = {p.relative_to(run).as_posix(): p for p in run.rglob("*") if p.is_file()}
    assert sorted(here) == ["epoch-1.h5", "epoch-2.h5", "history.csv"]
    before = {name: path.stat().st_ino for name, path in here.items()}
    time.sleep(0.01)
    far.pipe("/lab/run/epoch-2.h5", b"epoch-X.h5")  # as long as before
    far.rm("/lab/run/history.csv")
    fetch_run(run, choose)
    assert here["epoch-2.h5"].read_bytes() == b"epoch-X.h5" and not here["history.csv"].exists()
    assert here["epoch-1.h5"].stat().st_ino == before["epoch-1.h5"]
    here["epoch-1.h5"].write_bytes(b"spoilt by somebody")  # the copy is not trusted, the listing is
    fetch_run(run, choose)
    assert here["epoch-1.h5"].read_bytes() == b"epoch-1.h5"
    # The same file through another door is the same copy.
    inode = here["epoch-1.h5"].stat().st_ino
    fetch_files(here["epoch-1.h5"])
    assert here["epoch-1.h5"].stat().st_ino == inode
    far.rm("/lab/run/epoch-1.h5")
    assert set(list_again(run, deep=True)) == {run / "epoch-2.h5", run / "notes.txt", run / "more" / "epoch-3.h5"}
    assert not here["epoch-1.h5"].exists()


def test_a_run_has_the_same_files_there_and_here(far, tmp_path):
    names = [
        "epoch-1.keras", "epoch-2.weights.h5", "ckpt-3.index", "ckpt-3.data-00000-of-00001", "checkpoint", "run.json",
        "history.csv", "log.txt", "plot.png", "probes/p.npy", "saved/saved_model.pb", "saved/assets/words.txt",
        "saved/variables/variables.index", "unzipped.keras/config.json", "unzipped.keras/model.weights.npz",
        "deep/a/b/epoch-4.h5", ".hidden/epoch-5.h5", "__pycache__/x.h5", "w.weights.json", "w_00001.weights.h5", "odd",
    ]  # fmt: skip
    for name in names:
        path = tmp_path / "run" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
        far.pipe(f"/lab/run/{name}", name.encode())
    for patterns in (("**/*",), ("*.keras",), ("ckpt-*",), ("saved", "deep/**/*.h5"), ("epoch-?.*",)):
        run = place("memory://lab/run")
        shutil.rmtree(cache(), ignore_errors=True)
        fetch_run(run, lambda names, patterns=patterns: wanted_names(names, patterns))
        there, here = (
            {p.relative_to(root).as_posix() for p in run_files(RunConfig(path=root, checkpoints=patterns), tmp_path)}
            for root in (run, tmp_path / "run")
        )
        assert there == here, patterns
    for alone in ("epoch-1.keras", "ckpt-3"):
        shutil.rmtree(cache(), ignore_errors=True)
        fetch_run(place(f"memory://lab/run/{alone}"), lambda names: wanted_names(names, ("**/*",)))
        there, here = (
            {p.name for p in run_files(RunConfig(path=root / alone), tmp_path)}
            for root in (place("memory://lab/run"), tmp_path / "run")
        )
        assert there == here and len(here) > 2, alone


@pytest.mark.parametrize("pattern", ["*.png", "", "a1.png", "**/*.png", "b/*.png", "[ab]?.png", "*/c/*", "none*.png"])
def test_a_pattern_means_the_same_there_and_here(far, tmp_path, pattern):
    for name in ("a1.png", "a2.png", "b1.png", ".x.png", "b/a3.png", "b/c/a4.png", "t.csv"):
        (tmp_path / "p" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "p" / name).write_bytes(b"x")
        far.pipe(f"/lab/p/{name}", b"x")
    root = place("memory://lab/p")
    fetch_pattern(str(root / pattern))
    assert {p.relative_to(root) for p in matches(tmp_path, str(root / pattern))} == {
        p.relative_to(tmp_path / "p") for p in matches(tmp_path, f"p/{pattern}")
    }


def test_probes_of_another_machine_are_those_of_this_one(far, tmp_path):
    rng = np.random.default_rng(1)
    for name in ("g/a.png", "g/b.png", "r/a.png", "r/b.png", "masks/ma.png", "masks/mb.png"):
        (tmp_path / "p" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (8, 8), dtype=np.uint8)).save(tmp_path / "p" / name)
    (tmp_path / "p" / "c.csv").write_text(
        "file,label,mask\ng/b.png,round,masks/mb.png\ng/a.png,flat,../p/masks/ma.png\n"
    )
    far.put(str(tmp_path / "p"), "/lab/", recursive=True)
    sets = []
    for root in ("p", "memory://lab/p"):
        values = {
            "run": {"path": f"{root}/training/run"},
            "probes": {
                "images": {"g": f"{root}/g/*.png", "r": f"{root}/r/*.png"}, "catalogue": f"{root}/c.csv",
                "inputs": {"mask": {"column": "mask"}},
            },
        }  # fmt: skip
        config = Config.model_validate(values)
        fetch_inputs(config)
        sets.append(load_probes(config.probes, tmp_path))
    here, there = sets
    assert not here.failures and not there.failures
    assert here.sha256 == there.sha256 and [p.label for p in here.probes] == [p.label for p in there.probes]
    assert there.probes[0].source == "memory://lab/p/g/a.png + memory://lab/p/r/a.png"
    assert np.array_equal(here.others["mask"].values, there.others["mask"].values)
    assert run_files(config.run, tmp_path) == []  # nothing lies there yet: a training that has not begun


def test_names_that_lead_out_of_the_folder_are_not_fetched(far, tmp_path):
    far.store["/lab/run/../../../out.h5"] = far.open("/lab/run/in.h5", "wb")
    far.pipe("/lab/run/in.h5", b"in")
    fetch_run(place("memory://lab/run"), lambda names: names)
    assert [p.name for p in (tmp_path / "cache").rglob("*.h5") if "fetched" not in p.parts] == ["in.h5"]


def test_a_store_without_whole_writes_gets_them_by_renaming(tmp_path):
    source = tmp_path / "x"
    source.write_bytes(b"new")
    storage = Storage(f"file://{tmp_path}/store")
    assert storage.list() == {}
    storage.put({"a/b/x": source})
    storage.mark("a/claim")
    assert {name: about.size for name, about in storage.list().items()} == {"a/b/x": 3, "a/claim": 0}
    assert list(storage.list("a", deep=False)) == ["a/claim"]
    for _ in storage.fetch({"a/b/x": tmp_path / "back" / "x"}):
        assert (tmp_path / "back" / "x").read_bytes() == b"new"
    storage.remove(["a/b/x", "a/never"])
    assert list(storage.list()) == ["a/claim"]
    assert not list(tmp_path.rglob(".part-*"))
    with pytest.raises(RemoteError, match="cannot be read"):
        list(storage.fetch({"a/gone": tmp_path / "gone"}))


# Filing


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
    # Both make one in the same second of the same: two reports, never one of two halves.
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


# A real server


@pytest.fixture(scope="module")
def server():
    with s3_server() as port:
        yield port


@pytest.fixture(scope="module")
def bucket(server):
    return Bucket(server)


@pytest.fixture
def gate(server):
    gate = Gate(server)
    yield gate
    gate.listening.close()


def wait_for(true, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_an_upload_that_is_killed_or_whose_server_dies_is_no_report(gate, bucket, tmp_path):
    file_report(tmp_path, "alpha", formats=("json",))
    bucket.put_folder(tmp_path / "reports", "cut")
    (first,) = bucket.reports("cut")
    host = Host(tmp_path / "cache", gate.url)
    render = ("render", f"s3://{BUCKET}/cut/alpha/{first}", "--formats", "json", "-q")
    gate.left = 2
    process = host.start(*render)
    assert gate.stopped.wait(60)
    wait_for(lambda: bucket.ids("cut") > {first})
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert bucket.reports("cut") == [first]
    assert len(bucket.ids("cut")) == 2  # half of it lies there …
    gate.open()
    for seen_by in (host, Host(tmp_path / "another", gate.url)):
        listed = json.loads(seen_by.run("list", f"s3://{BUCKET}/cut", "--json").stdout)
        assert [row["id"] for row in listed["reports"]] == [first]  # … and nobody is shown it
    index = ("index", f"s3://{BUCKET}/cut")
    gate.left, gate.dies = 1, True
    done = host.run(*index)
    assert done.returncode == 1 and bucket.reports("cut") == [first]
    assert f"s3://{BUCKET}/cut/alpha/" in done.stderr and "kept here" in done.stderr
    assert "not-to-be-told" not in done.stderr + done.stdout and str(tmp_path) not in done.stderr
    gate.open()
    assert host.run(*index).returncode == 0  # what is missing is put, and nothing made again
    assert len(bucket.reports("cut")) == 2
    verified = Host(tmp_path / "third", gate.url).run("verify", f"s3://{BUCKET}/cut")
    assert verified.returncode == 0 and "2 of 2" in verified.stdout, verified.stdout
    assert all(id_.encode() in bucket.read("cut/index.html") for id_ in bucket.reports("cut"))
    assert not bucket.names("cut/.store/claims/")


@pytest.fixture(scope="module")
def twins(server, bucket, tmp_path_factory):
    """The same run reported on here, and from and to the server, whose first upload is cut off; what was said then."""
    from test_pipeline import project

    here, there = tmp_path_factory.mktemp("here"), tmp_path_factory.mktemp("there")
    config = project(here / "p")
    config.write_text(config.read_text() + "privacy: strict\n")
    text = config.read_text()
    for name in ("run", "probes"):
        bucket.put_folder(config.parent / name, name)
    far = there / "small.yaml"
    far.write_text(
        text.replace("{path: run}", f"{{path: s3://{BUCKET}/run}}").replace("probes/", f"s3://{BUCKET}/probes/")
        + f"archive: s3://{BUCKET}/reports\n"
    )
    gate = Gate(server)
    host = Host(there / "cache", gate.url)
    assert host.run("run", config, "-q").returncode == 0
    gate.left, gate.dies = 3, True
    cut = host.run("run", far)
    visible = bucket.reports("reports")
    gate.open()
    again = host.run("run", far)
    yield config, far, host, gate, cut, visible, again
    gate.listening.close()


@pytest.mark.slow
def test_a_server_that_dies_in_an_upload_costs_nothing_measured(twins, bucket):
    *_, cut, visible, again = twins
    assert cut.returncode == 1 and "epoch-002.keras: measured" in cut.stderr and visible == []
    assert "the report is finished, and not where it belongs yet" in cut.stderr and "kept here" in cut.stderr
    assert again.returncode == 0 and "measured" not in again.stderr, again.stderr
    (made,) = bucket.reports("reports")
    assert again.stdout.splitlines()[0] == f"unchanged: s3://{BUCKET}/reports/run/{made}"
    assert made.encode() in bucket.read("reports/index.html")


@pytest.mark.slow
def test_the_same_report_from_a_server_as_from_this_machine(twins, bucket):
    """Only the URLs in place of paths differ; what else may is said here, file by file, and why."""
    import h5py
    from pypdf import PdfReader

    config, _, host, *_ = twins
    (folder,) = (config.parent / "reports" / "run").iterdir()
    (made,) = bucket.reports("reports")
    start = f"reports/run/{made}/"
    there = {name.removeprefix(start): bucket.read(name) for name in bucket.names(start)}
    here = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert here.keys() == there.keys() and "report.pdf" in here
    written = {name: data.replace(f"s3://{BUCKET}/".encode(), b"") for name, data in there.items()}
    differ = {name for name in here if here[name] != written[name]}
    # Extractions of checkpoints, pages of checkpoints, report.html and report.json are the same bytes, but for URLs.
    assert differ <= {
        "extraction/_run.json",  # when the store, and when this disk, got the checkpoints: compared below
        "extraction/_probes.h5",  # holds the probes' names, in blocks whose length depends on them: compared below
        "report.pdf",  # is compressed: compared below
        "provenance.json", "rebuild.sh",  # where the configuration lies, seen from the report: there is no way there
        "manifest.json",  # id, time and sums of the above
    }, differ  # fmt: skip
    assert {name for name in here if name.startswith(("extraction/epoch", "checkpoints/"))} and all(
        here[name] == there[name] for name in here if name.startswith(("extraction/epoch", "checkpoints/"))
    )
    plain, far = (json.loads(files["provenance.json"]) for files in (here, written))
    assert {name for name in plain if plain[name] != far[name]} == {"base"}
    plain, far = (json.loads(files["manifest.json"]) for files in (here, written))
    assert {name for name in plain if plain[name] != far[name]} <= {"id", "started", "key", "files"}
    plain, far = (json.loads(files["extraction/_run.json"]) for files in (here, written))
    for checkpoint in (*plain["checkpoints"], *far["checkpoints"]):
        assert checkpoint.pop("modified")
    assert plain == far
    (host.cache / "a.h5").write_bytes(here["extraction/_probes.h5"])
    (host.cache / "b.h5").write_bytes(there["extraction/_probes.h5"])
    with h5py.File(host.cache / "a.h5") as a, h5py.File(host.cache / "b.h5") as b:
        assert _all(a) == {name: _plain(value) for name, value in _all(b).items()}
    (host.cache / "b.pdf").write_bytes(there["report.pdf"])
    one, other = PdfReader(folder / "report.pdf"), PdfReader(host.cache / "b.pdf")
    assert len(one.pages) == len(other.pages)
    pages = [(a, b) for a, b in zip(one.pages, other.pages, strict=True)
             if a.get_contents().get_data() != b.get_contents().get_data()]  # fmt: skip
    assert len(pages) <= 3  # those that name files: the probes', and the configuration's with its line breaks
    for a, b in pages:  # YAML has quotes around a URL in a list
        words = ["".join(page.extract_text().replace("'", "").split()) for page in (a, b)]
        assert words[0] == _plain(words[1])
    for a, b in zip(one.pages, other.pages, strict=True):
        assert [image.data for image in a.images] == [image.data for image in b.images]
    told = b"".join(there.values())
    assert str(host.cache).encode() not in told and b"not-to-be-told" not in told and b"127.0.0.1" not in told


def _plain(value):
    return value.replace(f"s3://{BUCKET}/", "") if isinstance(value, str) else value


def _all(file) -> dict[str, str]:
    found = {f"@{name}": str(value) for name, value in file.attrs.items()}
    file.visititems(
        lambda name, item: found.update(
            {name: repr(item[()].tolist()) if hasattr(item, "shape") else ""}
            | {f"{name}@{key}": str(value) for key, value in item.attrs.items()}
        )
    )
    return found


@pytest.mark.slow
def test_an_unchanged_run_only_lists_and_a_changed_input_is_named(twins, bucket, tmp_path):
    _, far, host, gate, *_ = twins
    gate.requests.clear()
    code = f"""
import sys
from reportgen.cli.entry import exit_code_of
code = exit_code_of(["run", {str(far)!r}])
assert "tensorflow" not in sys.modules and "keras" not in sys.modules
sys.exit(code)
"""
    done = subprocess.run([sys.executable, "-c", code], env=host.environment, capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert done.returncode == 0 and done.stdout.startswith("unchanged"), done.stderr
    assert gate.requests and all("list-type=2" in request or "HEAD" in request for request in gate.requests), (
        gate.requests
    )
    other = Host(tmp_path / "cache", gate.url)
    assert other.run("run", far).stdout.startswith("unchanged")  # a machine that has nothing of it, yet
    assert not list(tmp_path.rglob("report.html"))
    bucket.put("probes/probes.csv", bucket.read("probes/probes.csv").replace(b"g0.png,isolated", b"g0.png,merger"))
    explained = other.run("explain", far)
    assert f"input changed: s3://{BUCKET}/probes/probes.csv" in explained.stdout, explained.stdout
