"""The geometry: where the voxels of a file's array lie in space, and how napari shows them.

A file's array is kept in the order of its own reader (nibabel's for NIfTI, SimpleITK's for NRRD,
MHA and DICOM, tifffile's for TIFF). napari gets a view of it with the axes in the order that it
expects, (time, ..., z, y, x). Nothing is flipped or resampled, so that a label map made in napari
goes back to the file's own order voxel by voxel.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from nibabel.orientations import io_orientation

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Off-axis parts of an affine smaller than this, against its scale, are rounding.
ROUNDING = 1e-6
#: DICOM and ITK count towards left, back and up, NIfTI towards right, front and up.
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Geometry:
    """Where the voxels of an array lie.

    Parameters
    ----------
    spatial : tuple of int
        The axes of the file's array that are space, in the order (x, y, z) of the affine; two for
        a 2D image. The others are time or channels.
    ndim : int
        Number of axes of the file's array, colour channels left out.
    affine : (4, 4) float64
        From voxel indices (x, y, z) to the world. If ``anatomical``, the world is that of NIfTI:
        millimetres to the right, to the front and up; otherwise an image's: right, down, deep.
    anatomical : bool
        Whether the world is a patient's.
    unit : str
        Unit of length: "mm", "um", "nm", ..., or "pixel" if it is not known.
    header : nibabel header, optional
        The source's, which a NIfTI written again keeps.
    frame : float
        Distance in seconds between points of the first axis that is not space; 1 if not known.
    """

    spatial: tuple[int, ...]
    ndim: int
    affine: np.ndarray
    anatomical: bool
    unit: str = "mm"
    header: Any = field(default=None, repr=False)
    frame: float = 1.0

    @classmethod
    def plain(cls, spacing: Sequence[float], unit: str = "pixel", ndim: int = 0) -> Geometry:
        """An image stack without a place in a patient.

        Parameters
        ----------
        spacing : sequence of float
            Size of a voxel along the last two or three axes of the array, (z, y, x).
        unit : str
        ndim : int
            Number of axes of the array; as many as spacings by default.
        """
        ndim = ndim or len(spacing)
        affine = np.eye(4)
        for axis, size in enumerate(reversed(spacing)):
            affine[axis, axis] = size
        spatial = tuple(range(ndim - 1, ndim - 1 - len(spacing), -1))
        return cls(spatial, ndim, affine, anatomical=False, unit=unit)

    # -- what can be said of it ---------------------------------------------------------------

    @property
    def others(self) -> tuple[int, ...]:
        """The axes of the array that are not space."""
        return tuple(axis for axis in range(self.ndim) if axis not in self.spatial)

    @property
    def spacing(self) -> tuple[float, ...]:
        """Size of a voxel along every axis of the array; 1 along axes that are not space."""
        sizes = np.ones(self.ndim)
        for axis, size in zip(self.spatial, self._sizes, strict=True):
            sizes[axis] = size
        return tuple(float(size) for size in sizes)

    @property
    def nifti_affine(self) -> np.ndarray:
        """(4, 4) float64: the affine to millimetres right, front and up.

        An image without a patient is laid down as ITK does: its right is the patient's left, its
        down the patient's back, its depth up.
        """
        return self.affine if self.anatomical else LPS_TO_RAS @ self.affine

    @property
    def voxel_size(self) -> float:
        """Volume of a voxel in ``unit`` cubed; in 2D the area of a pixel."""
        columns = self.affine[:3, : len(self.spatial)]
        size = float(np.sqrt(abs(np.linalg.det(columns.T @ columns))))
        return size or 1.0

    def without(self, axis: int) -> Geometry:
        """The geometry of the array when one index along an axis is taken.

        Parameters
        ----------
        axis : int
            One that is not space.
        """
        lower = tuple(a - (a > axis) for a in self.spatial)
        return replace(self, spatial=lower, ndim=self.ndim - 1)

    # -- as napari shows it -------------------------------------------------------------------

    @property
    def order(self) -> tuple[int, ...]:
        """The axes of the file's array in the order of the layer's.

        Axes that are not space come first, the slowest one (time, in NIfTI) before the others.
        Of a patient, the axis nearest to up and down is next, then that nearest to front and
        back, then that nearest to right and left.
        """
        world, _ = self._orientation
        ranks = world if self.anatomical else range(len(self.spatial))
        axes = sorted(zip(ranks, self.spatial, strict=True), reverse=True)
        # NIfTI counts space first, TIFF and ITK last; the slowest axis is the first of a layer.
        last = self.others and min(self.others) > max(self.spatial)
        others = self.others[::-1] if last else self.others
        return (*others, *(axis for _, axis in axes))

    def to_layer(self, array: Any) -> Any:
        """A view of the file's array with the axes in the layer's order; colours stay last."""
        extra = range(self.ndim, array.ndim)
        return array.transpose((*self.order, *extra))

    def from_layer(self, array: Any) -> Any:
        """A view of a layer's array with the axes in the file's order."""
        return array.transpose(tuple(int(axis) for axis in np.argsort(self.order)))

    def layer_affine(self, shape: Sequence[int]) -> np.ndarray:
        """The affine of the layer: axis by axis, negative where the array runs backwards.

        A patient's world runs down, back and left, which shows a head upright in every plane.
        napari cannot show an oblique cut as one plane, so an oblique volume is shown straight,
        with its middle in its place; its true affine stays in the layer's metadata.

        Parameters
        ----------
        shape : sequence of int
            Shape of the file's array.

        Returns
        -------
        (ndim + 1, ndim + 1) float64
        """
        matrix = np.eye(self.ndim + 1)
        world, flips = self._orientation
        for row, axis in enumerate(self.order):
            if axis not in self.spatial:
                matrix[row, row] = self.frame if row == 0 else 1.0
                continue
            k = self.spatial.index(axis)
            sign = -flips[k] if self.anatomical else 1.0
            size = self._sizes[k]
            towards = -1.0 if self.anatomical else 1.0
            matrix[row, row] = sign * size
            matrix[row, -1] = towards * self._start(k, world[k], flips[k], shape)
        return matrix

    @property
    def layer_units(self) -> tuple[str, ...]:
        """The unit of each axis of the layer."""
        time = "s" if self.frame != 1 else "pixel"
        first = [time, *["pixel"] * len(self.others)][: len(self.others)]
        return (*first, *[self.unit] * len(self.spatial))

    @property
    def axis_labels(self) -> tuple[str, ...]:
        """The name of each axis of the layer."""
        names = ["t", "c", "u", "v"][: len(self.others)]
        names += [f"a{k}" for k in range(len(names), len(self.others))]
        return (*names, *("z", "y", "x")[-len(self.spatial) :])

    # -- inside ---------------------------------------------------------------------------

    @property
    def _sizes(self) -> np.ndarray:
        """Size of a voxel along each spatial axis; 1 where the file says zero."""
        sizes = np.linalg.norm(self.affine[:3, : len(self.spatial)], axis=0)
        sizes[~(sizes > 0)] = 1.0
        return sizes

    @property
    def _orientation(self) -> tuple[list[int], list[float]]:
        """For each spatial axis the nearest axis of the world, and 1 or -1 for its direction."""
        count = len(self.spatial)
        if not self.anatomical:
            return list(range(count)), [1.0] * count
        nearest = io_orientation(self.affine[:, [*range(count), 3]])
        if np.isnan(nearest).any():  # an affine that says nothing
            return list(range(count)), [1.0] * count
        return [int(axis) for axis in nearest[:, 0]], [float(flip) for flip in nearest[:, 1]]

    def _start(self, k: int, world: int, flip: float, shape: Sequence[int]) -> float:
        """Where the first voxel along spatial axis k is shown, on its own axis of the world."""
        count = len(self.spatial)
        row = self.affine[world, :count]
        if np.abs(np.delete(row, k)).max(initial=0) <= ROUNDING * self._sizes.max():
            return float(self.affine[world, 3])
        middle = [(shape[axis] - 1) / 2 for axis in self.spatial]
        centre = float(row @ middle + self.affine[world, 3])
        return centre - flip * float(self._sizes[k]) * middle[k]
