"""The label edit: a change of labels that can be made and taken back, as a value.

It never touches what somebody else changed in the meantime: a voxel is only taken back where it
still holds what the edit gave it, and only changed again where it holds what it held before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.session.label_map import LabelsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike

    from napari_piclick.session.label_map import LabelMap


@dataclass(frozen=True, eq=False)
class LabelEdit:
    """Which voxels change, from what to what.

    Parameters
    ----------
    shape : tuple of int
        Size of the labels.
    index : (N,) unsigned int
        The voxels in C order (`numpy.ravel_multi_index`), increasing.
    before, after : (N,) int
        Their values. Where the types differ, the labels change their type as well.
    """

    shape: tuple[int, ...]
    index: np.ndarray
    before: np.ndarray
    after: np.ndarray

    @classmethod
    def of(cls, labels: np.ndarray, voxels: tuple[np.ndarray, ...], after: ArrayLike) -> LabelEdit:
        """The edit that gives voxels of an array, as it is now, other values.

        Parameters
        ----------
        labels : integer array
        voxels : tuple of (N,) int
            One index array for each axis, as `numpy.nonzero` has it.
        after : int or (N,) int

        Raises
        ------
        LabelsError
            If no integer type holds these values together with those of the array.
        """
        return cls.made(labels.shape, voxels, labels[voxels], after)

    @classmethod
    def made(
        cls,
        shape: tuple[int, ...],
        voxels: tuple[np.ndarray, ...],
        before: np.ndarray,
        after: ArrayLike,
    ) -> LabelEdit:
        """The edit of voxels whose values before are known; see `of`.

        Where a voxel is named twice, its first ``before`` and its last ``after`` count.
        """
        index = np.ravel_multi_index(voxels, shape)
        before = np.asarray(before).ravel()
        new = np.broadcast_to(np.asarray(after), index.shape)
        if index.size and not (np.diff(index) > 0).all():
            first = np.unique(index, return_index=True)[1]
            last = len(index) - 1 - np.unique(index[::-1], return_index=True)[1]
            index, before, new = index[first], before[first], new[last]
        new = _fitting(new, before.dtype)
        changed = before != new
        small = np.uint32 if prod(shape) <= 2**32 else np.uint64
        return cls(tuple(shape), index[changed].astype(small), before[changed], new[changed])

    @classmethod
    def between(cls, old: np.ndarray, new: np.ndarray) -> LabelEdit:
        """The edit that made one array of labels out of another one of the same shape."""
        index = np.flatnonzero(old != new)
        small = np.uint32 if old.size <= 2**32 else np.uint64
        return cls(old.shape, index.astype(small), old.ravel()[index], new.ravel()[index])

    @classmethod
    def joined(cls, edits: Iterable[LabelEdit]) -> LabelEdit:
        """One edit that does what several do one after the other.

        Raises
        ------
        ValueError
            If there is none, or they are of labels of different sizes.
        """
        parts = list(edits)
        if len({part.shape for part in parts}) != 1:
            raise ValueError("Edits of different labels cannot be joined.")
        index = np.concatenate([part.index for part in parts])
        before = np.concatenate([part.before for part in parts])
        after = np.concatenate([part.after for part in parts])
        shape = parts[0].shape
        joined = cls.made(shape, np.unravel_index(index, shape), before, after)
        return cls(
            shape,
            joined.index,
            joined.before.astype(parts[0].before.dtype),
            joined.after.astype(parts[-1].after.dtype),
        )

    @classmethod
    def side_by_side(cls, edits: Sequence[LabelEdit]) -> list[LabelEdit]:
        """The same edits as one, if that is quick to tell: each of voxels that follow the last's.

        So it is with slice after slice of an object; making one change costs far less than many.
        Other edits come back as they are.
        """
        parts = sorted((edit for edit in edits if len(edit)), key=lambda edit: int(edit.index[0]))
        kinds = {(edit.shape, edit.before.dtype, edit.after.dtype) for edit in parts}
        apart = all(a.index[-1] < b.index[0] for a, b in pairwise(parts))
        if len(parts) < 2 or len(kinds) != 1 or not apart:
            return list(edits)
        index, before, after = (
            np.concatenate([getattr(edit, name) for edit in parts])
            for name in ("index", "before", "after")
        )
        return [cls(parts[0].shape, index, before, after)]

    def __len__(self) -> int:
        """Number of voxels."""
        return len(self.index)

    @property
    def voxels(self) -> tuple[np.ndarray, ...]:
        """The voxels, one index array for each axis."""
        return np.unravel_index(self.index, self.shape)

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        return self.index.nbytes + self.before.nbytes + self.after.nbytes

    @property
    def inverse(self) -> LabelEdit:
        """The edit that takes this one back."""
        return LabelEdit(self.shape, self.index, self.after, self.before)

    def apply(self, labels: LabelMap) -> LabelEdit:
        """Make the edit.

        Returns
        -------
        LabelEdit
            What was changed: voxels that somebody else had changed are left alone.

        Raises
        ------
        LabelsError
            If the labels have another size, or cannot be written to; then nothing changes.
        """
        if labels.data.shape != self.shape:
            raise LabelsError(
                "The labels have another size than they had: take labels of the size "
                f"{' × '.join(map(str, self.shape))}."
            )
        held = _values_at(labels.data, self.index) == self.before
        done = self
        if not held.all():
            done = LabelEdit(self.shape, self.index[held], self.before[held], self.after[held])
        if len(done):
            if not _holds(labels.data.dtype, done.after):
                labels.retype(_wide_enough(labels.data.dtype, done.after.dtype))
            labels.write(done.voxels, done.after.astype(labels.data.dtype, copy=False))
        _narrow(labels, self.before.dtype, self.after.dtype)
        return done

    def revert(self, labels: LabelMap) -> LabelEdit:
        """Take the edit back; see `apply`."""
        return self.inverse.apply(labels)


def _fitting(values: ArrayLike, dtype: np.dtype) -> np.ndarray:
    """Values in a type that holds them: this one, or else the next larger."""
    given = np.asarray(values)
    if not _holds(dtype, given):
        low, high = (np.min_scalar_type(int(edge)) for edge in (given.min(), given.max()))
        dtype = _wide_enough(dtype, low, high)
    return given.astype(dtype)


def _wide_enough(*dtypes: np.dtype) -> np.dtype:
    """The smallest integer type that holds the values of all these."""
    dtype = reduce(np.promote_types, dtypes)
    if dtype.kind not in "ui":  # there is no integer type beyond 64 bits
        raise LabelsError(
            "No number is left: an object has the largest one that these labels can hold. Give it "
            "a smaller number first."
        )
    return dtype


def _values_at(data: np.ndarray, index: np.ndarray) -> np.ndarray:
    """The values of voxels that are given in C order."""
    if data.flags.c_contiguous:  # four times as fast as by an index for each axis
        return data.reshape(-1)[index]
    return data[np.unravel_index(index, data.shape)]


def _holds(dtype: np.dtype, values: np.ndarray) -> bool:
    limits = np.iinfo(dtype)
    return not values.size or bool(limits.min <= values.min() and values.max() <= limits.max)


def _narrow(labels: LabelMap, before: np.dtype, after: np.dtype) -> None:
    """Go back to a smaller type, after the edit that had needed a larger one was taken back."""
    larger = labels.data.dtype == before and before.itemsize > after.itemsize
    if larger and _holds(after, labels.data):
        labels.retype(after)
