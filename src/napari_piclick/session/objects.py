"""The objects: what the user does to labels, one step of the timeline each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.session.drafts import BLANK
from napari_piclick.session.label_map import ArrayLabels, LabelsError
from napari_piclick.session.place import Place
from napari_piclick.session.record import Making, Record
from napari_piclick.session.step import Step
from napari_piclick.session.write_object import write_object

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from napari_piclick.plane import Plane
    from napari_piclick.session.accepted import Written
    from napari_piclick.session.draft import Draft
    from napari_piclick.session.label_edit import LabelEdit
    from napari_piclick.session.label_map import LabelMap
    from napari_piclick.session.ledger import Ledger

    Drafts = dict[Hashable, tuple[Draft, Draft]]


class Objects:
    """The finished objects of a session.

    Parameters
    ----------
    ledger : Ledger
    labels : integer array or LabelMap, optional
        Where they are; an array is changed in place.

    Attributes
    ----------
    labels : LabelMap or None
    """

    def __init__(self, ledger: Ledger, labels: np.ndarray | LabelMap | None = None) -> None:
        self._ledger = ledger
        self.labels: LabelMap | None = None
        self.set_labels(labels)

    def set_labels(self, labels: np.ndarray | LabelMap | None) -> None:
        """Take other labels; an array is changed in place."""
        self.labels = ArrayLabels(labels) if isinstance(labels, np.ndarray) else labels

    @property
    def records(self) -> Mapping[int, Record]:
        """What is known about each object besides its voxels, by id."""
        return self._ledger.records(self.labels)

    def accept(self, place: Hashable, plane: Plane, *, overwrite: bool = False) -> Written | None:
        """Write the answered draft of a place into the labels, if there are any.

        Raises
        ------
        LabelsError
            If it cannot be written; then nothing changes.
        """
        draft = self._ledger.drafts.on(place)
        if draft.proposals is None:
            return None
        step = Step("object", place, {place: (draft, BLANK)})
        written = None
        if self.labels is not None:
            mask, region = draft.proposals.mask(), draft.proposals.region
            label = draft.label if draft.labels is self.labels else None
            edit, written = write_object(
                self.labels, plane, region, mask, label=label, overwrite=overwrite
            )
            before = self.records.get(written.label)
            after = (before or Record()).made(place, Making.of(draft))
            step = replace(
                step,
                what=f"object {written.label}",
                edits=(edit,),
                records={written.label: (before, after)},
                labels=self.labels,
                drafts={**self._touched(edit, self.labels, place), **step.drafts},
            )
        self._ledger.do(step)
        return written

    def apply(
        self, edit: LabelEdit, what: str, place: Hashable = None, into: Step | None = None
    ) -> Step:
        """Change the labels; see `Session.apply`.

        Raises
        ------
        LabelsError
            If there are no labels, or they cannot be changed; then nothing is.
        """
        labels = self._need_labels()
        step = Step(what, place, self._touched(edit, labels), (edit,), labels=labels)
        return self._ledger.do(step, into)

    def painted(self, edit: LabelEdit, labels: LabelMap, place: Hashable = None) -> Step:
        """Take note of a change of labels that somebody else has made already, with a brush.

        It becomes a step of its own, and unfinished objects go on from it.
        """
        step = Step("brush stroke", place, self._touched(edit, labels), (edit,), labels=labels)
        return self._ledger.note(step)

    # -- inside ---------------------------------------------------------------------------

    def _need_labels(self) -> LabelMap:
        if self.labels is None:
            raise LabelsError("There are no labels to change: click on an object first.")
        return self.labels

    def _touched(self, edit: LabelEdit, labels: LabelMap, but: Hashable = None) -> Drafts:
        """The unfinished objects that an edit changes as well, before and after it."""
        drafts = {}
        for place, draft in self._ledger.drafts:
            if draft.label is not None and draft.labels is labels and place != but:
                after = _touch(draft, place, edit)
                if after is not draft:
                    drafts[place] = (draft, after)
        return drafts


def _touch(draft: Draft, place: Hashable, edit: LabelEdit) -> Draft:
    """The draft of an object after an edit of the labels, where that is on its plane."""
    took, gave = edit.after == draft.label, edit.before == draft.label
    which = took | gave
    if not which.any():
        return draft
    voxels = np.stack(edit.voxels, -1)[which]
    if isinstance(place, Place):
        plane = place.plane
        here = (voxels[:, list(plane.hidden)] == plane.index).all(-1)
        rows, cols = voxels[here][:, list(plane.displayed)].T
        shape = plane.shape
    else:
        here = np.ones(len(voxels), bool)
        rows, cols = voxels.T
        shape = (edit.shape[0], edit.shape[1])
    if not len(rows):
        return draft
    return draft.paint((rows, cols), took[which][here], shape)
