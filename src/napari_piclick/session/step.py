"""The step: one thing that was done, with all that it takes to undo it and do it again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from napari_piclick.session.draft import Draft
    from napari_piclick.session.label_edit import LabelEdit
    from napari_piclick.session.label_map import LabelMap
    from napari_piclick.session.record import Record


@dataclass(frozen=True, eq=False)
class Step:
    """A change of unfinished objects, of labels, of what is known about objects, or of all.

    Parameters
    ----------
    what : str
        In a few words for the user: "click", "object 3".
    place : hashable, optional
        The plane to look at when it is undone.
    drafts : mapping of plane to (before, after)
        Unfinished objects that change.
    edits : tuple of LabelEdit
        Changes of ``labels``, in order.
    records : mapping of id to (before, after)
        What is known about objects in ``labels``; None where there is none.
    labels : LabelMap, optional
    """

    what: str
    place: Hashable = None
    drafts: Mapping[Hashable, tuple[Draft, Draft]] = field(default_factory=dict)
    edits: tuple[LabelEdit, ...] = ()
    records: Mapping[int, tuple[Record | None, Record | None]] = field(default_factory=dict)
    labels: LabelMap | None = None

    @property
    def nbytes(self) -> int:
        """Memory taken, roughly; what the step before holds as well is not counted twice."""
        drafts = sum(after.nbytes for _, after in self.drafts.values())
        return drafts + sum(edit.nbytes for edit in self.edits)

    @property
    def empty(self) -> bool:
        """Whether it changes nothing."""
        return not (self.drafts or self.edits or self.records)

    def map_drafts(self, change: Callable[[Draft], Draft], plane: Hashable = None) -> Step:
        """The step with its drafts changed: of one plane, or of all if it is None."""
        if not self.drafts or (plane is not None and plane not in self.drafts):
            return self
        changed = {
            at: (change(before), change(after)) if plane is None or at == plane else (before, after)
            for at, (before, after) in self.drafts.items()
        }
        same = all(
            pair[0] is self.drafts[at][0] and pair[1] is self.drafts[at][1]
            for at, pair in changed.items()
        )
        return self if same else replace(self, drafts=changed)

    def without_plane(self, plane: Hashable) -> Step | None:
        """What is left of the step when a plane is gone; None if nothing is."""
        if plane not in self.drafts and self.place != plane:
            return self
        left = replace(
            self,
            drafts={at: pair for at, pair in self.drafts.items() if at != plane},
            place=None if self.place == plane else self.place,
        )
        return None if left.empty else left

    def without_labels(self, labels: LabelMap) -> Step | None:
        """What is left of the step when labels are gone; None if nothing is."""
        if self.labels is not labels:
            return self
        left = replace(self, edits=(), records={}, labels=None)
        return None if left.empty else left
