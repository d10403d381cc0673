"""Checkpoints, probes and archive on other machines: mirrored, put back whole or not at all, and no key told."""

from __future__ import annotations

import importlib.util
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reportgen.cli.entry import exit_code_of
from reportgen.config import Config, RunConfig, WrongConfig, load
from reportgen.config.files import matches
from reportgen.errors import ConfigError, RemoteError
from reportgen.places import cache, name_of, place, told, url_of
from reportgen.probes import load_probes
from reportgen.remote import fetch_files, fetch_pattern, fetch_run, list_again
from reportgen.remote.storage import Storage
from reportgen.store.fetching import fetch_inputs
from reportgen.store.inputs import run_files, wanted_names


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
