"""The store: files of weights that were added, under names, in a folder of the user's.

An authors' checkpoint is turned into a safetensors file once; the SHA-256 of what it was
made from is kept in it and found again, and its own in a ``.sha256`` file beside it.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pooch
from safetensors import SafetensorError, safe_open

from napari_piclick.models.registry import FAST, MODELS, THOROUGH, sha256
from napari_piclick.weights.catalogue import Entry, read_catalogue
from napari_piclick.weights.download import downloaded

if TYPE_CHECKING:
    from napari_piclick.weights.download import Progress

#: Names a folder to use instead of the user's cache, for machines without internet.
VARIABLE = "PICLICK_WEIGHTS_DIR"
AUTHORS_SUFFIXES = (".pth", ".pt")


@dataclass(frozen=True)
class Stored:
    """A model of the store.

    Parameters
    ----------
    name : str
    path : Path
        Its safetensors file.
    architecture : str
    source : str
        Name of the file that it was made from.
    source_sha256 : str
    licence : str
    config : str
        The network's configuration, as JSON.
    """

    name: str
    path: Path
    architecture: str
    source: str
    source_sha256: str
    licence: str
    config: str

    def named(self, *, fast: bool, thorough: bool) -> str:
        """Its name, asking for the mode that is wanted: published networks have the fast one."""
        published = self.architecture == "piclick"
        mode, wanted = (FAST, fast) if published else (THOROUGH, thorough)
        return self.name + (mode if wanted else "")

    @property
    def recorded(self) -> str:
        """The SHA-256 written down when the file was made; "" if there is none."""
        try:
            return _checksum_file(self.path).read_text(encoding="ascii").split()[0]
        except (OSError, IndexError, UnicodeDecodeError):
            return ""


def folders() -> list[Path]:
    """Where weights are looked for: ``PICLICK_WEIGHTS_DIR`` if it is set, then the user's cache."""
    named = os.environ.get(VARIABLE, "").strip()
    cache = Path(pooch.os_cache("napari-piclick")) / "weights"
    return [Path(named).expanduser(), cache] if named else [cache]


def catalogue() -> dict[str, Entry]:
    """The models known by name that do not come with the package."""
    return read_catalogue(folders())


def stored() -> dict[str, Stored]:
    """The models that were added, by name; a file that cannot be read is left out."""
    found: dict[str, Stored] = {}
    for folder in reversed(folders()):
        for path in sorted(folder.glob("*.safetensors")):
            model = describe(path)
            if model is not None:
                found[model.name] = model
    return found


def describe(path: Path) -> Stored | None:
    """What a safetensors file says of itself; None if it holds no weights of ours."""
    try:
        with safe_open(path, "np") as file:
            notes = file.metadata() or {}
    except (SafetensorError, OSError):
        return None
    if "architecture" not in notes:
        return None
    return Stored(
        path.stem,
        path,
        notes["architecture"],
        notes.get("source", ""),
        notes.get("source_sha256", ""),
        notes.get("licence", "not stated"),
        notes.get("config", "{}"),
    )


def add(source: str | Path, name: str | None = None, on_progress: Progress | None = None) -> Stored:
    """Add a model to the store.

    Parameters
    ----------
    source : str or Path
        An authors' checkpoint (.pth), a safetensors file of ours, or the name of a model of the
        catalogue, which is downloaded.
    name : str, optional
        What to call it; the catalogue's name, or the file's, if not given.
    on_progress : callable, optional
        Of a download; see `download`.

    Raises
    ------
    FileNotFoundError, ValueError, ConnectionError
        If it is not there, or refused, or another model has the name; nothing is left behind.
    """
    entries = catalogue()
    entry = entries.get(str(source))
    path = Path(source).expanduser()
    if entry is not None and not path.is_file():
        return _add_entry(entry, name or entry.name, on_progress)
    if not path.is_file():
        raise FileNotFoundError(f"{source!s} is neither a file nor a model of the catalogue.")
    entry = next((e for e in entries.values() if e.file == path.name), None)
    return _add_file(path, name or _own_name(path), entry)


def _add_file(path: Path, name: str, entry: Entry | None) -> Stored:
    """Add a file, which is that of an entry of the catalogue, or of none."""
    check_name(name)
    digest = sha256(path)
    if entry is not None and entry.sha256 and entry.sha256.lower() != digest:
        raise ValueError(
            f"{path} is not the {entry.name} of the catalogue: its SHA-256 is another. "
            "Download it again."
        )
    known = stored().get(name)
    if known is not None:
        if digest in (known.source_sha256, sha256(known.path)):
            return known
        # It may be the only copy there is, of a model that was fine-tuned.
        raise ValueError(
            f"There is another model {name} already: give this one another name (--name), or "
            "rename its file."
        )
    licence = entry.licence if entry else "not stated"
    return _write(path, name, {"source": path.name, "source_sha256": digest, "licence": licence})


def check_name(name: str) -> None:
    """Make sure that a model can have a name.

    Raises
    ------
    ValueError
        If it cannot.
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w.+-]*", name) or name in MODELS:
        raise ValueError(f"A model cannot be called {name!r}; choose another name.")


def check_free(name: str) -> None:
    """Make sure that a new model can have a name, and that none has it yet.

    Raises
    ------
    ValueError
        If it cannot.
    """
    check_name(name)
    if name in stored() or name in catalogue():
        raise ValueError(f"There is a model {name} already; choose another name.")


def find(name_or_path: str | Path) -> Stored | None:
    """A model of the store, added first if it is a checkpoint or can be downloaded.

    Returns
    -------
    Stored or None
        None for what is neither a file nor a name known here.

    Raises
    ------
    FileNotFoundError, ValueError, ConnectionError
        If its file is refused or cannot be had; the message says what to do.
    """
    path = Path(name_or_path).expanduser()
    if path.is_file():
        if path.suffix.lower() in AUTHORS_SUFFIXES:
            return _converted(path)
        return describe(path)
    name = str(name_or_path)
    known = stored().get(name)
    if known is not None:
        return known
    entry = catalogue().get(name)
    return None if entry is None else add(name)


def verify(model: Stored) -> str:
    """Compare a file with the checksum written down when it was made.

    Returns
    -------
    str
        "" if it is as it was; otherwise what is wrong, as a sentence.
    """
    if not model.recorded:
        return f"No checksum of {model.name} was written down; add it again to have one."
    if sha256(model.path) != model.recorded:
        return f"{model.path} has changed since it was added; remove it and add it again."
    return ""


def _converted(path: Path) -> Stored:
    """The model made of a checkpoint, found again by the checksum of its source."""
    digest = sha256(path)
    for model in stored().values():
        if model.source_sha256 == digest:
            return model
    return add(path, _free_name(path))


def _free_name(path: Path) -> str | None:
    """A name for a checkpoint where another one has its own already; None if none has."""
    name = _own_name(path)
    return f"{name}-{sha256(path)[:8]}" if name in stored() else None


def _own_name(path: Path) -> str:
    """The catalogue's name for a file, or the file's."""
    known = (entry.name for entry in catalogue().values() if entry.file == path.name)
    return next(known, re.sub(r"[^\w.+-]+", "-", path.stem))


def _add_entry(entry: Entry, name: str, on_progress: Progress | None) -> Stored:
    """Add a model of the catalogue: its file may lie in a folder of weights already."""
    for path in (folder / entry.file for folder in folders()):
        # another model may be called as this one's file
        if path.is_file() and (not entry.url or sha256(path) == entry.sha256.lower()):
            return _add_file(path, name, entry)
    if not entry.url:
        raise FileNotFoundError(
            f"The authors of {entry.name} hand its weights out themselves: download "
            f"{entry.file} from {entry.page}, then drop it on the model panel or run "
            f"python -m napari_piclick.weights add {entry.file}."
        )
    with downloaded(entry, _writable(), on_progress) as path:
        return _add_file(path, name, entry)


def _write(source: Path, name: str, notes: dict[str, str]) -> Stored:
    target = _writable() / f"{name}.safetensors"
    if source.suffix.lower() == ".safetensors":
        _copy(source, target)
    else:
        from napari_piclick.models.published_checkpoint import convert  # torch takes its time

        convert(source, target, notes)
    checksum = _checksum_file(target)
    partial = checksum.with_name(checksum.name + ".part")
    partial.write_text(f"{sha256(target)}  {target.name}\n", encoding="ascii")
    partial.replace(checksum)
    model = describe(target)
    assert model is not None
    return model


def _copy(source: Path, target: Path) -> None:
    if describe(source) is None:
        raise ValueError(f"{source} does not hold weights that napari-piclick knows.")
    partial = target.with_name(target.name + ".part")
    partial.write_bytes(source.read_bytes())
    partial.replace(target)


def _writable() -> Path:
    """The first folder that can be written to, made if needed."""
    problem: OSError | None = None
    for folder in folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            problem = error
            continue
        if os.access(folder, os.W_OK):
            return folder
    raise ValueError(
        f"No folder for weights can be written to ({problem or folders()[-1]}); "
        f"set {VARIABLE} to one that can."
    )


def _checksum_file(path: Path) -> Path:
    return path.with_suffix(".sha256")
