"""The folder of journals: one file for each run of the program and image."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs
import psutil

from napari_piclick.session.recovery import JournalError, read_head

if TYPE_CHECKING:
    from napari_piclick.session.image_identity import ImageIdentity

#: Journals of sessions that ended as they should are kept for so many days.
KEPT_DAYS = 30
_LOG = logging.getLogger(__name__)


def journal_folder() -> Path:
    """The folder of journals: in the user's data folder, or where $PICLICK_JOURNALS says."""
    chosen = os.environ.get("PICLICK_JOURNALS")
    if chosen:
        return Path(chosen)
    return Path(platformdirs.user_data_dir("napari-piclick")) / "journals"


def this_program() -> dict[str, Any]:
    """What tells this run of the program from others."""
    return {"pid": os.getpid(), "started": psutil.Process().create_time()}


def new_journal_path(folder: Path, image: ImageIdentity) -> Path:
    """A name for a journal that no other has."""
    moment = time.strftime("%Y%m%d-%H%M%S")
    stem = f"{moment}-{image.fingerprint[:8] or 'lazy'}-{os.getpid()}"
    path = folder / f"{stem}.jsonl"
    number = 1
    while path.exists():
        path = folder / f"{stem}-{number}.jsonl"
        number += 1
    return path


def find_unfinished(folder: Path, image: ImageIdentity) -> list[Path]:
    """The journals of sessions on an image that were cut short, the latest first.

    Files that are no journals are passed over.
    """
    found = []
    for path in sorted(folder.glob("*.jsonl"), reverse=True) if folder.is_dir() else ():
        try:
            about, program, closed = read_head(path)
        except (JournalError, OSError):
            _LOG.info("%s is no journal that can be read", path, exc_info=True)
            continue
        if not closed and about.same_as(image) and not _running(program):
            found.append(path)
    return found


def clean_up(folder: Path) -> None:
    """Delete journals of sessions that ended as they should, long ago."""
    limit = time.time() - KEPT_DAYS * 24 * 3600
    for path in folder.glob("*.jsonl") if folder.is_dir() else ():
        try:
            if path.stat().st_mtime < limit and read_head(path)[2]:
                path.unlink()
        except (JournalError, OSError):
            continue


def put_away(path: Path) -> None:
    """Offer a journal no more; it stays beside the others, for a person to read."""
    path.replace(path.with_suffix(".done"))


def _running(program: dict[str, Any]) -> bool:
    """Whether the run of the program that wrote a journal still goes on."""
    try:
        process = psutil.Process(int(program["pid"]))
        return bool(abs(process.create_time() - float(program["started"])) < 1)
    except (psutil.Error, KeyError, TypeError, ValueError):
        return False
