"""Recovery: what a journal tells of a session that ended before its time."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_piclick.session.codec import (
    clicks_from_json,
    edit_from_json,
    mask_from_json,
    plane_from_json,
    record_from_json,
)
from napari_piclick.session.image_identity import ImageIdentity
from napari_piclick.session.journal import VERSION
from napari_piclick.session.label_edit import LabelEdit

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator
    from pathlib import Path

    from napari_piclick.clicks import Click
    from napari_piclick.session.record import Record


class JournalError(ValueError):
    """A journal cannot be read; the message is one sentence for the user."""


@dataclass
class RecoveredLabels:
    """What was done to one label map.

    Parameters
    ----------
    name : str
    shape : tuple of int
    dtype : numpy.dtype
        The type it had at first.
    edits : list of (index, values)
        Voxels in C order and what they were given, in the order it was done.
    records : dict of id to Record
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    edits: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    records: dict[int, Record] = field(default_factory=dict)

    def edit_of(self, labels: np.ndarray) -> LabelEdit:
        """The edit that brings an array to where the labels were."""
        index = np.concatenate([np.empty(0, np.int64), *(index for index, _ in self.edits)])
        values = [values for _, values in self.edits]
        after = np.concatenate([np.empty(0, self.dtype), *values]).astype(
            np.result_type(self.dtype, *values) if values else self.dtype
        )
        # Of a voxel that was changed several times the last value counts.
        index, last = np.unique(index[::-1], return_index=True)
        return LabelEdit.of(labels, np.unravel_index(index, self.shape), after[::-1][last])


@dataclass(frozen=True)
class RecoveredDraft:
    """The clicks on an unfinished object."""

    clicks: tuple[Click, ...]
    choices: tuple[tuple[int, int], ...]
    label: int | None
    labels: int | None
    start: np.ndarray | None


@dataclass
class Recovered:
    """All that a journal tells.

    Parameters
    ----------
    path : Path
    image : ImageIdentity
    program : dict
        The run of the program that wrote it.
    labels : dict of int to RecoveredLabels
    drafts : dict of plane to RecoveredDraft
    closed : bool
        Whether that program ended as it should.
    damaged : bool
        Whether a line could not be read; what came before it counts.
    """

    path: Path
    image: ImageIdentity
    program: dict[str, Any]
    labels: dict[int, RecoveredLabels] = field(default_factory=dict)
    drafts: dict[Hashable, RecoveredDraft] = field(default_factory=dict)
    closed: bool = False
    damaged: bool = False

    @property
    def objects(self) -> int:
        """How many finished objects it tells of."""
        return sum(len(labels.records) for labels in self.labels.values())


def read_head(path: Path) -> tuple[ImageIdentity, dict[str, Any], bool]:
    """The image of a journal, the program that wrote it, and whether that ended as it should.

    Raises
    ------
    JournalError
        If it is no journal.
    """
    try:
        head = next(_lines(path), None)
        if head is None or head["journal"] != VERSION:
            raise JournalError(f"{path} is not a journal of this version.")
        image, program = ImageIdentity.from_json(head["image"]), dict(head["program"])
    except JournalError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise JournalError(f"{path} is not a journal of this version.") from error
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - 200, 0))
        closed = b'{"closed":' in file.read()
    return image, program, closed


def read_journal(path: Path, image: Hashable, *, rgb: bool = False) -> Recovered:
    """Read a journal; a line that is not whole, and all after it, are left out.

    Parameters
    ----------
    path : Path
    image : hashable
        Stands for the image in planes.
    rgb : bool
        Whether the image has colours.

    Raises
    ------
    JournalError
        If it is no journal.
    """
    identity, program, _ = read_head(path)
    found = Recovered(path, identity, program)
    lines = _lines(path)
    next(lines)
    try:
        for line in lines:
            _take(found, line, image, rgb)
    except (KeyError, TypeError, ValueError, IndexError):
        found.damaged = True
    return found


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8", errors="strict") as file:
            for line in file:
                if not line.endswith("\n"):
                    return  # it was still being written
                yield json.loads(line)
    except OSError as error:
        raise JournalError(f"{path} cannot be read ({error.strerror}).") from error


def _take(found: Recovered, line: dict[str, Any], image: Hashable, rgb: bool) -> None:
    if "edit" in line:
        labels = found.labels[line["labels"]]
        if tuple(line["edit"]["shape"]) != labels.shape:
            raise ValueError("An edit is of other labels.")
        labels.edits.append(edit_from_json(line["edit"]))
    elif "record" in line:
        records, label = found.labels[line["labels"]].records, int(line["label"])
        if line["record"] is None:
            records.pop(label, None)
        else:
            records[label] = record_from_json(line["record"], image, rgb=rgb)
    elif "draft" in line:
        place, draft = plane_from_json(line["plane"], image, rgb=rgb), line["draft"]
        found.drafts.pop(place, None)
        if draft is not None:
            found.drafts[place] = RecoveredDraft(
                clicks_from_json(draft["clicks"]),
                tuple((int(after), int(index)) for after, index in draft["choices"]),
                draft["label"],
                draft["labels"],
                mask_from_json(draft["start"]),
            )
    elif "labels" in line:
        dtype = np.dtype(str(line["dtype"]))
        if dtype.kind not in "ui":
            raise ValueError("Labels are integers.")
        shape = tuple(map(int, line["shape"]))
        found.labels[line["labels"]] = RecoveredLabels(str(line["name"]), shape, dtype)
    elif "closed" in line:
        found.closed = True
