"""The catalogue: models known by name that do not come with the package."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What such a file is called, here and in folders of weights.
FILE = "catalogue.toml"
_NAME = re.compile(r"[A-Za-z0-9][\w.+-]*")


@dataclass(frozen=True)
class Entry:
    """A model that can be asked for by name.

    Parameters
    ----------
    name : str
    file : str
        The name its authors gave the file.
    licence : str
    page : str
        Where people get it.
    url : str
        Where a program can download it; empty if nowhere.
    sha256 : str
        Of the file, 64 hexadecimal digits; needed with ``url``.
    """

    name: str
    file: str
    licence: str
    page: str = ""
    url: str = ""
    sha256: str = ""

    def __post_init__(self) -> None:
        for field in ("name", "file"):
            if not _NAME.fullmatch(getattr(self, field)):
                raise ValueError(f"{getattr(self, field)!r} cannot be a model's {field}")
        if self.url and not re.match(r"https?://", self.url):
            raise ValueError(f"the address of {self.name} begins with neither http:// nor https://")
        if self.url and not re.fullmatch(r"[0-9a-fA-F]{64}", self.sha256):
            raise ValueError(f"{self.name} has an address but no SHA-256 of 64 hexadecimal digits")


def read_catalogue(folders: Iterable[Path] = ()) -> dict[str, Entry]:
    """Entries by name: ours, and those of the catalogues that lie in ``folders``.

    Raises
    ------
    ValueError
        If a catalogue cannot be read; the message names the file.
    """
    entries: dict[str, Entry] = {}
    for path in (Path(__file__).with_name(FILE), *(folder / FILE for folder in folders)):
        if path.is_file():
            for entry in _entries(path):
                entries[entry.name] = entry
    return entries


def _entries(path: Path) -> list[Entry]:
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return [Entry(**values) for values in content.get("model", [])]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError, ValueError) as error:
        raise ValueError(f"The list of models in {path} cannot be read: {error}.") from error
