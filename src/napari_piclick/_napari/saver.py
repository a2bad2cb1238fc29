"""The saver: labels and prompts are saved in files, by hand and unasked, and opened again."""

from __future__ import annotations

import math
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import psutil
from napari.utils.notifications import show_warning
from psygnal import Signal

from napari_piclick._napari.autosave_files import AutosaveFiles
from napari_piclick._napari.failure import USERS_BUSINESS, sentence_about
from napari_piclick._napari.homes import name_of
from napari_piclick.session.saved_session import SavedSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from napari_piclick._napari.homes import Home
    from napari_piclick._napari.label_actions import LabelActions
    from napari_piclick._napari.stream import Worker
    from napari_piclick._napari.target import Target
    from napari_piclick.session import LabelEdit, Session
    from napari_piclick.session.label_map import LabelMap
    from napari_piclick.session.record import Record

#: Labels of more bytes are not saved unasked: copying them would stop the window.
LARGEST_AUTOSAVE = 2**29
#: Labels of more bytes are saved, and opened, in another thread: smaller ones take less than some
#: 0.2 s.
LARGE = 2**25


class Saver:
    """Saves the labels that objects were kept in, each layer for itself.

    Parameters
    ----------
    session : Session
    labels : LabelActions
    folder : Path
        Where labels of images that are no files are saved unasked.
    stream : Worker
        Waits for large labels to be saved or opened.

    Attributes
    ----------
    files : AutosaveFiles
        Where labels are saved unasked.
    writing : dict of LabelMap to Future
        What is being saved unasked just now, or was last.
    busy : {"", "Saving", "Opening"}
        What is being done with large labels because the user asked for it.
    changed : psygnal.Signal
        Emitted when that begins or ends.
    """

    changed = Signal()

    def __init__(
        self, session: Session, labels: LabelActions, folder: Path, stream: Worker
    ) -> None:
        self.files = AutosaveFiles(folder)
        self.writing: dict[LabelMap, Future[None]] = {}
        self.busy = ""
        self._session = session
        self._labels = labels
        self._stream = stream
        self._unsaved: WeakSet[LabelMap] = WeakSet()
        self._too_large: WeakSet[LabelMap] = WeakSet()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="piclick-save")
        session.ledger.edited.connect(self._on_edited)
        session.ledger.recorded.connect(self._on_recorded)
        labels.destination.gone.connect(self._on_gone)

    def close(self) -> None:
        """Stop listening; what is being saved is saved."""
        self._session.ledger.edited.disconnect(self._on_edited)
        self._session.ledger.recorded.disconnect(self._on_recorded)
        self._labels.destination.gone.disconnect(self._on_gone)
        self._stream.close()
        self._thread.shutdown(wait=False)

    def save(self, path: Path) -> bool:
        """Save labels and prompts together, large ones while the user goes on.

        Returns
        -------
        bool
            False, after a sentence, if that cannot be. If large labels turn out not to, that is
            said later.
        """
        target = self._labels.destination.target
        if self._still_busy():
            return False
        saved = None if target is None else self._as_they_are(target)
        if target is None or saved is None:
            show_warning("There are no objects to save yet: keep one first.")
            return False
        if target.data.nbytes > LARGE and _room_for(target.data.nbytes):
            with suppress(MemoryError):  # saved at once they need no copy
                self._save_later(target, _copied(saved), path)
                return True
        try:
            # by the same thread, lest two files of one name are written at a time
            self._thread.submit(saved.save, path).result()
        except USERS_BUSINESS as error:
            show_warning(sentence_about(error))
            return False
        self._unsaved.discard(target)
        return True

    def open(self, path: Path) -> bool:
        """Open labels and prompts to go on with, large ones while the user goes on.

        Returns
        -------
        bool
            False, after a sentence, if that cannot be. If large labels turn out not to, that is
            said later.
        """
        here = self._labels.homes.here
        if here is None:
            show_warning(f"Open the image first, then {path.name}.")
            return False
        if self._still_busy():
            return False
        # by the thread that saves: what is still being written there is read when it is whole
        reading = self._thread.submit(SavedSession.open, path, here.image, rgb=here.rgb)
        if math.prod(here.shape) > LARGE:  # of a byte or more each
            self._wait_for("Opening", reading, lambda saved: self._take(path, here, saved))
            return True
        try:
            saved = reading.result()
        except USERS_BUSINESS as error:
            show_warning(sentence_about(error))
            return False
        return self._take(path, here, saved)

    def _still_busy(self) -> bool:
        if self.busy:
            doing = "saved" if self.busy == "Saving" else "opened"
            show_warning(f"Labels are still being {doing}: try again in a moment.")
        return bool(self.busy)

    def _take(self, path: Path, here: Home, saved: SavedSession) -> bool:
        """Show what was read; False, and a sentence, if it belongs to another image."""
        if here != self._labels.homes.here:
            show_warning(
                f"{path.name} was not opened, as another image was selected meanwhile: "
                f"select “{here.identity.name}” and open it again."
            )
            return False
        if saved.labels.shape != here.shape:
            show_warning(
                f"{path.name} belongs to an image of another size, “{saved.image.name}”: "
                "select that one first."
            )
            return False
        if not saved.image.same_as(here.identity):
            show_warning(f"{path.name} was saved with another image, “{saved.image.name}”.")
        self._labels.take_new(self.files.layer_name(path, here), saved.labels)
        saved.resume(self._session)
        return True

    def _save_later(self, target: Target, saved: SavedSession, path: Path) -> None:
        self._unsaved.discard(target)
        saving = self._thread.submit(saved.save, path)
        self._wait_for("Saving", saving, lambda _: None, lambda: self._unsaved.add(target))

    def _wait_for(
        self,
        doing: str,
        work: Future[Any],
        result: Callable[[Any], Any],
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        """Be busy until work is done; a sentence says why it failed."""

        def wait() -> Iterator[Any]:
            yield work.result()

        def end(problem: str) -> None:
            self._set_busy("")
            if problem:
                failed()
                show_warning(problem)

        self._stream.run(wait, result, end)
        self._set_busy(doing)

    def _set_busy(self, doing: str) -> None:
        self.busy = doing
        self.changed.emit()

    def autosave(self) -> None:
        """Save all labels with anything new beside their images, in another thread."""
        for labels, writing in list(self.writing.items()):
            if writing.done():
                del self.writing[labels]
                error = writing.exception()
                if error is not None:
                    self._unsaved.add(labels)
                    self._say_unsaved(error)
        for labels in self._unsaved - WeakSet(self.writing):
            path = self.autosave_path(labels)
            if path is None or self._is_too_large(labels):
                continue
            try:
                saved = self._as_they_are(labels)
                copied = None if saved is None else _copied(saved)
            except MemoryError as error:
                self._say_unsaved(error)
                continue
            if copied is not None:
                self._unsaved.discard(labels)
                self.writing[labels] = self._thread.submit(self.files.write, copied, path)

    def autosave_path(self, labels: LabelMap) -> Path | None:
        """Where labels are saved unasked: beside their image, or among the journals."""
        home = self._labels.homes.of(labels)
        return None if home is None else self.files.path(labels, home, name_of(labels, "labels"))

    # -- inside ---------------------------------------------------------------------------

    def _as_they_are(self, labels: LabelMap) -> SavedSession | None:
        home = self._labels.homes.of(labels)
        if home is None or home.shape != tuple(labels.data.shape):
            return None
        return SavedSession(
            home.identity,
            labels.data,
            dict(self._session.ledger.records(labels)),
            self._session.objects.classes.as_dict(),
            self._labels.homes.spacing(labels),
        )

    def _say_unsaved(self, error: BaseException) -> None:
        why = sentence_about(error) if isinstance(error, USERS_BUSINESS) else str(error)
        show_warning(f"Your labels were not saved automatically: {why}")

    def _is_too_large(self, labels: LabelMap) -> bool:
        """Whether labels are not saved unasked; it is said the first time."""
        if labels.data.nbytes <= LARGEST_AUTOSAVE:
            return False
        if labels not in self._too_large:
            self._too_large.add(labels)
            name = name_of(labels, "labels")
            show_warning(
                f"The labels “{name}” are too large to be saved automatically: "
                "save them now and then with “Save…” in “Objects”."
            )
        return True

    def _on_edited(self, labels: LabelMap, edit: LabelEdit) -> None:  # noqa: ARG002
        self._unsaved.add(labels)

    def _on_recorded(self, labels: LabelMap, label: int, record: Record | None) -> None:  # noqa: ARG002
        self._unsaved.add(labels)

    def _on_gone(self, target: Target) -> None:
        # what was known of its objects is forgotten, and must not replace what was saved of it
        self._unsaved.discard(target)


def _copied(saved: SavedSession) -> SavedSession:
    """The same with labels that do not change any more while another thread saves them."""
    return replace(saved, labels=saved.labels.copy())


def _room_for(size: int) -> bool:
    """Whether there is memory for a copy: labels in a file may be larger than all of it."""
    return bool(size < psutil.virtual_memory().available // 2)
