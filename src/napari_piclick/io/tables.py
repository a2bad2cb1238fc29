"""Tables of labels: object volumes as CSV, outlines of every slice as COCO JSON, PNG by slice."""

from __future__ import annotations

import csv
import glob
import json
import re
from contextlib import ExitStack
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from napari_piclick.io.errors import VolumeError
from napari_piclick.io.volumes import smallest
from napari_piclick.io.whole_file import whole_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from napari_piclick.io.geometry import Geometry

#: Volumes are given in mm or um, whichever the lengths are nearer to: factor and unit.
_LENGTHS = {
    "m": (1e3, "mm"), "cm": (10.0, "mm"), "inch": (25.4, "mm"), "mm": (1.0, "mm"),
    "um": (1.0, "um"), "nm": (1e-3, "um"), "pixel": (1.0, "pixel"),
}  # fmt: skip


def write_volumes(path: Path, labels: np.ndarray, geometry: Geometry) -> None:
    """Write the size of every object as CSV: voxels, and mm3 or um3 (mm2 or um2 in 2D).

    Parameters
    ----------
    path : Path
    labels : integer array, in the layer's order, (..., z, y, x)
        Of several time points each has rows of its own.
    geometry : Geometry
    """
    factor, unit = _LENGTHS.get(geometry.unit, (1.0, geometry.unit))
    count = len(geometry.spatial)
    voxel = geometry.voxel_size * factor**count
    kind = "volume" if count == 3 else "area"
    names = geometry.axis_labels
    first = names[: labels.ndim - count]
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        places = [f"centre_{name}" for name in names[-count:]]
        table.writerow([*first, "label", "voxels", f"{kind}_{unit}{count}", *places])
        for frame in np.ndindex(labels.shape[: len(first)]):
            for value, (number, *sums) in sorted(_sums(np.asarray(labels[frame])).items()):
                size = f"{number * voxel:.9g}"
                centre = [f"{total / number:.3f}" for total in sums]
                table.writerow([*frame, value, int(number), size, *centre])


def _sums(labels: np.ndarray) -> dict[int, np.ndarray]:
    """For each label the number of its voxels, and the sums of their indices along every axis.

    Taken plane by plane, as large volumes leave no room for the indices of all voxels at once.
    """
    sums: dict[int, np.ndarray] = {}
    for index in np.ndindex(labels.shape[:-2]):
        plane = labels[index]
        rows, cols = np.nonzero(plane)
        values, which = np.unique(plane[rows, cols], return_inverse=True)
        counts = np.bincount(which, minlength=len(values))
        along = [np.bincount(which, weights, len(values)) for weights in (rows, cols)]
        parts = np.stack([counts, *(counts * place for place in index), *along], axis=1)
        for value, part in zip(values.tolist(), parts.astype(float), strict=True):
            sums[value] = sums.get(value, 0.0) + part
    return sums


def write_slices(path: Path, labels: np.ndarray) -> list[Path]:
    """Write every slice as a PNG of 8 or 16 bits: ``labels_000.png``, ``labels_001.png``, ...

    The first slice is put in place last: where it is, all of them are.

    Parameters
    ----------
    path : Path
        Ends in .png; a 2D label map is written to it, slices beside it, numbered.
    labels : integer array, in the layer's order, (..., y, x)

    Returns
    -------
    list of Path
        The files that were written.

    Raises
    ------
    VolumeError
        If a label is larger than 65535, or a file cannot be written.
    """
    array = smallest(labels)
    if array.dtype.itemsize > 2:
        raise VolumeError(
            "PNG files hold labels up to 65535, but there are larger ones: choose another format."
        )
    written = []
    with ExitStack() as stack:  # which leaves the file that was opened last first
        for index, name in _slices(path, array.shape):
            file = path.with_name(name)
            temporary = stack.enter_context(whole_file(file))
            Image.fromarray(np.ascontiguousarray(array[index])).save(temporary, format="PNG")
            written.append(file)
        if len(written) > 1:
            # An older one would vouch for the others while some of them are still of its stack.
            written[0].unlink(missing_ok=True)
    return written


def slices_there(path: Path) -> list[Path]:
    """The slices that are there under the names `write_slices` gives them, sorted.

    Parameters
    ----------
    path : Path
        As it is given to `write_slices`.
    """
    names = re.compile(rf"{re.escape(path.stem)}(_\d{{3,}})+{re.escape(path.suffix)}")
    found = path.parent.glob(f"{glob.escape(path.stem)}_*{path.suffix}")
    return sorted(file for file in found if names.fullmatch(file.name))


def are_whole(path: Path) -> bool:
    """Tell whether all slices are there, which the first one says that was put in place last."""
    first = slices_there(path)[:1]
    return bool(first) and not first[0].stem.removeprefix(path.stem).strip("_0")


def write_coco(path: Path, labels: np.ndarray) -> None:
    """Write every object on every slice as COCO JSON, its mask run-length encoded without loss.

    Each slice is an image under the name that `write_slices` gives it; an object has one
    annotation on each slice that shows it, with its label as ``label``.

    Parameters
    ----------
    path : Path
    labels : integer array, in the layer's order, (..., y, x)
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    height, width = labels.shape[-2:]
    for index, name in _slices(path.with_suffix(".png"), labels.shape):
        image = {"id": len(images) + 1, "file_name": name, "height": height, "width": width}
        images.append(image)
        plane = np.asarray(labels[index])
        for value in np.unique(plane[plane != 0]).tolist():
            mask = plane == value
            rows, cols = np.nonzero(mask)
            top, left = int(rows.min()), int(cols.min())
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image["id"],
                    "category_id": 1,
                    "label": value,
                    "area": len(rows),
                    "bbox": [left, top, int(cols.max()) - left + 1, int(rows.max()) - top + 1],
                    "iscrowd": 0,
                    "segmentation": {"size": [height, width], "counts": run_lengths(mask)},
                }
            )
    content = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "object", "supercategory": ""}],
    }
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(content), encoding="utf-8")


def run_lengths(mask: np.ndarray) -> list[int]:
    """The lengths of the runs of equal pixels of a (H, W) bool mask, column by column.

    The first run is one of zeros, and may be of length 0, as COCO has it.
    """
    flat = mask.ravel(order="F")
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs: list[int] = np.diff([0, *edges, flat.size]).tolist()
    return [0, *runs] if flat[0] else runs


def _slices(path: Path, shape: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], str]]:
    """The index of each slice, and the name of its file."""
    digits = [max(len(str(size - 1)), 3) for size in shape[:-2]]
    for index in product(*map(range, shape[:-2])):
        numbers = (f"_{i:0{width}d}" for i, width in zip(index, digits, strict=True))
        yield index, f"{path.stem}{''.join(numbers)}{path.suffix}"
