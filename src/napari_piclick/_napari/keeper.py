"""The keeper: what is done in the viewer is journaled, and recovered when it was cut short."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from napari.utils.notifications import show_info, show_warning
from psygnal import Signal

from napari_piclick._napari.homes import name_of
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

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

    from napari_piclick._napari.homes import Home
    from napari_piclick._napari.label_actions import LabelActions
    from napari_piclick._napari.viewfinder import Viewfinder
    from napari_piclick.session import LabelEdit, Session
    from napari_piclick.session.draft import Draft
    from napari_piclick.session.label_map import LabelMap
    from napari_piclick.session.record import Record
    from napari_piclick.session.recovery import Recovered, RecoveredLabels


class Keeper:
    """Writes down whatever is done, so that it outlives a crash.

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
        self._journals: dict[Home, Journal] = {}
        ledger = session.ledger
        ledger.edited.connect(self._on_edited)
        ledger.recorded.connect(self._on_recorded)
        ledger.drafted.connect(self._on_drafted)
        threading.Thread(target=clean_up, args=(self.folder,), name="piclick-clean-up").start()

    def close(self) -> None:
        """End all journals as it should be, and stop listening."""
        ledger = self._session.ledger
        ledger.edited.disconnect(self._on_edited)
        ledger.recorded.disconnect(self._on_recorded)
        ledger.drafted.disconnect(self._on_drafted)
        for journal in self._journals.values():
            journal.close()

    # -- recovery -------------------------------------------------------------------------

    def look_for_offer(self) -> None:
        """See whether an earlier session on the image in view was cut short."""
        here = self._labels.homes.here
        found = [] if here is None else find_unfinished(self.folder, here.identity)
        self.offer = found[0] if found else None
        self.changed.emit()

    def recover(self) -> None:
        """Bring back what the journal on offer tells."""
        image, path = self._view.image, self.offer
        if image is None or path is None:
            return
        try:
            found = read_journal(path, image.unique_id, rgb=bool(image.rgb))
            rest = self._leave_out_other_sizes(found)
            objects = self._labels.tried(lambda: restore(self._session, found, self._labels_for))
        except JournalError as error:
            show_warning(str(error))
            return
        if objects is None:  # it was said why, and the journal stays for another try
            return
        clicks = sum(len(draft.clicks) for draft in found.drafts.values())
        told = f"Recovered {objects} objects and {clicks} clicks on unfinished ones."
        if found.damaged:
            told += " Its last lines are damaged and were left out."
        if rest:  # not put away: it is offered again when the image is opened in that size
            show_warning(f"{told} What belongs to an image of another size is kept in {path}.")
            self.offer = None
            self.changed.emit()
            return
        show_info(told)
        self.decline()

    def decline(self) -> None:
        """Offer that journal no more; it is not deleted."""
        if self.offer is not None:
            try:
                put_away(self.offer)
            except OSError as error:
                show_warning(f"{self.offer} cannot be renamed ({error.strerror}).")
        self.look_for_offer()

    # -- journals -------------------------------------------------------------------------

    def _journal(self, home: Home | None) -> Journal | None:
        """The journal of an image: begun when there is something to be written."""
        if home is None:
            return None
        if home not in self._journals:
            path = new_journal_path(self.folder, home.identity)
            self._journals[home] = Journal(
                path, home.identity, this_program(), name_of, show_warning
            )
        return self._journals[home]

    def _journal_of(self, place: Place) -> Journal | None:
        """The journal of the image of a plane, which may be out of view, or of another size now."""
        here = self._labels.homes.here
        homes = self._journals if here is None else (here, *self._journals)
        size = (place.image, place.plane.volume_shape)
        return self._journal(next((h for h in homes if (h.image, h.shape) == size), None))

    def _leave_out_other_sizes(self, found: Recovered) -> bool:
        """Leave out what was done on another size of the image; whether there is any."""
        shape, before = self._view.shape, len(found.drafts)
        for place in list(found.drafts):
            if isinstance(place, Place) and place.plane.volume_shape != shape:
                del found.drafts[place]
        others = (lost for lost in found.labels.values() if lost.shape != shape)
        return len(found.drafts) < before or any(lost.edits or lost.records for lost in others)

    def _labels_for(self, lost: RecoveredLabels) -> LabelMap | None:
        return self._labels.named(lost.name) if lost.shape == self._view.shape else None

    def _on_edited(self, labels: LabelMap, edit: LabelEdit) -> None:
        journal = self._journal(self._labels.homes.of(labels))
        if journal is not None:
            journal.edit(labels, edit)

    def _on_recorded(self, labels: LabelMap, label: int, record: Record | None) -> None:
        journal = self._journal(self._labels.homes.of(labels))
        if journal is not None:
            journal.record(labels, label, record)

    def _on_drafted(self, place: Hashable, draft: Draft) -> None:
        journal = self._journal_of(place) if isinstance(place, Place) else None
        if journal is not None:
            journal.draft(place, draft)
