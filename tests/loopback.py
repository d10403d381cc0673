"""A real S3 server as a process on loopback, and a gate before it that stops an upload half-way or seems to be dead."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

BUCKET = "lab"
SECRET = "not-to-be-told"  # noqa: S105 - any will do for this server
SERVER = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


@contextmanager
def s3_server() -> Iterator[int]:
    """Yield the port of a server that ends with the block."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(30)


class Gate:
    """Stands between reportgen and the server; by default everything passes."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.left: int | None = None
        """Files of reports that may still be put; None: any number."""
        self.dead = False
        """Whether nothing is answered any more."""
        self.dies = False
        """Whether it is dead once no more may be put; else the next is kept waiting for ever."""
        self.stopped = threading.Event()
        self.requests: list[str] = []
        self.lock = threading.Lock()
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listening.getsockname()[1]}"

    def open(self) -> None:
        self.left, self.dead, self.dies = None, False, False
        self.stopped.clear()
        self.requests.clear()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client = self.listening.accept()[0]
                if self.dead:
                    client.close()
                else:
                    threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with closing(client), socket.create_connection(("127.0.0.1", self.target)) as server, suppress(OSError):
            threading.Thread(target=_pump, args=(server, client), daemon=True).start()
            while data := client.recv(65536):
                first = data.partition(b"\r\n")[0]
                if first.endswith(b"HTTP/1.1"):
                    self.requests.append(first.decode())
                if first.startswith(b"PUT ") and b"/.store/" not in first and not self._may_put():
                    if self.dies:
                        return
                    time.sleep(600)
                if self.dead:
                    return
                server.sendall(data)

    def _may_put(self) -> bool:
        with self.lock:
            if self.left is None:
                return True
            self.left -= 1
            if self.left >= 0:
                return True
            self.dead = self.dies
            self.stopped.set()
            return False


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)


class Host:
    """A machine of its own, as far as reportgen knows: it has its own cache, and the standard variables of S3."""

    def __init__(self, cache: Path, endpoint: str) -> None:
        self.cache = cache
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "REPORTGEN_"))} | {
            "XDG_CACHE_HOME": str(cache), "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "loopback",
            "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "us-east-1", "AWS_MAX_ATTEMPTS": "1",
        }  # fmt: skip

    def start(self, *words: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "reportgen", *map(str, words)], env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        process = self.start(*words)
        out, error = process.communicate(timeout=500)
        return subprocess.CompletedProcess(words, process.returncode, out, error)


class Bucket:
    """What lies in the bucket, by the server's own word."""

    def __init__(self, port: int) -> None:
        import boto3

        self.client = boto3.client(
            "s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1",
            aws_access_key_id="loopback", aws_secret_access_key=SECRET,
        )  # fmt: skip
        self.client.create_bucket(Bucket=BUCKET)

    def names(self, start: str = "") -> list[str]:
        return [about["Key"] for about in self.client.list_objects_v2(Bucket=BUCKET, Prefix=start).get("Contents", [])]

    def read(self, name: str) -> bytes:
        return self.client.get_object(Bucket=BUCKET, Key=name)["Body"].read()

    def put(self, name: str, data: bytes) -> None:
        self.client.put_object(Bucket=BUCKET, Key=name, Body=data)

    def put_folder(self, folder: Path, start: str) -> None:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not any(p in (".locks", ".store") for p in path.relative_to(folder).parts):
                self.put(f"{start}/{path.relative_to(folder).as_posix()}", path.read_bytes())

    def ids(self, archive: str) -> set[str]:
        """Return the ids of all of which anything lies there."""
        return {name.split("/")[2] for name in self.names(f"{archive}/") if name.count("/") > 2 and "/." not in name}

    def reports(self, archive: str) -> list[str]:
        """Return the ids of the reports that have a manifest."""
        return sorted(name.split("/")[-2] for name in self.names(archive) if name.endswith("/manifest.json"))
