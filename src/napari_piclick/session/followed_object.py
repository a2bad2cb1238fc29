"""The followed object: one object in labels, slice by slice, and who labelled each of them.

The labels say what is on a slice; that a slice was propagated is known only as long as it is as
propagation left it. Whatever else somebody did to it counts as labelled by hand.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary, ref

import numpy as np

from napari_piclick.session.label_edit import LabelEdit
from napari_piclick.session.quality import SliceQuality, most_doubtful, rate_slices
from napari_piclick.session.slice_mask import ObjectSlices, SliceMask
from napari_piclick.session.write_object import mask_on

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_piclick.plane import Plane
    from napari_piclick.session.label_map import LabelMap
    from napari_piclick.session.stopping import Rules, Stopped


class FollowedObject:
    """An object that is, or may be, followed along an axis.

    Parameters
    ----------
    labels : LabelMap
    label : int
        Its id.
    plane : Plane
        Any plane of the stack: it says which axes are shown, and where along the others.
    axis : int
        The axis to go along.

    Attributes
    ----------
    slices : ObjectSlices
    stopped : dict of {1, -1} to Stopped
        How propagation last ended upwards and downwards.
    ends : dict of {1, -1} to Stopped
        Where it ended there at the object's ends, not at slices that have it already.
    """

    def __init__(self, labels: LabelMap, label: int, plane: Plane, axis: int) -> None:
        self.labels = labels
        self.label = label
        self.axis = axis
        self.plane = replace(plane, rgb=False)
        self.slices = ObjectSlices(plane.volume_shape[axis])
        self.stopped: dict[int, Stopped] = {}
        self.ends: dict[int, Stopped] = {}
        #: What each slice held when somebody was known to have labelled it, the latest last.
        self._known: dict[int, list[SliceMask]] = {}
        #: The slices on which the object is not, as the user said.
        self._empty: set[int] = set()
        #: The edits that said so: done again after an undo, they say so again.
        self._emptying: WeakKeyDictionary[LabelEdit, int] = WeakKeyDictionary()
        #: What was known when an edit took the last of the object away, by the edit's voxels.
        self._gone: list[tuple[ref[np.ndarray], _Said]] = []

    def labelled_ahead(self, start: int, step: int, rules: Rules) -> list[int]:
        """The slices from one to the next labelled by hand that were labelled otherwise."""
        end = self.slices.next_by_hand(start, step)
        last = end.index if end is not None else (self.slices.count if step > 0 else -1)
        first, final = rules.first or 0, self.slices.count if rules.last is None else rules.last
        return [
            k
            for k in range(start + step, last, step)
            if self.slices.get(k) is not None and first <= k <= final
        ]

    def fits(self, labels: LabelMap | None, label: int, plane: Plane, axis: int) -> bool:
        """Whether this is that object, along that axis through a plane."""
        return (
            self.labels is labels
            and self.label == label
            and self.axis == axis
            and self.plane_at(plane.position(axis)) == replace(plane, rgb=False)
        )

    def plane_at(self, index: int) -> Plane:
        """The plane of a slice."""
        return self.plane.at(self.axis, index)

    # -- what is there --------------------------------------------------------------------

    def read(self, indices: Iterable[int] | None = None) -> None:
        """See what the labels hold on some slices; on all of them by default."""
        for index in range(self.slices.count) if indices is None else indices:
            self._see(index, mask_on(self.labels.data, self.plane_at(index), self.label))
        self._forget_if_gone()

    def follow(self, edit: LabelEdit) -> bool:
        """Take note of an edit of the labels by somebody else.

        It may be told before it is made: napari tells of a fill first.

        Returns
        -------
        bool
            Whether it changed this object on any of these slices.
        """
        mine = (edit.before == self.label) | (edit.after == self.label)
        axes = edit.voxels
        for axis in self.plane.hidden:
            if axis != self.axis:
                mine &= axes[axis] == self.plane.position(axis)
        if not mine.any():
            return False
        if edit in self._emptying:
            self._empty.add(self._emptying[edit])
        self._recall(edit)
        along, rows, cols = (axes[axis][mine] for axis in (self.axis, *self.plane.displayed))
        now = edit.after[mine] == self.label
        if (np.diff(along) < 0).any():
            order = np.argsort(along, kind="stable")
            along, rows, cols, now = (part[order] for part in (along, rows, cols, now))
        starts = np.flatnonzero(np.diff(along, prepend=-1))
        for start, end in zip(starts, (*starts[1:], len(along)), strict=True):
            index, part = int(along[start]), slice(start, end)
            mask = mask_on(self.labels.data, self.plane_at(index), self.label)
            mask[rows[part], cols[part]] = now[part]
            self._see(index, mask)
        self._forget_if_gone(edit)
        return True

    @property
    def ratings(self) -> list[SliceQuality]:
        """How good each slice probably is."""
        return rate_slices(self.slices, self.ends.values())

    @property
    def doubtful(self) -> SliceQuality | None:
        """The slice that most needs a look."""
        return most_doubtful(self.ratings)

    # -- what is written ------------------------------------------------------------------

    def edit(self, labelled: SliceMask) -> LabelEdit:
        """The edit that puts the object on a slice; other objects keep what they have.

        Pixels that the object had there, and has no more, become empty.
        """
        plane, data = self.plane_at(labelled.index), self.labels.data
        own = mask_on(data, plane, self.label)
        wanted = labelled.plane_mask()
        added = plane.voxels(wanted & ~own)
        free = data[added] == 0
        added = tuple(axis[free] for axis in added)
        removed = plane.voxels(own & ~wanted)
        voxels = tuple(np.concatenate(pair) for pair in zip(removed, added, strict=True))
        values = np.zeros(len(voxels[0]), np.int64)
        values[len(removed[0]) :] = self.label
        return LabelEdit.of(data, voxels, values)

    def nothing_on(self, index: int) -> SliceMask:
        """What to write where the object is not on a slice."""
        return SliceMask.of(index, np.zeros(self.plane.shape, bool))

    def written(self, labelled: SliceMask) -> None:
        """Take note that a slice was written as it came out of propagation or interpolation."""
        now = self._cut(labelled.index)
        kept = replace(labelled, region=now.region, mask=now.mask, plane_shape=now.plane_shape)
        self._known.setdefault(labelled.index, []).append(kept)
        self.slices.put(kept)

    def ended(self, stop: Stopped) -> None:
        """Take note that propagation came to an end."""
        self.stopped[stop.step] = stop
        if not stop.inside:
            self.ends[stop.step] = stop

    def confirmed(self, index: int) -> None:
        """Take note that somebody kept a slice by hand, be it just as propagation left it.

        Where that is undone, and the slice is as propagation left it again, it is propagated.
        """
        self._known.setdefault(index, []).append(self._cut(index))
        self.read([index])

    def emptied(self, index: int, edit: LabelEdit | None = None) -> None:
        """Take note that somebody said the object is not on a slice.

        It counts as long as nothing is there, and the object is on some other slice.

        Parameters
        ----------
        index : int
        edit : LabelEdit, optional
            The edit that wiped it away, if there was anything: undo takes back what was said,
            and redo says it again.
        """
        self._empty.add(index)
        if edit is not None:
            self._emptying[edit] = index
        self.read([index])

    # -- inside ---------------------------------------------------------------------------

    def _see(self, index: int, mask: np.ndarray) -> None:
        """Take note of the object's (H, W) mask on a slice."""
        now = SliceMask.of(index, mask)
        if now.region is not None:
            self._empty.discard(index)
        if now.region is None and index not in self._empty:
            self.slices.drop(index)
            return
        for known in reversed(self._known.get(index, [])):
            if known.region == now.region and np.array_equal(known.mask, now.mask):
                now = known
                break
        self.slices.replace(now)

    def _forget_if_gone(self, edit: LabelEdit | None = None) -> None:
        """Let go of what was said of an object that is gone: the next may get the same id."""
        if any(labelled.region is not None for labelled in self.slices):
            return
        if edit is not None and (self._empty or self.stopped or self.ends or self._known):
            said = _Said(set(self._empty), dict(self.stopped), dict(self.ends), self._known)
            others = [
                (voxels, old)
                for voxels, old in self._gone
                if voxels() is not None and voxels() is not edit.index
            ]
            self._gone = [*others, (ref(edit.index), said)]
        for index in self._empty:
            self.slices.drop(index)
        self._empty.clear()
        self.stopped.clear()
        self.ends.clear()
        self._known = {}

    def _recall(self, edit: LabelEdit) -> None:
        """Know again what was said of an object, where an edit that took it away is taken back."""
        # An edit and its inverse share their voxels; a new object has others, even if equal ones.
        for voxels, said in self._gone:
            if voxels() is edit.index:
                self.stopped.update(said.stopped)
                self.ends.update(said.ends)
                self._empty |= said.empty
                self._known = {index: list(known) for index, known in said.known.items()}
                for index in said.empty:
                    self.slices.replace(self.nothing_on(index))

    def _cut(self, index: int) -> SliceMask:
        mask = mask_on(self.labels.data, self.plane_at(index), self.label)
        return SliceMask.of(index, mask)


class _Said(NamedTuple):
    """What is known of an object besides what the labels say."""

    empty: set[int]
    stopped: dict[int, Stopped]
    ends: dict[int, Stopped]
    known: dict[int, list[SliceMask]]
