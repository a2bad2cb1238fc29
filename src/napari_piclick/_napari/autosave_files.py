"""The files of the autosave: how they are called, and how earlier ones are kept."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from napari_piclick.io.errors import VolumeError
from napari_piclick.session.saved_session import SUFFIX

if TYPE_CHECKING:
    from pathlib import Path

    from napari_piclick._napari.homes import Home
    from napari_piclick.session.label_map import LabelMap
    from napari_piclick.session.saved_session import SavedSession

#: Longer names of layers are cut: names of files must not be longer than 255 bytes.
LONGEST = 40


class AutosaveFiles:
    """A file for each labels layer of this session; those of earlier sessions are not touched.

    Parameters
    ----------
    folder : Path
        Where the labels of images go that are no files, or in folders that take none.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._paths: WeakKeyDictionary[LabelMap, Path] = WeakKeyDictionary()
        self._taken: set[str] = set()
        self._written: set[Path] = set()

    def path(self, labels: LabelMap, home: Home, name: str) -> Path:
        """Where labels are saved, once and for all.

        Parameters
        ----------
        labels : LabelMap
        home : Home
            Their image.
        name : str
            The name of their layer.
        """
        if labels not in self._paths:
            folder, stem = self._place(home)
            start = f"{stem}.{_plain(name)[:LONGEST]}"
            paths = (
                folder / f"{start}{number}.autosave{SUFFIX}"
                for number in ("", *(f"-{k}" for k in range(2, len(self._taken) + 3)))
            )
            # on some systems capitals make no difference
            path = next(path for path in paths if str(path).lower() not in self._taken)
            self._taken.add(str(path).lower())
            self._paths[labels] = path
        return self._paths[labels]

    def layer_name(self, path: Path, home: Home) -> str:
        """The name for labels that come from a saved file: of an autosave that of their layer."""
        name = path.name.removesuffix(SUFFIX)
        layer = re.sub(r"\.autosave(\.old(-\d+)?)?$", "", name)
        return layer.removeprefix(f"{self._place(home)[1]}.") if layer != name else name

    def write(self, saved: SavedSession, path: Path) -> None:
        """Save under a path of this session; what an earlier one left there gets another name.

        Raises
        ------
        VolumeError
            If it cannot be written.
        """
        try:
            if path.parent == self.folder:
                self.folder.mkdir(parents=True, exist_ok=True)
            if path not in self._written and path.exists():
                _put_aside(path)
        except OSError as error:
            raise VolumeError(f"{path} could not be written ({error.strerror}).") from error
        saved.save(path)
        self._written.add(path)

    def _place(self, home: Home) -> tuple[Path, str]:
        """The folder for an image, and how names of files there begin."""
        beside = None if home.path is None else home.path.parent
        # archives are often there to be read only
        if home.path is not None and beside is not None and os.access(beside, os.W_OK):
            return beside, home.path.name
        return self.folder, f"{_plain(home.identity.name)}-{home.identity.fingerprint[:8]}"


def _plain(name: str) -> str:
    """A name that may be part of that of a file on any system."""
    return "".join(c if c.isalnum() or c in " _" else "-" for c in name).strip()


def _put_aside(path: Path) -> None:
    start = path.name.removesuffix(SUFFIX)
    old, number = path.with_name(f"{start}.old{SUFFIX}"), 2
    while old.exists():
        old, number = path.with_name(f"{start}.old-{number}{SUFFIX}"), number + 1
    path.rename(old)
