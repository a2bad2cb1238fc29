"""Download: a file of weights fetched from its address, resumed after a cut, and checked."""

from __future__ import annotations

import logging
import shutil
from contextlib import contextmanager
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pooch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

    from napari_piclick.weights.catalogue import Entry

    Progress = Callable[[int, int | None], None]

#: Bytes read at a time.
CHUNK = 1 << 18
#: How often a cut connection is taken up again before giving up.
ATTEMPTS = 5
TIMEOUT_SECONDS = 30


def download(entry: Entry, folder: Path, on_progress: Progress | None = None) -> Path:
    """Download a model's file into a folder.

    What has arrived when a connection is cut is kept beside it (``.part``) and
    taken up again, now or at the next call.

    Parameters
    ----------
    entry : Entry
        With a ``url``.
    folder : Path
    on_progress : callable, optional
        Called with the bytes there are and the bytes there will be (None if unknown); it may
        raise `Cancelled`.

    Raises
    ------
    Cancelled
        If ``on_progress`` raised it.
    ValueError
        If the checksum is not the catalogue's; nothing is left behind.
    ConnectionError
        If the file cannot be had; what has arrived is kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    fetch = ResumingDownloader(folder / (entry.file + ".part"), on_progress)
    log: logging.Logger = pooch.get_logger()
    level = log.level
    log.setLevel(logging.WARNING)  # our progress says it better
    try:
        path = pooch.retrieve(
            entry.url, f"sha256:{entry.sha256.lower()}", entry.file, folder, downloader=fetch
        )
    except ValueError as error:
        raise ValueError(
            f"The file that {entry.url} gave is not {entry.name}: its SHA-256 is another than "
            "the catalogue's. It was thrown away; try again, or tell whoever keeps the catalogue."
        ) from error
    finally:
        log.setLevel(level)
    return folder / str(path)


@contextmanager
def downloaded(entry: Entry, folder: Path, on_progress: Progress | None = None) -> Iterator[Path]:
    """A model's file for as long as it is needed; see `download`.

    It lies in a folder of its own, where it can be in the way of no other file, such as the one
    that is made of it. The folder stays only where what has arrived of a file is kept in it.

    Parameters
    ----------
    entry : Entry
        With a ``url``.
    folder : Path
        In which the file's own folder is made.
    on_progress : callable, optional

    Raises
    ------
    Cancelled, ValueError, ConnectionError
        As `download` does.
    """
    own = folder / f"{entry.name}.download"
    try:
        path = download(entry, own, on_progress)
    except ValueError:  # nothing of it is of use
        shutil.rmtree(own, ignore_errors=True)
        raise
    try:
        yield path
    finally:
        shutil.rmtree(own, ignore_errors=True)


class Cancelled(Exception):  # noqa: N818  it is no error
    """Raised by an ``on_progress`` to stop a download; what has arrived is kept."""


class ResumingDownloader:
    """A downloader for pooch that goes on where it, or an earlier one, was cut off.

    Parameters
    ----------
    part : Path
        Keeps what has arrived.
    on_progress : callable, optional
        See `download`.
    """

    def __init__(self, part: Path, on_progress: Progress | None = None) -> None:
        self.part = part
        self._on_progress = on_progress

    def __call__(self, url: str, output_file: str, _: Any) -> None:
        """Download ``url`` to ``output_file``; pooch calls this."""
        problem: Exception | None = None
        for _attempt in range(ATTEMPTS):
            try:
                if self._fetch(url):
                    self.part.replace(output_file)
                    return
            except HTTPError as error:
                if error.code != 416:  # what is kept is not a beginning of what is there now
                    raise ConnectionError(f"{url} cannot be had: {error}.") from error
                self.part.unlink(missing_ok=True)
            except (URLError, HTTPException, OSError) as error:
                problem = error
        raise ConnectionError(
            f"The connection to {url} was cut again and again ({problem or 'no more data'}); "
            "what has arrived is kept, and the next try goes on from there."
        ) from problem

    def _fetch(self, url: str) -> bool:
        """Fetch what is missing; False if it ended too early."""
        start = self.part.stat().st_size if self.part.exists() else 0
        headers = {"Range": f"bytes={start}-"} if start else {}
        with urlopen(Request(url, headers=headers), timeout=TIMEOUT_SECONDS) as answer:
            if answer.status != 206:  # the server sends all of it
                start = 0
            length = answer.headers.get("Content-Length")
            total = start + int(length) if length else None
            with self.part.open("ab" if start else "wb") as file:
                while chunk := answer.read(CHUNK):
                    file.write(chunk)
                    if self._on_progress is not None:
                        self._on_progress(file.tell(), total)
                return total is None or file.tell() >= total
