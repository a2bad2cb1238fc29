"""The journal: every prompt and every change of labels, written down as it happens.

One line of JSON for each; the first tells of the image. Lines are only ever added, each is handed
to the operating system at once, so that it outlives the program, and the disk is made to keep
them, by another thread, so that they outlive the machine.

================  ==================================================================
``journal``       version, the image's identity, and which program writes it
``labels``        a number for labels, with their name, shape and type
``edit``          voxels of labels and what they hold now (`edit_to_json`)
``record``        what is known about an object now; null if it is gone
``draft``         the clicks on the unfinished object of a plane; null if there is none
``closed``        the program ended as it should
================  ==================================================================
"""

from __future__ import annotations

import logging
import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from napari_piclick.session.codec import (
    as_json,
    clicks_to_json,
    edit_to_json,
    mask_to_json,
    plane_to_json,
    record_to_json,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from pathlib import Path

    from napari_piclick.session.clicking import Clicking
    from napari_piclick.session.draft import Draft
    from napari_piclick.session.image_identity import ImageIdentity
    from napari_piclick.session.label_edit import LabelEdit
    from napari_piclick.session.label_map import LabelMap
    from napari_piclick.session.record import Record

VERSION = 1
_LOG = logging.getLogger(__name__)


class Journal:
    """Writes down what happens in a session.

    Where nothing can be written (a full disk, no rights), work goes on, and ``failed`` is called
    once with a sentence.

    Parameters
    ----------
    path : Path
        A file that does not exist yet; it is made with the first line.
    image : ImageIdentity
    program : dict
        What tells this run of the program from others.
    name_of : callable
        Gives the name of labels.
    failed : callable
        Called with a sentence for the user.
    """

    def __init__(
        self,
        path: Path,
        image: ImageIdentity,
        program: dict[str, Any],
        name_of: Callable[[LabelMap], str],
        failed: Callable[[str], None],
    ) -> None:
        self.path = path
        self._head = {"journal": VERSION, "image": image.as_json(), "program": program}
        self._name_of = name_of
        self._failed = failed
        self._file: Any = None
        self._broken = False
        self._numbers: WeakKeyDictionary[LabelMap, int] = WeakKeyDictionary()
        self._next = count()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="piclick-journal")
        self._syncing: Future[None] | None = None

    def edit(self, labels: LabelMap, edit: LabelEdit) -> None:
        """Write down a change of labels."""
        if len(edit):
            self._write({"edit": edit_to_json(edit), "labels": self._number(labels)})
            self._sync()

    def record(self, labels: LabelMap, label: int, record: Record | None) -> None:
        """Write down what is known about an object now."""
        content = None if record is None else record_to_json(record)
        self._write({"record": content, "label": label, "labels": self._number(labels)})

    def draft(self, place: Hashable, draft: Draft) -> None:
        """Write down the clicks on the unfinished object of a plane."""
        content = None
        if not draft.blank:
            content = {
                "clicks": clicks_to_json(draft.clicks),
                "choices": draft.choices,
                "label": draft.label,
                "start": mask_to_json(draft.start),
                "labels": None if draft.labels is None else self._number(draft.labels),
            }
        self._write({"draft": content, "plane": plane_to_json(place)})

    def close(self) -> None:
        """Write down that the program ended as it should; nothing more can be written."""
        if self._file is not None:
            self._write({"closed": time.time()})
        if self._file is not None:
            self._file.close()
        self._broken = True
        self._writer.shutdown(wait=False)

    def _number(self, labels: LabelMap) -> int:
        if labels not in self._numbers:
            # Counted, as labels that are gone leave the dictionary: theirs is not given again.
            self._numbers[labels] = next(self._next)
            data = labels.data
            about = {"name": self._name_of(labels), "shape": data.shape, "dtype": data.dtype.name}
            self._write({"labels": self._numbers[labels], **about})
        return self._numbers[labels]

    def _write(self, line: dict[str, Any]) -> None:
        if self._broken:
            return
        try:
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.path.open("x", encoding="utf-8")
                self._file.write(as_json(self._head) + "\n")
            self._file.write(as_json(line) + "\n")
            self._file.flush()
        except OSError as error:
            _LOG.info("The journal cannot be written", exc_info=True)
            self._broken = True
            self._failed(
                f"What you do can no longer be recovered after a crash: {self.path} cannot be "
                f"written ({error.strerror}). Save your labels often."
            )

    def _sync(self) -> None:
        """Have the disk keep what was written; one such request at a time is enough."""
        if self._file is not None and (self._syncing is None or self._syncing.done()):
            self._syncing = self._writer.submit(_sync, self._file)


def keep(session: Clicking, journal: Journal) -> Callable[[], None]:
    """Have a journal write down all that happens in a session; gives what ends that."""
    ledger = session.ledger

    # Functions of their own, because signals do not keep the owners of methods alive.
    def edit(labels: LabelMap, edit: LabelEdit) -> None:
        journal.edit(labels, edit)

    def record(labels: LabelMap, label: int, record: Record | None) -> None:
        journal.record(labels, label, record)

    def draft(place: Hashable, draft: Draft) -> None:
        journal.draft(place, draft)

    pairs = ((ledger.edited, edit), (ledger.recorded, record), (ledger.drafted, draft))
    for signal, write in pairs:
        signal.connect(write)

    def end() -> None:
        for signal, write in pairs:
            signal.disconnect(write)
        journal.close()

    return end


def _sync(file: Any) -> None:
    try:
        os.fsync(file.fileno())
    except (OSError, ValueError):  # closed in the meantime, or a disk that cannot
        _LOG.debug("The journal could not be synchronised", exc_info=True)
