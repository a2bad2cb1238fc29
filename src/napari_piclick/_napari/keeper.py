"""The keeper: what is done in the viewer is journaled, recovered, saved, and opened again."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from napari.utils.notifications import show_info, show_warning
from psygnal import Signal

from napari_piclick._napari.view import level_zero
from napari_piclick.io.errors import VolumeError
from napari_piclick.session.image_identity import ImageIdentity
from napari_piclick.session.journal import Journal
from napari_piclick.session.journal_folder import (
    clean_up,
    find_unfinished,
    journal_folder,
    new_journal_path,
    put_away,
    this_program,
)
from napari_piclick.session.place import Place
from napari_piclick.session.recovery import JournalError, read_journal
from napari_piclick.session.restore import restore
from napari_piclick.session.saved_session import SUFFIX, SavedSession, SavedSessionError

if TYPE_CHECKING:
    from collections.abc import Hashable

    from napari.layers import Image

    from napari_piclick._napari.label_actions import LabelActions
    from napari_piclick._napari.viewfinder import Viewfinder
    from napari_piclick.session import LabelEdit, Session
    from napari_piclick.session.draft import Draft
    from napari_piclick.session.label_map import LabelMap
    from napari_piclick.session.record import Record
    from napari_piclick.session.recovery import RecoveredLabels

#: Labels of more bytes are not saved unasked: copying them would stop the window.
LARGEST_AUTOSAVE = 2**29


class Keeper:
    """Sees to it that nothing is ever lost.

    Parameters
    ----------
    session : Session
    view : Viewfinder
    labels : LabelActions
    folder : Path, optional
        Where journals are kept; in the user's data folder by default.

    Attributes
    ----------
    offer : Path or None
        The journal of an earlier session on this image that was cut short.
    changed : psygnal.Signal
        Emitted when there is another offer, or none any more.
    """

    changed = Signal()

    def __init__(
        self,
        session: Session,
        view: Viewfinder,
        labels: LabelActions,
        folder: Path | None = None,
    ) -> None:
        self.folder = folder or journal_folder()
        self.offer: Path | None = None
        self._session = session
        self._view = view
        self._labels = labels
        self._journals: dict[Hashable, Journal] = {}
        self._identities: dict[Hashable, ImageIdentity] = {}
        self._homes: WeakKeyDictionary[LabelMap, Hashable] = WeakKeyDictionary()
        self._unsaved = False
        self._saver = ThreadPoolExecutor(1, thread_name_prefix="piclick-autosave")
        self._saving: Future[None] | None = None
        ledger = session.ledger
        ledger.edited.connect(self._on_edited)
        ledger.recorded.connect(self._on_recorded)
        ledger.drafted.connect(self._on_drafted)
        self._saver.submit(clean_up, self.folder)

    def close(self) -> None:
        """End all journals as it should be, and stop listening."""
        ledger = self._session.ledger
        ledger.edited.disconnect(self._on_edited)
        ledger.recorded.disconnect(self._on_recorded)
        ledger.drafted.disconnect(self._on_drafted)
        for journal in self._journals.values():
            journal.close()
        self._saver.shutdown(wait=False)

    # -- recovery -------------------------------------------------------------------------

    def look_for_offer(self) -> None:
        """See whether an earlier session on the image in view was cut short."""
        identity = self._identity()
        found = [] if identity is None else find_unfinished(self.folder, identity)
        self.offer = found[0] if found else None
        self.changed.emit()

    def recover(self) -> None:
        """Bring back what the journal on offer tells."""
        image, path = self._view.image, self.offer
        if image is None or path is None:
            return
        try:
            found = read_journal(path, image.unique_id, rgb=bool(image.rgb))
            objects = self._labels.tried(lambda: restore(self._session, found, self._labels_for))
        except JournalError as error:
            show_warning(str(error))
            return
        if objects is None:  # it was said why, and the journal stays for another try
            return
        clicks = sum(len(draft.clicks) for draft in found.drafts.values())
        damaged = " Its last lines are damaged and were left out." if found.damaged else ""
        show_info(f"Recovered {objects} objects and {clicks} clicks on unfinished ones.{damaged}")
        self.decline()

    def decline(self) -> None:
        """Offer that journal no more; it is not deleted."""
        if self.offer is not None:
            try:
                put_away(self.offer)
            except OSError as error:
                show_warning(f"{self.offer} cannot be renamed ({error.strerror}).")
        self.look_for_offer()

    # -- files ----------------------------------------------------------------------------

    def save(self, path: Path) -> bool:
        """Save labels and prompts together; False, and a sentence, if that cannot be."""
        saved = self._now()
        if saved is None:
            show_warning("There are no objects to save yet: keep one first.")
            return False
        try:
            saved.save(path)
        except VolumeError as error:
            show_warning(str(error))
            return False
        self._unsaved = False
        return True

    def open(self, path: Path) -> bool:
        """Open labels and prompts to go on with; False, and a sentence, if that cannot be."""
        image, identity = self._view.image, self._identity()
        if image is None or identity is None:
            show_warning(f"Open the image first, then {path.name}.")
            return False
        try:
            saved = SavedSession.open(path, image.unique_id, rgb=bool(image.rgb))
        except SavedSessionError as error:
            show_warning(str(error))
            return False
        if saved.labels.shape != self._view.shape:
            show_warning(
                f"{path.name} belongs to an image of another size, “{saved.image.name}”: "
                "select that one first."
            )
            return False
        if not saved.image.same_as(identity):
            show_warning(f"{path.name} was saved with another image, “{saved.image.name}”.")
        self._labels.take_new(path.stem, saved.labels)
        saved.resume(self._session)
        return True

    def autosave(self) -> None:
        """Save to a file beside the image, in another thread, if anything is new."""
        if self._saving is not None:
            if not self._saving.done():
                return
            error = self._saving.exception()
            self._saving = None
            if error is not None:
                self._unsaved = True
                show_warning(f"Your labels were not saved automatically: {error}")
        target = self._labels.destination.target
        if not self._unsaved or target is None or target.data.nbytes > LARGEST_AUTOSAVE:
            return
        saved, path = self._now(), self.autosave_path()
        if saved is not None and path is not None:
            self._unsaved = False
            self._saving = self._saver.submit(saved.save, path)

    def autosave_path(self) -> Path | None:
        """Where the image in view is saved to unasked: beside it, or among the journals."""
        image, identity = self._view.image, self._identity()
        if image is None or identity is None:
            return None
        source = image.source.path
        if source is not None and Path(source).parent.is_dir():
            beside = Path(source)
            return beside.with_name(f"{beside.name.split('.')[0]}.autosave{SUFFIX}")
        self.folder.mkdir(parents=True, exist_ok=True)
        name = "".join(c if c.isalnum() else "-" for c in identity.name)
        return self.folder / f"{name}-{identity.fingerprint[:8]}.autosave{SUFFIX}"

    # -- inside ---------------------------------------------------------------------------

    def _now(self) -> SavedSession | None:
        target, identity = self._labels.destination.target, self._identity()
        if target is None or identity is None:
            return None
        spacing, _ = self._labels.scale()
        return SavedSession(
            identity,
            target.data.copy(),
            dict(self._session.ledger.records(target)),
            self._session.objects.classes.as_dict(),
            None if spacing is None else tuple(spacing),
        )

    def _identity(self) -> ImageIdentity | None:
        image: Image | None = self._view.image
        if image is None:
            return None
        if image.unique_id not in self._identities:
            identity = ImageIdentity.of(image.name, level_zero(image), rgb=bool(image.rgb))
            self._identities[image.unique_id] = identity
        return self._identities[image.unique_id]

    def _journal(self, image: Hashable) -> Journal | None:
        """The journal of an image: begun when there is something to be written."""
        here = self._view.image
        if image not in self._journals and here is not None and here.unique_id == image:
            identity = self._identity()
            if identity is not None:
                path = new_journal_path(self.folder, identity)
                self._journals[image] = Journal(
                    path, identity, this_program(), _name_of, show_warning
                )
        return self._journals.get(image)

    def _journal_of(self, labels: LabelMap) -> Journal | None:
        image = self._view.image
        if labels not in self._homes and image is not None:
            self._homes[labels] = image.unique_id
        return self._journal(self._homes.get(labels))

    def _labels_for(self, lost: RecoveredLabels) -> LabelMap | None:
        return self._labels.named(lost.name) if lost.shape == self._view.shape else None

    def _on_edited(self, labels: LabelMap, edit: LabelEdit) -> None:
        self._unsaved = True
        journal = self._journal_of(labels)
        if journal is not None:
            journal.edit(labels, edit)

    def _on_recorded(self, labels: LabelMap, label: int, record: Record | None) -> None:
        journal = self._journal_of(labels)
        if journal is not None:
            journal.record(labels, label, record)

    def _on_drafted(self, place: Hashable, draft: Draft) -> None:
        journal = self._journal(place.image) if isinstance(place, Place) else None
        if journal is not None:
            journal.draft(place, draft)


def _name_of(labels: LabelMap) -> str:
    layer = getattr(labels, "layer", None)
    return "" if layer is None else str(layer.name)
