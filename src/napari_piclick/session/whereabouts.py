"""The whereabouts: where the objects of each label map are, without more searching than needed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from napari_piclick.session.object_index import SEARCHED, ObjectIndex, box_of

if TYPE_CHECKING:
    from napari_piclick.session.label_edit import LabelEdit
    from napari_piclick.session.label_map import LabelMap

#: Labels of up to so many voxels are searched for an object every time: some 5 ms.
QUICK = 2**22


class Whereabouts:
    """Has an object index for each label map, and keeps it up to date."""

    def __init__(self) -> None:
        self._indices: WeakKeyDictionary[LabelMap, ObjectIndex] = WeakKeyDictionary()

    def begin(self, labels: LabelMap) -> None:
        """Follow labels that are known to be empty from the start: they need no search later."""
        if labels not in self._indices and labels.data.size > SEARCHED and labels.known_empty:
            self._indices[labels] = ObjectIndex(labels, empty=True)

    def index(self, labels: LabelMap) -> ObjectIndex:
        """Where each object of labels is; of huge ones, as far as that is known."""
        if labels not in self._indices:
            self._indices[labels] = ObjectIndex(labels)
        return self._indices[labels]

    def look_again(self, labels: LabelMap) -> None:
        """Look through labels again, after they were changed without a word."""
        if labels in self._indices:
            self._indices[labels] = ObjectIndex(labels)

    def follow(self, labels: LabelMap, edit: LabelEdit) -> None:
        """Take note of a change of labels that was made."""
        if labels in self._indices:
            self._indices[labels].follow(edit)
        elif labels.data.size > SEARCHED:
            # These will not be searched unasked, so they are followed from the first edit on.
            self._indices[labels] = ObjectIndex(labels)
            self._indices[labels].follow(edit)

    def may_exist(self, labels: LabelMap, label: int) -> bool:
        """Whether there is such an object; true as well where only a search could tell."""
        if labels.data.size <= QUICK:
            return bool((labels.data == label).any())
        index = self.index(labels)
        return label in index or not index.complete

    def box(self, labels: LabelMap, label: int) -> tuple[slice, ...] | None:
        """A part of the labels that holds the whole object; None if there is none.

        Huge labels are searched, once, if what is known of them may not be all.
        """
        if not label:
            return None
        if labels.data.size <= QUICK:
            return box_of(labels.data == label)
        return self.searched(labels).box(label)

    def searched(self, labels: LabelMap) -> ObjectIndex:
        """Where each object of labels is, for certain."""
        index = self.index(labels)
        if not index.complete:
            index.scan()
        return index
