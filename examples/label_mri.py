"""3D MRI: one object clicked on in two planes, labels saved in the geometry of the image.

    python examples/label_mri.py --output labels.nii.gz

The image is the sample of a brain; pass your own NIfTI with --image. To follow one click through
all slices instead, see label_a_volume.py.
"""

from __future__ import annotations

import argparse
from importlib.resources import files
from pathlib import Path

import numpy as np

from napari_piclick import Session, load_predictor
from napari_piclick.io.volumes import read_volumes, write_labels
from napari_piclick.plane import Plane
from napari_piclick.session.object_table import object_table
from napari_piclick.session.place import Place


def main() -> None:
    """Click on an axial and a coronal plane, and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sample = files("napari_piclick._napari.sample_data") / "brain.nii.gz"
    parser.add_argument("--image", type=Path, default=Path(str(sample)))
    parser.add_argument("--output", type=Path, default=Path("labels.nii.gz"))
    options = parser.parse_args()

    volume = read_volumes(options.image)[0]
    shape = tuple(int(n) for n in volume.data.shape)
    labels = np.zeros(shape, np.uint16)
    session = Session(load_predictor(), labels=labels)
    middle = [n // 2 for n in shape]

    for axis in (2, 1):
        rows, cols = (other for other in range(3) if other != axis)
        plane = Plane(shape, (rows, cols), (middle[axis],))
        session.set_image(plane.cut(volume.data), key=Place(volume.name, plane))
        if axis == 1:
            session.objects.reopen(1)  # the same object, on another plane
        session.click(middle[rows], middle[cols])
        session.accept()
    session.objects.fill_holes(1)
    session.objects.classify(1, "structure")

    for row in object_table(session.objects):
        print(f"Object {row.label} ({row.kind}): {row.voxels} voxels, {row.clicks} clicks.")
    write_labels(options.output, session.labels.data, volume.geometry)
    print(f"The labels are in {options.output}, with the affine of the image.")


if __name__ == "__main__":
    main()
