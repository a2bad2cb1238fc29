"""One click on a volume, followed through all of its slices, without a window.

    python examples/label_a_volume.py brain.nii.gz 60 70 40 --output labels.nii.gz

The three numbers are the voxel to click on, in the array order of the file's own reader
(nibabel's for NIfTI). The labels have the geometry of the image.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_piclick import load_predictor
from napari_piclick.io.volumes import read_volumes, write_labels
from napari_piclick.session import VolumeSession
from napari_piclick.session.quality import most_doubtful


def main() -> None:
    """Read, click, follow, and say which slice to look at."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("image", type=Path)
    parser.add_argument("voxel", type=int, nargs=3, metavar="INDEX")
    parser.add_argument("--axis", type=int, default=2, help="the axis that is sliced (default: 2)")
    parser.add_argument("--output", type=Path, default=Path("labels.nii.gz"))
    options = parser.parse_args()

    volume = read_volumes(options.image)[0]
    session = VolumeSession(load_predictor(), volume.data, axis=options.axis, name=volume.name)
    session.go_to(options.voxel[options.axis])
    session.click(*(index for axis, index in enumerate(options.voxel) if axis != options.axis))
    session.accept()
    for stop in session.propagate(1):
        print(f"Stopped at slice {stop.index}: {stop.reason.value}.")
    slices = session.quality(1)
    for labelled in slices:
        print(f"Slice {labelled.index}: {labelled.area} pixels, quality {labelled.quality:.2f}.")
    doubtful = most_doubtful(slices)
    if doubtful is not None:
        print(f"Slice {doubtful.index} most needs a look.")
    write_labels(options.output, session.labels.data, volume.geometry)
    print(f"The labels are in {options.output}.")


if __name__ == "__main__":
    main()
