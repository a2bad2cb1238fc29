"""Whole files: written under a temporary name, then renamed, so that none is ever half there."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from napari_piclick.io.errors import VolumeError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path in the same folder, with the same ending; rename it at the end.

    If anything fails, an older file stays as it was and no part of the new one is left.

    Raises
    ------
    VolumeError
        If the file cannot be written.
    """
    if path.is_dir():
        raise VolumeError(f"{path} is a folder; name a file to write.")
    if not path.parent.is_dir():
        raise VolumeError(f"There is no folder {path.parent} to write {path.name} into.")
    temporary = path.with_name(f".{os.getpid()}.part.{path.name}")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise VolumeError(f"{path} could not be written ({reason}).") from error
    finally:
        temporary.unlink(missing_ok=True)
