"""The layer history: what napari's own undo of a labels layer takes back, and does again.

napari tells of each change as it is made, but not of its undo: then the layer is only drawn
again. So the changes that it told of are remembered here, and whenever the layer is drawn the last
one is looked at: if its voxels hold again what they held before it, it was taken back. Other data
given to the layer are compared with those that it had.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_piclick.session.label_edit import LabelEdit

if TYPE_CHECKING:
    from collections.abc import Sequence

#: So many changes napari's own undo takes back at most.
KEPT = 100
#: Labels of up to so many voxels are compared with others that take their place: some 0.1 s.
COMPARED = 2**26


class LayerHistory:
    """The changes of a labels layer that napari's own undo and redo would come to next.

    What is remembered are the entries of napari's own history, so that it takes no memory.

    Parameters
    ----------
    data : integer array
        The labels.
    """

    def __init__(self, data: np.ndarray) -> None:
        self._data = data
        self._past: deque[_Entry] = deque(maxlen=KEPT)
        self._future: deque[_Entry] = deque(maxlen=KEPT)
        self._found: list[LabelEdit] = []

    def take(self, atoms: Sequence[tuple]) -> None:
        """Remember a change that napari tells of: what the layer's event ``paint`` carries."""
        self._future.clear()
        self._found.clear()
        entry = _Entry(atoms, self._data.shape)
        if entry.probe is not None:
            self._past.append(entry)

    def forget(self) -> None:
        """Let go of all changes, as napari does when the layer is given other data."""
        self._past.clear()
        self._future.clear()
        self._found.clear()

    def replace(self, data: Any) -> LabelEdit | None:
        """Take other data, which have no past.

        Returns
        -------
        LabelEdit or None
            The difference; None if they have another size, are lazy, or too large to compare.
        """
        old, self._data = self._data, data
        self.forget()
        alike = isinstance(data, np.ndarray) and data.shape == old.shape
        if data is old or not alike or data.size > COMPARED:
            return None
        return LabelEdit.between(old, data)

    def look(self) -> list[LabelEdit]:
        """What napari took back or did again since this was asked last, in order."""
        data, edits = self._data, []
        while self._past and self._past[-1].is_back(data):
            self._future.append(self._past.pop())
            edits.append(self._future[-1].edit.inverse)
        while not edits and self._future and self._future[-1].is_there(data):
            self._past.append(self._future.pop())
            edits.append(self._past[-1].edit)
        self._found += edits
        return edits

    def corrected(self, edit: LabelEdit) -> LabelEdit:
        """A change that napari tells of late, without what `look` has seen of it already.

        A stroke is told of when it ends. Where it undoes the one before by chance, it may have
        been taken for an undo while it was still being made.
        """
        if not self._found:
            return edit
        before = edit.before.copy()
        for found in self._found:
            _, mine, its = np.intersect1d(
                edit.index, found.index, assume_unique=True, return_indices=True
            )
            seen = before[mine] == found.before[its]
            before[mine[seen]] = found.after[its[seen]]
        left = before != edit.after
        return LabelEdit(edit.shape, edit.index[left], before[left], edit.after[left])


class _Entry:
    """One entry of napari's history."""

    def __init__(self, atoms: Sequence[tuple], shape: tuple[int, ...]) -> None:
        self._atoms = atoms
        self._shape = shape
        self._edit: LabelEdit | None = None
        #: A voxel that changes, with its values before and after: quicker to look at than all.
        self.probe: tuple[tuple[int, ...], int, int] | None = None
        if len(atoms) == 1 and len(atoms[0]) == 3:
            # so are the large ones that we write ourselves: only voxels that change are in it
            indices, old, new = atoms[0]
            where = tuple(int(np.ravel(axis)[0]) for axis in indices)
            self.probe = (where, int(np.ravel(old)[0]), int(np.ravel(new)[0]))
        elif len(self.edit):
            edit = self.edit
            where = tuple(int(axis) for axis in np.unravel_index(int(edit.index[0]), shape))
            self.probe = (where, int(edit.before[0]), int(edit.after[0]))

    @property
    def edit(self) -> LabelEdit:
        if self._edit is None:
            self._edit = LabelEdit.joined([edit_of(atom, self._shape) for atom in self._atoms])
        return self._edit

    def is_back(self, data: np.ndarray) -> bool:
        """Whether all voxels hold what they held before."""
        assert self.probe is not None
        where, before, _ = self.probe
        return bool(data[where] == before) and bool(
            (data[self.edit.voxels] == self.edit.before).all()
        )

    def is_there(self, data: np.ndarray) -> bool:
        """Whether all voxels hold what they were given."""
        assert self.probe is not None
        where, _, after = self.probe
        return bool(data[where] == after) and bool(
            (data[self.edit.voxels] == self.edit.after).all()
        )


def edit_of(atom: tuple, shape: tuple[int, ...]) -> LabelEdit:
    """The edit that one entry of napari's history tells of.

    Parameters
    ----------
    atom : tuple
        A brush leaves (box, mask or None, old values, new value), everything else
        (indices, old values, new values).
    shape : tuple of int
        Size of the labels.
    """
    if len(atom) == 4:
        box, mask, old, new = atom
        if mask is None:
            mask = np.ones(np.shape(old), bool)
        starts = [part.start or 0 for part in box]
        voxels = tuple(axis + start for axis, start in zip(np.nonzero(mask), starts, strict=True))
        return LabelEdit.made(shape, voxels, np.ravel(old), new)
    indices, old, new = atom
    voxels = tuple(np.broadcast_arrays(*(np.ravel(axis) for axis in indices)))
    return LabelEdit.made(shape, voxels, np.ravel(old), np.asarray(new))
