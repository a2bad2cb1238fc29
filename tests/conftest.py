"""What several test modules share: a predictor whose answers are known."""

from __future__ import annotations

import os
import tempfile
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import ndimage

from napari_piclick.proposals import Proposals
from napari_piclick.region import Region

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_piclick.clicks import Click

PROPOSALS = 7

# Controllers in tests keep journals as everywhere, but not among those of whoever runs the tests.
os.environ["PICLICK_JOURNALS"] = tempfile.mkdtemp(prefix="piclick-journals-")
# What a test adds to the store, be it in a thread that outlives it, is not to come among theirs.
os.environ["PICLICK_WEIGHTS_DIR"] = tempfile.mkdtemp(prefix="piclick-weights-")
# So do windows with napari's settings, and with the preferences beside them.
os.environ["NAPARI_CONFIG"] = str(Path(tempfile.mkdtemp(prefix="piclick-napari-"), "settings.yaml"))


class FloodPredictor:
    """Segments pixels that are connected to the first positive click and have its value.

    Proposal k is the object grown by k pixels, so every proposal differs. Negative clicks
    cut their own pixel out. A `gate` holds answers back until a test opens it.
    """

    name = "flood"
    weights_hash = "0" * 64
    device = "cpu"

    def __init__(self) -> None:
        self.images: list[np.ndarray] = []
        self.keys: list[Any] = []
        self.windows: list[Any] = []
        self.questions: list[tuple[Click, ...]] = []
        self.previous: list[Any] = []
        self.threads: set[int] = set()
        self.ahead: list[tuple[Any, int]] = []
        self.glances: list[tuple[Click, ...]] = []
        self.encoded = True
        self.gate = threading.Event()
        self.gate.set()
        self.error: Exception | None = None
        self._image: np.ndarray | None = None

    def set_image(
        self, image: Any, *, contrast_limits: Any = None, rgb: bool | None = None, key: Any = None
    ) -> None:
        self._image = np.asarray(image)
        self.images.append(self._image)
        self.keys.append(key)
        self.windows.append(contrast_limits)

    def prefetch(
        self, image: Any, *, contrast_limits: Any = None, rgb: bool | None = None, key: Any = None
    ) -> None:
        self.ahead.append((key, threading.get_ident()))

    def glance(
        self, image: Any, clicks: Sequence[Click], previous: Any = None, **how: Any
    ) -> Proposals | None:
        """What `predict` would say of another image, if that is encoded or is to be."""
        if not (how.pop("encode") or self.encoded):
            return None
        other = FloodPredictor()
        other.set_image(image, **how)
        found = other.predict(clicks, previous)
        self.glances.append(tuple(clicks))
        return found

    def predict(self, clicks: Sequence[Click], previous: Any = None) -> Proposals:
        self.threads.add(threading.get_ident())
        assert self.gate.wait(30)
        if self.error is not None:
            raise self.error
        assert self._image is not None
        self.questions.append(tuple(clicks))
        self.previous.append(previous)
        image = self._image if self._image.ndim == 2 else self._image.astype(int).sum(-1)
        start = next((click for click in clicks if click.positive), None)
        if start is None:  # only what is not part of a mask that was there before
            whole = isinstance(previous, np.ndarray)
            mask = (previous if whole else previous.plane_mask()) > 0.5
        else:
            alike, _ = ndimage.label(image == image[start.pixel])
            mask = alike == alike[start.pixel]
        region = Region.of_mask(mask)
        assert region is not None
        row, col = region.center
        height, width = region.shape
        region = Region.around(
            (row, col), (height + 2 * PROPOSALS, width + 2 * PROPOSALS), image.shape
        )
        grown = [mask]
        for _ in range(PROPOSALS - 1):
            grown.append(ndimage.binary_dilation(grown[-1]))
        masks = np.stack(grown).astype(np.float32)
        for click in clicks:
            if not click.positive:
                masks[:, click.pixel[0], click.pixel[1]] = 0
        return Proposals(
            masks=np.ascontiguousarray(masks[(slice(None), *region.slices)]),
            region=region,
            plane_shape=image.shape,
            iou=np.linspace(0.9, 0.3, PROPOSALS, dtype=np.float32),
            confidence=np.full(PROPOSALS, 0.8, np.float32),
        )


@pytest.fixture
def predictor() -> FloodPredictor:
    return FloodPredictor()


@pytest.fixture
def blocks() -> np.ndarray:
    """(12, 40, 50) uint8: boxes of several sizes, each with a value of its own, on zero."""
    volume = np.zeros((12, 40, 50), np.uint8)
    volume[2:9, 5:20, 6:22] = 60
    volume[1:11, 24:36, 10:20] = 120
    volume[4:7, 8:30, 30:46] = 200
    return volume


@pytest.fixture
def micro_file() -> Path:
    """The smallest of the authors' checkpoints."""
    return Path(__file__).parent / "data" / "published" / "piclick_micro_random.pth"


class FileServer:
    """Serves one content; may cut each answer short, hold one, and may not know ranges."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.cut_after: int | None = None
        self.hold_after: int | None = None
        self._going_on = threading.Event()
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
                if outer.hold_after is not None:
                    self.wfile.write(part[: outer.hold_after])
                    outer._going_on.wait(60)
                    part = part[outer.hold_after :]
                    outer.hold_after = None
                outer.sent += len(part)  # first: who reads it all may look before this goes on
                with suppress(ConnectionError):  # nobody may be waiting for it any more
                    self.wfile.write(part)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/weights.pth"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def go_on(self) -> None:
        """Send the rest of an answer that is held after ``hold_after`` bytes."""
        self._going_on.set()

    def close(self) -> None:
        self._going_on.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server(micro_file: Path) -> Iterator[FileServer]:
    """Serves the smallest checkpoint."""
    server = FileServer(micro_file.read_bytes())
    yield server
    server.close()


@pytest.fixture
def said() -> Iterator[list[str]]:
    """The sentences shown to the user during a test."""
    from napari.utils.notifications import notification_manager

    sentences: list[str] = []

    def hear(notification: object) -> None:
        sentences.append(notification.message)

    notification_manager.notification_ready.connect(hear)
    yield sentences
    notification_manager.notification_ready.disconnect(hear)
