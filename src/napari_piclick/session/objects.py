"""The objects: what the user does to labels, one step of the timeline each."""

from __future__ import annotations

from dataclasses import replace
from operator import index as as_int
from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.session.draft import Draft
from napari_piclick.session.drafts import BLANK
from napari_piclick.session.label_map import ArrayLabels, LabelsError
from napari_piclick.session.object_classes import ObjectClasses
from napari_piclick.session.object_shape import filled, largest_part, smoothed
from napari_piclick.session.record import Making, Record
from napari_piclick.session.reshape_object import replace_object, reshape_object
from napari_piclick.session.step import Step
from napari_piclick.session.touched import touched
from napari_piclick.session.whereabouts import Whereabouts
from napari_piclick.session.write_object import mask_on, write_object

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from napari_piclick.plane import Plane
    from napari_piclick.session.accepted import Written
    from napari_piclick.session.label_edit import LabelEdit
    from napari_piclick.session.label_map import LabelMap
    from napari_piclick.session.ledger import Ledger
    from napari_piclick.session.object_index import ObjectIndex


class Objects:
    """The finished objects of a session.

    Parameters
    ----------
    ledger : Ledger
    here : callable
        Gives the current place, and its plane; both None if there is none.
    labels : integer array or LabelMap, optional
        Where they are; an array is changed in place as long as ids fit its type.

    Attributes
    ----------
    labels : LabelMap or None
    classes : ObjectClasses
        The classes that objects can be put in.
    """

    def __init__(
        self,
        ledger: Ledger,
        here: Callable[[], tuple[Hashable, Plane | None]],
        labels: np.ndarray | LabelMap | None = None,
    ) -> None:
        self._ledger = ledger
        self._here = here
        self._whereabouts = Whereabouts()
        self.classes = ObjectClasses()
        self.labels: LabelMap | None = None
        self.set_labels(labels)
        ledger.edited.connect(self._whereabouts.follow)

    def set_labels(self, labels: np.ndarray | LabelMap | None) -> None:
        """Take other labels; an array is changed in place as long as ids fit its type."""
        self.labels = ArrayLabels(labels) if isinstance(labels, np.ndarray) else labels
        if self.labels is not None:
            self._whereabouts.begin(self.labels)

    @property
    def records(self) -> Mapping[int, Record]:
        """What is known about each object besides its voxels, by id."""
        return self._ledger.records(self.labels)

    @property
    def index(self) -> ObjectIndex | None:
        """Where each object is, of huge labels as far as that is known; None without labels."""
        return None if self.labels is None else self._whereabouts.index(self.labels)

    @property
    def searched_index(self) -> ObjectIndex | None:
        """The same of all objects: huge labels are looked through for it, once."""
        return None if self.labels is None else self._whereabouts.searched(self.labels)

    def look_again(self) -> None:
        """Look through the labels again, after they were changed without a word."""
        if self.labels is not None:
            self._whereabouts.look_again(self.labels)

    def accept(self, *, overwrite: bool = False) -> Written | None:
        """Write the answered draft of this plane into the labels, if there are any.

        Raises
        ------
        LabelsError
            If it cannot be written; then nothing changes.
        """
        place, plane = self._here()
        draft = self._ledger.drafts.on(place)
        if draft.proposals is None:
            return None
        step = Step("object", place, {place: (draft, BLANK)})
        written = None
        if self.labels is not None and plane is not None:
            mask, region = draft.proposals.mask(), draft.proposals.region
            label = draft.label if draft.labels is self.labels else None
            edit, written = write_object(
                self.labels, plane, region, mask, label=label, overwrite=overwrite
            )
            before = self.records.get(written.label)
            # A new object may get the id of one that is gone: what was known of that is not its.
            known = before if label is not None else None
            after = (known or Record()).made(place, Making.of(draft))
            step = replace(
                step,
                what=f"object {written.label}",
                edits=(edit,),
                records={written.label: (before, after)},
                labels=self.labels,
                drafts={**touched(self._ledger.drafts, edit, self.labels, place), **step.drafts},
            )
        self._ledger.do(step)
        return written

    def apply(self, edit: LabelEdit, what: str, into: Step | None = None) -> Step:
        """Change the labels; see `Session.apply`.

        Raises
        ------
        LabelsError
            If there are no labels, or they cannot be changed; then nothing is.
        """
        labels = self._need_labels()
        place, _ = self._here()
        step = Step(what, place, touched(self._ledger.drafts, edit, labels), (edit,), labels=labels)
        return self._ledger.do(step, into)

    def painted(self, edit: LabelEdit, labels: LabelMap) -> Step:
        """Take note of a change of labels that somebody else has made already, with a brush.

        It becomes a step of its own, and unfinished objects go on from it.
        """
        place, _ = self._here()
        drafts = touched(self._ledger.drafts, edit, labels)
        return self._ledger.note(Step("brush stroke", place, drafts, (edit,), labels=labels))

    # -- one object -----------------------------------------------------------------------

    def reopen(self, label: int) -> Step:
        """Take an object up again: its mask on this plane is what the next click refines.

        It may come from anywhere: this session, another program, a brush.

        Raises
        ------
        LabelsError
            If there is no such object, or no plane.
        """
        label, labels = as_int(label), self._need_labels()
        place, plane = self._here()
        if plane is None:
            raise LabelsError("There is no plane to click on: go to a slice of the image.")
        if label == 0 or not self._whereabouts.may_exist(labels, label):
            raise LabelsError(f"There is no object {label}: pick one that is labelled.")
        draft = Draft.of_object(label, labels, mask_on(labels.data, plane, label))
        before = self._ledger.drafts.on(place)
        return self._ledger.do(Step(f"reopened object {label}", place, {place: (before, draft)}))

    def classify(self, label: int, kind: str) -> Step:
        """Put an object in a class; an empty name takes it out.

        Raises
        ------
        LabelsError
            If there is no such object.
        """
        label = as_int(label)
        self._cut(label)
        self.classes.add(kind)
        before = self.records.get(label)
        after = (before or Record()).classed(kind)
        records = {label: (before, after)}
        return self._ledger.do(
            Step(f"class of object {label}", records=records, labels=self.labels)
        )

    def delete(self, label: int) -> Step:
        """Take an object out of the labels.

        Raises
        ------
        LabelsError
            If there is no such object.
        """
        return self._replace(label, 0, f"deleted object {label}")

    def merge(self, label: int, into: int) -> Step:
        """Make an object part of another one, under the id of that.

        Raises
        ------
        LabelsError
            If one of them does not exist, or they are the same.
        """
        if label == into:
            raise LabelsError("Choose two different objects to merge.")
        self._cut(into)
        return self._replace(label, into, f"merged object {label} into {into}")

    def keep_largest(self, label: int, *, whole: bool = True) -> Step | None:
        """Keep the largest part of an object; see `reshape`."""
        return self.reshape(label, largest_part, "kept the largest part", whole=whole)

    def fill_holes(self, label: int, *, whole: bool = True) -> Step | None:
        """Fill the holes of an object, except where other objects are; see `reshape`."""
        return self.reshape(label, filled, "filled holes", whole=whole)

    def smooth(
        self, label: int, *, whole: bool = True, spacing: Sequence[float] | None = None
    ) -> Step | None:
        """Smooth the outline of an object; see `reshape`.

        Parameters
        ----------
        label, whole
        spacing : sequence of float, optional
            Size of a voxel along each axis of the labels.
        """
        _, plane = self._here()
        if spacing is not None and not whole and plane is not None:
            spacing = [spacing[axis] for axis in sorted(plane.displayed)]
        return self.reshape(label, lambda mask: smoothed(mask, spacing), "smoothed", whole=whole)

    def reshape(
        self,
        label: int,
        change: Callable[[np.ndarray], np.ndarray],
        what: str,
        *,
        whole: bool = True,
    ) -> Step | None:
        """Change the shape of an object; other objects keep their voxels.

        Parameters
        ----------
        label : int
        change : callable
            Makes a bool mask of a bool mask.
        what : str
            What it does, in a few words.
        whole : bool
            Whether to change all of it at once, or only what is on this plane.

        Returns
        -------
        Step or None
            None if the object has that shape already.

        Raises
        ------
        LabelsError
            If there is no such object there, or nothing would be left of it.
        """
        labels, box = self._need_labels(), self._cut(as_int(label))
        _, plane = self._here()
        edit = reshape_object(labels.data, box, label, change, None if whole else plane)
        return self.apply(edit, f"{what}: object {label}") if len(edit) else None

    # -- inside ---------------------------------------------------------------------------

    def _cut(self, label: int) -> tuple[slice, ...]:
        """A part of the labels that holds the whole object."""
        box = self._whereabouts.box(self._need_labels(), label)
        if box is None:
            raise LabelsError(f"There is no object {label}: pick one that is labelled.")
        return box

    def _replace(self, label: int, by: int, what: str) -> Step:
        label, by = as_int(label), as_int(by)
        labels, box = self._need_labels(), self._cut(label)
        edit = replace_object(labels.data, box, label, by)
        drafts = touched(self._ledger.drafts, edit, labels)
        for at, draft in self._ledger.drafts:
            if draft.labels is labels and draft.label == label:
                drafts[at] = (draft, BLANK)
        known = self.records
        records: dict[int, tuple[Record | None, Record | None]] = {}
        if label in known:
            records[label] = (known[label], None)
            if by:
                joined = known.get(by, Record()).with_makings_of(known[label])
                records[by] = (known.get(by), joined)
        place, _ = self._here()
        return self._ledger.do(Step(what, place, drafts, (edit,), records, labels))

    def _need_labels(self) -> LabelMap:
        if self.labels is None:
            raise LabelsError("There are no labels to change: click on an object first.")
        return self.labels
