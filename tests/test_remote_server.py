"""Checkpoints, probes and archive on a real S3 server: the same report, and uploads that are cut off."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest

from filed import file_report
from loopback import BUCKET, Bucket, Gate, Host, s3_server


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
