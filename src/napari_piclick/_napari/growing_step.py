"""The growing step: slice after slice goes into the labels, and one undo takes all of them back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_piclick._napari.label_actions import LabelActions
    from napari_piclick.session import LabelEdit, Step
    from napari_piclick.session.followed_object import FollowedObject
    from napari_piclick.session.slice_mask import SliceMask


class GrowingStep:
    """Writes the slices of a followed object, all as one step.

    Parameters
    ----------
    labels : LabelActions

    Attributes
    ----------
    writing : bool
        Whether an edit that is heard of just now is one of ours.
    """

    def __init__(self, labels: LabelActions) -> None:
        self.writing = False
        self._labels = labels
        self._what = ""
        self._step: Step | None = None

    @property
    def edit(self) -> LabelEdit | None:
        """The last edit of this step; None if nothing was written yet."""
        return None if self._step is None else self._step.edits[-1]

    def begin(self, what: str) -> None:
        """What is written from now on is another step; ``what`` names it."""
        self._what, self._step = what, None

    def write(self, followed: FollowedObject, labelled: SliceMask) -> bool:
        """Write a slice.

        Returns
        -------
        bool
            False if it could not be written, or other labels were chosen meanwhile: they are
            not to take it.
        """
        if followed.labels is not self._labels.destination.target:
            return False
        edit = followed.edit(labelled)
        if not len(edit):
            return True
        self.writing = True
        try:
            step = self._labels.apply(edit, self._what, self._step)
        finally:
            self.writing = False
        if step is None:
            return False
        self._step = step
        return True

    def empty(self, followed: FollowedObject, index: int) -> None:
        """Wipe away what a slice had of the object."""
        if self.write(followed, followed.nothing_on(index)):
            followed.slices.drop(index)
