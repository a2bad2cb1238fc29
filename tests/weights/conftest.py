"""A folder of weights of its own for each test, and a server on loopback."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that weights are kept in."""
    path = tmp_path / "weights"
    monkeypatch.setenv("PICLICK_WEIGHTS_DIR", str(path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return path


@pytest.fixture
def micro_file() -> Path:
    """The smallest of the authors' checkpoints."""
    return Path(__file__).parents[1] / "data" / "published" / "piclick_micro_random.pth"


class FileServer:
    """Serves one content; may cut each answer short, and may not know ranges."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.cut_after: int | None = None
        self.ranges = True
        self.asked: list[str | None] = []
        self.sent = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                wanted = self.headers.get("Range")
                outer.asked.append(wanted)
                start = int(wanted.split("=")[1].rstrip("-")) if wanted and outer.ranges else 0
                if start >= len(outer.content):
                    self.send_error(416)
                    return
                rest = outer.content[start:]
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(rest)))
                self.end_headers()
                part = rest if outer.cut_after is None else rest[: outer.cut_after]
                self.wfile.write(part)
                outer.sent += len(part)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/weights.pth"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server(micro_file: Path) -> Iterator[FileServer]:
    """Serves the smallest checkpoint."""
    server = FileServer(micro_file.read_bytes())
    yield server
    server.close()
