"""One click on a volume, followed through all of its slices, without a window.

    python examples/label_a_volume.py brain.nii.gz 60 70 40 --output labels.nii.gz

The three numbers are the voxel to click on, in the array order of the file's own reader
(nibabel's for NIfTI). The labels have the geometry of the image.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from napari_piclick import Click, load_predictor
from napari_piclick.io.volumes import read_volumes, write_labels
from napari_piclick.plane import Plane
from napari_piclick.session.plane_stack import PlaneStack
from napari_piclick.session.propagate import propagate
from napari_piclick.session.quality import most_doubtful, rate_slices
from napari_piclick.session.slice_mask import ObjectSlices, SliceMask
from napari_piclick.session.stopping import Stopped
from napari_piclick.session.volume_window import sample_planes, window_of


def main() -> None:
    """Read, click, follow, and say which slice to look at."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("image", type=Path)
    parser.add_argument("voxel", type=int, nargs=3, metavar="INDEX")
    parser.add_argument("--axis", type=int, default=2, help="the axis that is sliced (default: 2)")
    parser.add_argument("--output", type=Path, default=Path("labels.nii.gz"))
    options = parser.parse_args()

    volume = read_volumes(options.image)[0]
    shown = tuple(axis for axis in range(3) if axis != options.axis)
    plane = Plane(volume.data.shape, (shown[0], shown[1]), (options.voxel[options.axis],))
    window = window_of(sample_planes(volume.data, options.axis))
    stack = PlaneStack(volume.data, plane, options.axis, volume.name, window)

    predictor = load_predictor()
    predictor.set_image(plane.cut(volume.data), contrast_limits=window)
    row, col = plane.from_volume(options.voxel)
    first = predictor.predict([Click(float(row), float(col))])
    slices = ObjectSlices(len(stack))
    slices.put(SliceMask.of(stack.position, first.plane_mask()))

    stops = []
    for event in propagate(predictor, stack, slices, stack.position):
        if isinstance(event, Stopped):
            stops.append(event)
            print(f"Stopped at slice {event.index}: {event.reason.value}.")
        else:
            print(f"Slice {event.index}: {event.area} pixels.")
    doubtful = most_doubtful(rate_slices(slices, stops))
    if doubtful is not None:
        print(f"Slice {doubtful.index} most needs a look.")

    labels = np.zeros(volume.data.shape, np.uint8)
    for labelled in slices:
        if labelled.region is not None:
            voxels = stack.plane_at(labelled.index).voxels(labelled.mask, labelled.region)
            labels[voxels] = 1
    write_labels(options.output, labels, volume.geometry)
    print(f"The labels are in {options.output}.")


if __name__ == "__main__":
    main()
