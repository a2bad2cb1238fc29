"""The label map: the array of ids that objects are written into, whoever owns it."""

from __future__ import annotations

import warnings
from typing import Any, Protocol

import numpy as np


class LabelsError(ValueError):
    """Labels cannot be changed like that; the message says why, and what to do."""


class LabelMap(Protocol):
    """What the session needs of labels: a NumPy array for a script, a layer in a window."""

    @property
    def data(self) -> np.ndarray:
        """The integer array; to be read, and changed only through `write` and `retype`."""

    @property
    def next_label(self) -> int:
        """The next free id: one more than the largest in use."""

    @property
    def known_empty(self) -> bool:
        """Whether it is known, without a search, that there is no object."""

    def write(self, voxels: tuple[np.ndarray, ...], values: np.ndarray) -> None:
        """Give voxels, one index array for each axis, other values of the array's own type."""

    def retype(self, dtype: np.dtype) -> None:
        """Go over to another integer type that holds all values."""


class ArrayLabels:
    """Labels in a NumPy array, changed in place as long as ids fit its type.

    Parameters
    ----------
    data : integer array
        Attribute ``data`` is this very array, but while there are ids that do not fit its type:
        then it is a larger one, and this one stays as it was. Once they were undone, it is this
        array again.

    Raises
    ------
    LabelsError
        If it is not a writable array of integers.

    Warns
    -----
    UserWarning
        The first time that ids do not fit the array.
    """

    def __init__(self, data: Any) -> None:
        if not isinstance(data, np.ndarray) or data.dtype.kind not in "ui":
            raise LabelsError("Labels must be a NumPy array of integers: convert them first.")
        self._data = self._given = data
        self._known_empty = False
        self._warned = False
        self._check()

    @classmethod
    def empty(cls, shape: tuple[int, ...], dtype: Any = np.uint16) -> ArrayLabels:
        """Labels without an object, in an array of their own."""
        labels = cls(np.zeros(shape, dtype))
        labels._known_empty = True
        labels._warned = True  # nobody else holds that array, so nobody saves it by mistake
        return labels

    @property
    def data(self) -> np.ndarray:
        """The integer array."""
        return self._data

    @property
    def next_label(self) -> int:
        """The next free id: one more than the largest in use."""
        return max(int(self._data.max(initial=0)), 0) + 1

    @property
    def known_empty(self) -> bool:
        """Whether it is known, without a search, that there is no object."""
        return self._known_empty

    def write(self, voxels: tuple[np.ndarray, ...], values: np.ndarray) -> None:
        """Give voxels other values."""
        self._check()
        self._known_empty = False
        self._data[voxels] = values

    def retype(self, dtype: np.dtype) -> None:
        """Go over to another integer type that holds all values; ``data`` is another array then.

        Where that is the type of the array that was given, it is that array again.
        """
        if dtype == self._given.dtype and self._given.flags.writeable:
            self._given[...] = self._data
            self._data = self._given
            return
        if not self._warned:
            warnings.warn(
                f"Object ids no longer fit the labels that you gave ({self._given.dtype}). That "
                "array is changed no more: save session.labels.data instead.",
                UserWarning,
                stacklevel=2,
            )
            self._warned = True
        self._data = self._data.astype(dtype)

    def _check(self) -> None:
        if not self._data.flags.writeable:
            raise LabelsError("These labels are read-only: make a copy of the array first.")
